#!/bin/sh
# The benchmark's listing with the aws command line.
set -eu
aws ec2 describe-instances --filters Name=tag:env,Values=dev Name=instance-state-name,Values=running \
    --query 'length(Reservations[].Instances[])' --output text
