"""Runs a program on a terminal of its own and types a line at each of its prompts: on_terminal.py PROGRAM ARGUMENT... with the
lines, each with its end, in the environment variable ANSWERS. Prints all that was shown; ends with the program's status."""
import os
import pty
import select
import sys

answers = os.environ["ANSWERS"].split("\n")
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
shown = b""
unread = b""
while True:
    ready, _, _ = select.select([terminal], [], [], 60)
    if not ready:
        sys.exit("no word from the program for a minute; so far: " + shown.decode())
    try:
        more = os.read(terminal, 65536)
    except OSError:  # EIO: the program has ended
        break
    if not more:
        break
    shown += more
    unread += more
    # A prompt is a line without its end.
    if unread.endswith(b"] ") and answers:
        os.write(terminal, answers.pop(0).encode() + b"\n")
        unread = b""
_, status = os.waitpid(pid, 0)
sys.stdout.write(shown.decode().replace("\r\n", "\n"))
sys.exit(os.waitstatus_to_exitcode(status))
