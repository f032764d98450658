"""Draws the operations of `catalog/data/sample.txt`, `unseen.txt` and `third.txt`: 67 of AWS, 66 of Azure, 67 of Google Cloud each, by a
fixed seed; a later draw leaves out what those before it have.

    python sample.py names.txt                      first
    python sample.py names.txt FIRST.txt            second, without those of the first
    python sample.py names.txt FIRST.txt SECOND.txt third

`names.txt` holds all full names, one a line, as `escher ops search` spells them. Whoever labels looks at names, HTTP methods and
documentation, never at what the catalogue says.
"""

import pathlib
import random
import sys

SEEDS = [20261121, 20261122, 20261123]
SHARES = {"aws": 67, "azure": 66, "gcp": 67}

names = sorted(pathlib.Path(sys.argv[1]).read_text().split())
seen = set()
for earlier in sys.argv[2:]:
    seen |= {line.split()[0] for line in pathlib.Path(earlier).read_text().splitlines() if line and not line.startswith("#")}
dice = random.Random(SEEDS[len(sys.argv) - 2])
for cloud, share in SHARES.items():
    of_cloud = [name for name in names if name.startswith(cloud + ".") and name not in seen]
    print("\n".join(sorted(dice.sample(of_cloud, share))))
