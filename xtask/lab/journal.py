"""journal.py STATE COUNT: prints "reached" as soon as the journals under STATE hold COUNT segments; "count" prints how many.

journal.py STATE count   prints the number now

Reads the SQLite files of a running escher through read-only connections, so that nothing is asked of the process that is
about to be killed.
"""

import pathlib
import sqlite3
import sys
import time

folder = pathlib.Path(sys.argv[1])


def segments():
    total = 0
    for file in folder.rglob("*"):
        if file.suffix not in (".db", ".sqlite", ".sqlite3"):
            continue
        try:
            connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=0.01)
            try:
                tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
                for table in tables:
                    if "segment" in table:
                        total += connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
            finally:
                connection.close()
        except sqlite3.Error:
            continue  # being created, or locked for this moment
    return total


if sys.argv[2] == "count":
    print(segments())
else:
    goal, end = int(sys.argv[2]), time.monotonic() + 60
    while segments() < goal and time.monotonic() < end:
        time.sleep(0.0005)
    print("reached", flush=True)
