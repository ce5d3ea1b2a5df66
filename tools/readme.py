"""Rewrites the shown output in README.md by running the commands it names, so that no figure there is typed.

A block is a comment with a command, then its output up to the closing comment:

    <!-- shows: lowlat bench --profile deep -->
    ...
    <!-- end -->

Output of `lowlat` is taken from a terminal of 110 columns and shown as text; that of other programs stands as it is.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
COLUMNS = 110
BLOCK = re.compile(r"<!-- shows: (?P<command>.+?) -->\n.*?<!-- end -->", re.DOTALL)
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_a_terminal(command: list[str]) -> str:
    """What the command prints to a terminal, without colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, close_fds=True)
    os.close(theirs)
    chunks = []
    while True:
        try:
            chunks.append(os.read(ours, 65536))
        except OSError:  # the terminal is gone when the last writer is
            break
    if process.wait() != 0:
        sys.exit(f"{shlex.join(command)} ended with {process.returncode}")
    text = ESCAPE.sub("", b"".join(chunks).decode()).replace("\r\n", "\n")
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def shown(match: re.Match[str]) -> str:
    """The block with fresh output."""
    command = match["command"]
    print(f"running {command}", file=sys.stderr)
    words = shlex.split(command)
    program = Path(sys.executable).parent / words[0]
    run = [str(program if program.exists() else words[0]), *words[1:]]
    if words[0] == "lowlat":
        body = f"```console\n$ {command}\n{on_a_terminal(run)}\n```"
    else:
        body = subprocess.run(run, check=True, stdout=subprocess.PIPE, text=True).stdout.strip("\n")
    return f"<!-- shows: {command} -->\n{body}\n<!-- end -->"


if __name__ == "__main__":
    README.write_text(BLOCK.sub(shown, README.read_text()))
