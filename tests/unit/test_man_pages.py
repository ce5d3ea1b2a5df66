"""The man pages say what `--help` says, and groff and mandoc format them without a warning."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs/man").glob("*.1"))
BROKEN = (
    '.TH BROKEN 1 "" "lowlat" "manual"\n.SH NAME\nbroken \\- a page\n.SH TEXT\n.NOSUCH macro\nA line \\*[nosuch].\n'
)


def run(*command: object) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    environment = os.environ | {"LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANPAGER": "cat", "MAN_KEEP_FORMATTING": ""}
    return subprocess.run(words, capture_output=True, text=True, check=False, env=environment, timeout=PATIENCE_S)


def by_man(page: Path) -> tuple[str, str]:
    """The page as shown, and the warnings of groff."""
    if shutil.which("man") is None or shutil.which("groff") is None:
        pytest.skip("man is not installed: apt install man-db")
    done = run("man", "--warnings=w", "-l", page)
    return re.sub(r".\x08", "", done.stdout), done.stderr + (f"exit code {done.returncode}" if done.returncode else "")


def by_mandoc(page: Path) -> list[str]:
    """The warnings of mandoc. A page of every version has no date, which would make each build another one."""
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed: apt install mandoc")
    lines = run("mandoc", "-Tlint", "-Wwarning", page).stdout.splitlines()
    return [line for line in lines if not line.endswith('missing date, using "": TH')]


def test_the_committed_pages_are_the_generated_ones(tmp_path: Path) -> None:
    made = run(sys.executable, "-P", ROOT / "tools/generate/man_pages.py", tmp_path / "man")
    assert (made.returncode, made.stderr) == (0, "")
    generated = {page.name: page.read_text(encoding="utf-8") for page in (tmp_path / "man").iterdir()}
    assert {page.name: page.read_text(encoding="utf-8") for page in PAGES} == generated, "run `make stubs`"


def test_there_is_one_for_each_command() -> None:
    names = {page.stem for page in PAGES}
    assert {"lowlat", "lowlat-bench", "lowlat-journal", "lowlat-journal-verify", "lowlat-profile-show"} <= names
    assert "lowlat-_complete" not in names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_groff_and_mandoc_have_nothing_to_say(page: Path) -> None:
    text, warnings = by_man(page)
    assert warnings == ""
    assert f"{page.stem} - " in " ".join(text.split())
    assert by_mandoc(page) == []


def test_a_page_shows_what_help_shows() -> None:
    page = next(page for page in PAGES if page.stem == "lowlat-bench")
    text, _ = by_man(page)
    shown = run(Path(sys.executable).with_name("lowlat"), "bench", "--help").stdout
    options = set(re.findall(r"--[a-z][a-z-]+", shown))
    assert len(options) > 30 and options <= set(re.findall(r"--[a-z][a-z-]+", text))
    assert "lowlat bench -p deep -n 5M --cpu 3      100,000 live orders, measured on CPU 3" in text
    assert re.search(r"^   Order flow$", text, re.MULTILINE)


def test_warnings_are_seen(tmp_path: Path) -> None:
    page = tmp_path / "broken.1"
    page.write_text(BROKEN)
    assert "NOSUCH" in by_man(page)[1]
    assert len(by_mandoc(page)) == 2


def test_a_line_that_looks_like_a_request_is_text(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "tools/generate"))
    try:
        import man_pages
    finally:
        sys.path.pop(0)
    page = tmp_path / "text.1"
    lines = [".SH is no request", "'br nor this", 'C:\\new "quoted" --dash `tick` ~tilde ^hat']
    body = "\n.br\n".join(man_pages._line(line) for line in lines)
    page.write_text(f'.TH TEXT 1 "" "lowlat" "manual"\n.SH NAME\ntext \\- a page\n.SH TEXT\n{body}\n')
    text, warnings = by_man(page)
    assert warnings == "" and by_mandoc(page) == []
    for line in lines:
        assert f"       {line}\n" in text
