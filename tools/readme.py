"""Rewrites the shown output in README.md by running the commands it names, so that no figure there is typed.

A block is a comment with a command, then its output up to the closing comment:

    <!-- shows: lowlat bench --profile deep -->
    ...
    <!-- end -->

Output of `lowlat` is taken from a terminal of 110 columns and shown as text; that of other programs stands as it is.
Behind the command may stand `| from WORD to WORD`: then only the lines from the one that starts with the first word to
the one before that which starts with the second.
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

from lowlat.files import write_atomically

README = Path(__file__).parent.parent / "README.md"
COLUMNS = 110
BLOCK = re.compile(
    r"<!-- shows: (?P<command>[^|\n]+?)(?: \| from (?P<first>\S+) to (?P<last>\S+))? -->\n.*?<!-- end -->", re.DOTALL
)
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


def part(text: str, first: str | None, last: str | None) -> str:
    """The lines from the one that starts with `first` to that before `last`."""
    if first is None or last is None:
        return text
    lines = text.splitlines()
    begin = next(at for at, line in enumerate(lines) if line.split()[:1] == [first])
    end = next(at for at, line in enumerate(lines) if at > begin and line.split()[:1] == [last])
    return "\n".join(["...", *lines[begin:end], "..."])


def shown(match: re.Match[str]) -> str:
    """The block with fresh output."""
    command = match["command"]
    print(f"running {command}", file=sys.stderr)
    words = shlex.split(command)
    program = Path(sys.executable).parent / words[0]
    run = [str(program if program.exists() else words[0]), *words[1:]]
    if words[0] == "lowlat":
        body = f"```console\n$ {command}\n{part(on_a_terminal(run), match['first'], match['last'])}\n```"
    else:
        body = subprocess.run(run, check=True, stdout=subprocess.PIPE, text=True).stdout.strip("\n")
    return f"{match[0].splitlines()[0]}\n{body}\n<!-- end -->"


if __name__ == "__main__":
    write_atomically(README, BLOCK.sub(shown, README.read_text()))
