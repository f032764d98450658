"""serve.py COMMAND...: runs a server for as long as this process's standard input stays open.

Whoever started it holds the other end of that pipe, so the server ends with them, however they end. The server gets a
process group of its own, so that the helpers it starts end with it.
"""

import os
import signal
import subprocess
import sys
import threading

# Ctrl-C is for whoever started this: when that one goes, the pipe closes.
signal.signal(signal.SIGINT, signal.SIG_IGN)
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)


def when_the_starter_is_gone():
    sys.stdin.buffer.read()
    end()


def end():
    try:
        os.killpg(server.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


threading.Thread(target=when_the_starter_is_gone, daemon=True).start()
server.wait()
end()
