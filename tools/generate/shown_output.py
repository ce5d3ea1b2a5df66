"""Updates the shown output in README.md and docs/ by running the commands, so that no figure is typed by hand.

A block is a comment with a command, then its output up to the closing comment:

    <!-- shows: lowlat bench --profile deep -->
    ...
    <!-- end -->

Output of `lowlat` is captured from a terminal of 110 columns and shown as text; output of other programs is inserted
unchanged. `| from WORD to WORD` after the command selects the lines from the first that starts with the first word up
to, but not including, the one that starts with the second. A command in several blocks runs once. Arguments limit the
update to blocks whose command contains one of them:

    python tools/generate/shown_output.py topology calibrate
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
from functools import cache
from pathlib import Path

from lowlat.files import write_atomically

ROOT = Path(__file__).parents[2]
COLUMNS = 110
BLOCK = re.compile(
    r"<!-- shows: (?P<command>[^|\n]+?)(?: \| from (?P<first>\S+) to (?P<last>\S+))? -->\n.*?<!-- end -->", re.DOTALL
)
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def pages() -> list[Path]:
    """The files with shown output."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def on_a_terminal(command: list[str]) -> tuple[str, int]:
    """The command's output on a terminal, without colors, and its exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, close_fds=True)
    os.close(theirs)
    chunks = []
    while True:
        try:
            chunks.append(os.read(ours, 65536))
        except OSError:  # the terminal closes with its last writer
            break
    text = ESCAPE.sub("", b"".join(chunks).decode()).replace("\r\n", "\n")
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()), process.wait()


def part(text: str, first: str | None, last: str | None) -> str:
    """The lines from the one that starts with `first` up to the one before `last`."""
    if first is None or last is None:
        return text
    lines = text.splitlines()
    begin = _line_that_starts_with(first, lines, 0)
    end = _line_that_starts_with(last, lines, begin + 1)
    return "\n".join([*(["..."] if begin else []), *lines[begin:end], "..."])


def _line_that_starts_with(word: str, lines: list[str], begin: int) -> int:
    for at in range(begin, len(lines)):
        if lines[at].split()[:1] == [word]:
            return at
    sys.exit(f"no line of the output starts with {word!r}; name another in the block")


@cache
def output(command: str) -> str:
    """The current output of a command."""
    print(f"running {command}", file=sys.stderr)
    words = shlex.split(command)
    program = Path(sys.executable).parent / words[0]
    run = [str(program if program.exists() else words[0]), *words[1:]]
    if words[0] == "lowlat":
        text, code = on_a_terminal(run)
        # 1 is the answer of a gate.
        return text if code in {0, 1} else sys.exit(f"{command} ended with {code}")
    return subprocess.run(run, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout.strip("\n")


def shown(match: re.Match[str]) -> str:
    """The block with fresh output."""
    command = match["command"]
    body = output(command)
    if command.startswith("lowlat "):
        body = f"```console\n$ {command}\n{part(body, match['first'], match['last'])}\n```"
    return f"{match[0].splitlines()[0]}\n{body}\n<!-- end -->"


def rewrite(page: Path, only: list[str]) -> None:
    """Run the commands of a page; with `only`, those that contain one of these strings."""

    def chosen(match: re.Match[str]) -> str:
        wanted = not only or any(word in match["command"] for word in only)
        return shown(match) if wanted else match[0]

    text = page.read_text(encoding="utf-8")
    fresh = BLOCK.sub(chosen, text)
    if fresh != text:
        write_atomically(page, fresh)


if __name__ == "__main__":
    for each in pages():
        rewrite(each, sys.argv[1:])
