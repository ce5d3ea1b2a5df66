"""Runs shell commands in an empty folder and prints them with their output, as a terminal would show them.

A command that begins with @ is for setup: neither it nor its output is printed. A nonzero exit code is shown.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from shown_output import on_a_terminal


def session(commands: list[str]) -> str:
    """The console block."""
    lines = ["```console"]
    for command in commands:
        if command.startswith("@"):
            subprocess.run(["bash", "-c", command[1:]], capture_output=True, check=True)
        else:
            lines += [f"$ {command}", on_a_terminal(["bash", "-c", command])[0]]
    return "\n".join([*lines, "```"])


if __name__ == "__main__":
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        print(session(sys.argv[1:]))
