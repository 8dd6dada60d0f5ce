"""Runs a command at a terminal of its own, types an answer to its question (after MEANWHILE="FROM TO", if it is set), shows what it said, and ends as it ends.

terminal.py ANSWER PROGRAM [ARGUMENT...]
"""

import os
import pty
import select
import signal
import sys
import time

QUESTION = b"to go on: "
SECONDS = 60

answer, command = os.fsencode(sys.argv[1]), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    # Whoever began the tests in the background may have Ctrl-C ignored, and that is handed down.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(command[0], command)

said, asked = b"", False
end = time.monotonic() + SECONDS
while True:
    left = end - time.monotonic()
    if left <= 0 or not select.select([terminal], [], [], left)[0]:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        sys.exit(f"it did not end in {SECONDS} s; it said {said!r}")
    try:
        part = os.read(terminal, 65536)
    except OSError:  # Linux says so when nobody is left at the other side.
        part = b""
    if not part:
        break
    said += part
    if not asked and QUESTION in said:
        asked = True
        # What somebody else does while the question waits: one file takes the place of another.
        if "MEANWHILE" in os.environ:
            os.replace(*os.environ["MEANWHILE"].split(" "))
        os.write(terminal, answer)

sys.stdout.buffer.write(said)
sys.stdout.flush()
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.exit(status if status >= 0 else 128 - status)
