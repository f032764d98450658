"""Draws the operations of `catalog/data/sample.txt`: 67 of AWS, 66 of Azure, 67 of Google Cloud, by a fixed seed.

    python sample.py names.txt

`names.txt` holds all full names, one a line, as `escher ops search` spells them. Whoever labels looks at names, HTTP methods and
documentation, never at what the catalogue says.
"""

import pathlib
import random
import sys

SEED = 20261121
SHARES = {"aws": 67, "azure": 66, "gcp": 67}

names = sorted(pathlib.Path(sys.argv[1]).read_text().split())
dice = random.Random(SEED)
for cloud, share in SHARES.items():
    of_cloud = [name for name in names if name.startswith(cloud + ".")]
    print("\n".join(sorted(dice.sample(of_cloud, share))))
