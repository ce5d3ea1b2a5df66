"""Run a command that redraws a terminal until someone leaves, and leave with Ctrl-C after its first line."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys

INTERRUPTED = 130


def first_screen(command: list[str]) -> int:
    """Print the first line. Returns 0 for a command that Ctrl-C ended, else its exit code."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color"}  # CI may have none, or a dumb one
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # Linux reports a closed other end this way
        while b"\n" not in shown and (part := os.read(ours, 4096)):
            shown += part
        process.send_signal(2)
        while os.read(ours, 4096):
            pass
    sys.stdout.buffer.write(shown.partition(b"\n")[0] + b"\n")
    code = process.wait()
    return 0 if code == INTERRUPTED else code


if __name__ == "__main__":
    sys.exit(first_screen(sys.argv[1:]))
