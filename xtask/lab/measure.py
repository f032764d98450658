"""measure.py RUNS COMMAND...: runs the command RUNS times and prints the operating system's own account of each run.

One JSON object a run: wall seconds, peak memory of the process in kilobytes, exit code. What the command prints goes to
standard error. (A process inherits this interpreter's peak, about 10 MB, as its floor.)
"""

import json
import os
import subprocess
import sys
import time

for _ in range(int(sys.argv[1])):
    began = time.perf_counter()
    child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=sys.stderr)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    print(json.dumps({"wall": wall, "rss": usage.ru_maxrss, "code": child.returncode}), flush=True)
