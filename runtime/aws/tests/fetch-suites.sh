#!/bin/sh
# Brings botocore's protocol cases to target/lab, pinned by their hash. They are not committed.
set -eu
cd "$(dirname "$0")/../../.."
mkdir -p target/lab
cd target/lab
[ -d botocore-1.44.5/tests/unit/protocols ] && exit 0
python3 -m pip download --quiet --no-deps --no-binary :all: --dest . botocore==1.44.5
echo 'a988f39e3a4484def0b8010f41128f71157da0515a4804fccce4739aa8f216da  botocore-1.44.5.tar.gz' | sha256sum --check --quiet
tar xzf botocore-1.44.5.tar.gz botocore-1.44.5/tests/unit/protocols
rm botocore-1.44.5.tar.gz
