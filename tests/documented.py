"""The code on the pages of the documentation, and a page as one program that does what a reader is told to type.

A block that cannot run in a test has a comment with the reason on the line above it:

    <!-- not run: needs root -->
    ```sh
    sysctl vm.swappiness=1
    ```
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.waiting import PATIENCE_S

ROOT: Final = Path(__file__).resolve().parents[1]
README: Final = ROOT / "README.md"
PAGES: Final = [README, *sorted((ROOT / "docs").rglob("*.md"))]
SHELL: Final = frozenset({"sh", "bash", "console"})

_BLOCK = re.compile(
    r"(?:^ *<!-- not run: (?P<reason>[^\n]+) -->\n)?"
    r'^(?P<indent> *)```(?P<language>\w+)(?: title="(?P<title>.*?)")?\n(?P<body>.*?)^ *```$',
    re.M | re.S,
)
_PRELUDE: Final = """\
set -o pipefail
failed() {
    case $2 in 'command lowlat "$@"') set -- "$1" "lowlat $typed" ;; esac
    printf '%s\\t%s\\036' "$1" "$2" >> "$FAILED"
}
trap 'failed $? "$BASH_COMMAND"' ERR
tail() { command tail "$@" | head -n 1; test "${PIPESTATUS[0]}" -eq 0 -o "${PIPESTATUS[0]}" -eq 141; }
lowlat() {
    typed="$*"
    case " $* " in
        *" --watch "*) python "$FIRST_SCREEN" lowlat "$@" ;;
        " ablate "*) LOWLAT_QUICK=1 LOWLAT_ONLY=counter command lowlat "$@" ;;
        " ab "*) LOWLAT_RUNS=2 LOWLAT_MAX_RUNS=6 command lowlat "$@" ;;
        *) command lowlat "$@" ;;
    esac
}
"""
"""What never ends is left after its first line, and comparisons are short; the text stays as people type it."""
_POSTLUDE: Final = """
for job in $(jobs -p); do wait "$job"; done
true
"""
_FIRST: Final = """\
def _shell(script: str) -> None:
    import os, subprocess, sys

    sys.stdout.flush()
    done = subprocess.run(["bash", "-c", script], stdin=subprocess.DEVNULL, stdout=2)
    if done.returncode:  # what bash cannot parse, it does not begin
        with open(os.environ["FAILED"], "a") as failed:
            print(done.returncode, script, sep="\\t", end="\\036", file=failed)


def _write(name: str, text: str) -> None:
    from pathlib import Path

    Path(name).write_text(text, encoding="utf-8")


"""
_SMALL: Final = {"LOWLAT_COMMANDS": "10k", "LOWLAT_RUNS": "1", "LOWLAT_NO_LOCK": "1"}
"""The least work that an objective on p99.9 allows. Figures do not matter, so other measurements may run beside it."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page. `not_run` is the reason why a test leaves it out."""

    language: str
    title: str | None
    body: str
    not_run: str | None


def blocks_of(text: str) -> list[Block]:
    return [
        Block(found["language"], found["title"], textwrap.dedent(found["body"]), found["reason"])
        for found in _BLOCK.finditer(text)
    ]


def blocks(page: Path, language: str, title: str | None = None) -> list[str]:
    """The contents of a page's code blocks in a language."""
    found = [block for block in blocks_of(page.read_text(encoding="utf-8")) if block.language == language]
    return [block.body for block in found if title is None or block.title == title]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def script_of(block: Block) -> str:
    """What a reader types into a shell: the whole block, or the lines of a terminal that begin with a dollar sign."""
    if block.language != "console":
        return block.body
    return "".join(f"{line[2:]}\n" for line in block.body.splitlines() if line.startswith("$ "))


def program_of(blocks: list[Block]) -> str:
    """The blocks as one Python program, as a reader pastes them: shell blocks run where they stand, in the same folder,
    and files that have a name are written.
    """
    parts = [_FIRST]
    for block in blocks:
        if block.not_run is not None:
            continue
        if block.language == "python":
            parts.append(block.body)
        elif block.language in SHELL:
            parts.append(f"_shell({_PRELUDE + script_of(block) + _POSTLUDE!r})\n")
        elif block.language == "toml" and block.title is not None:
            parts.append(f"_write({block.title!r}, {block.body!r})\n")
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of a page's blocks: what Python printed, what was said on stderr, the commands that failed."""

    code: int
    printed: str
    said: str
    failed: list[tuple[int, str]]


def follow(blocks: list[Block], folder: Path) -> Followed:
    """Run the blocks in `folder / "page"`, as a user without settings of their own."""
    failures = folder / "failed.txt"
    failures.touch()
    page = folder / "page"
    page.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOWLAT_")}
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", program_of(blocks)],
        cwd=page,
        env=kept
        | _SMALL
        | {
            "FAILED": str(failures),
            "FIRST_SCREEN": str(ROOT / "tests/first_screen.py"),
            "HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "XDG_RUNTIME_DIR": str(folder),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    failed = [line.partition("\t") for line in failures.read_text(encoding="utf-8").split("\036")[:-1]]
    return Followed(done.returncode, done.stdout, done.stderr, [(int(code), command) for code, _, command in failed])
