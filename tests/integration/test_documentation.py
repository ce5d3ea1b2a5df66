"""Everything that the documentation tells people to type works: Python runs, files load, commands parse, links resolve.

`make docs` builds the pages themselves in strict mode; README.md is not part of that.
"""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from lowlat.engine import load_profile
from lowlat_cli.app import app
from lowlat_cli.session import Session
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r'^(?P<indent> *)```(?P<language>\w+)(?: title="(?P<title>.*?)")?\n(?P<body>.*?)^ *```$', re.M | re.S
)
LINK = re.compile(r"\]\((?P<target>[^)#:]+)(?:#[^)]*)?\)")
SHELL_END = re.compile(r"\s(?:#|\||>|&|\d>)")
SOURCE_FILE = re.compile(
    r"\b((?:lowlat|lowlat_cli|engine|probes|reports|tests|tools)/[\w./-]+\.(?:py|hpp|cpp|h|sh|toml))\b"
)
LISTED = re.compile(r"^<!-- insert: api (?P<module>\S+) (?P<names>.*) -->$", re.MULTILINE)


def blocks(page: Path, language: str, title: str | None = None) -> list[str]:
    """The contents of a page's code blocks in a language."""
    found = [match for match in BLOCK.finditer(page.read_text(encoding="utf-8")) if match["language"] == language]
    return [match["body"] for match in found if title is None or match["title"] == title]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=named)
def test_python_blocks_run_and_print_what_the_page_says(page: Path, tmp_path: Path) -> None:
    """The blocks of a page are one program, as a reader would paste them."""
    program = "\n".join(blocks(page, "python"))
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", program],
        cwd=tmp_path,
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "".join(blocks(page, "text", "Output"))


def test_c_stands_only_where_it_is_compiled() -> None:
    """`tests/native/test_c_interface.py` builds and runs this page's program."""
    assert [named(page) for page in PAGES if blocks(page, "c")] == ["docs/how-to/use-from-c.md"]


def test_profiles_load(tmp_path: Path) -> None:
    page = ROOT / "docs/how-to/write-a-profile.md"
    for name in ("mine.toml", "arrivals.toml"):
        (body,) = blocks(page, "toml", name)
        (tmp_path / name).write_text(body, encoding="utf-8")
        assert load_profile(str(tmp_path / name)).name == Path(name).stem


def test_settings_are_understood(tmp_path: Path) -> None:
    (body,) = blocks(ROOT / "docs/reference/configuration.md", "toml", "lowlat.toml")
    (tmp_path / "lowlat.toml").write_text(body, encoding="utf-8")
    program = Path(sys.executable).with_name("lowlat")
    # Settings of all verbs are checked, whichever runs.
    done = subprocess.run([program, "calibrate", "--json"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def command_lines() -> list[tuple[str, str]]:
    """Each call of `lowlat` in a shell block or workflow, with the page it is on."""
    return [
        (named(page), line.strip())
        for page in PAGES
        for language in ("sh", "yaml")
        for body in blocks(page, language)
        for line in body.splitlines()
        if line.strip().startswith("lowlat ")
    ]


@pytest.mark.parametrize(("page", "line"), command_lines())
def test_command_lines_parse(page: str, line: str) -> None:
    words = shlex.split(SHELL_END.split(line)[0])
    parse(words[1:])


def parse(arguments: list[str]) -> None:
    """Parse a command line as `lowlat` does, without running it. Raises for an unknown option."""
    command, context, name = get_command(app), None, "lowlat"
    while True:
        context = command.make_context(name, arguments, parent=context, obj=Session())
        if not isinstance(command, TyperGroup):
            return
        name, command, arguments = command.resolve_command(context, [*context._protected_args, *context.args])


def test_a_command_line_that_does_not_exist_would_be_found() -> None:
    with pytest.raises(Exception, match="No such option"):
        parse(["bench", "--none"])


def test_there_are_command_lines() -> None:
    assert len(command_lines()) > 40


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 250
    targets = [match["target"] for match in LINK.finditer(text)]
    assert len(targets) > 20
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_readme_lists_every_verb() -> None:
    listed = re.findall(r"^\| `lowlat (\w+)` \|", README.read_text(encoding="utf-8"), re.MULTILINE)
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    assert listed == list(command.commands)


def test_files_that_are_named_exist() -> None:
    """Paths from the root of the repository, on every page and in CONTRIBUTING.md."""
    pages = [*PAGES, ROOT / "CONTRIBUTING.md"]
    named_files = {(named(page), path) for page in pages for path in SOURCE_FILE.findall(page.read_text("utf-8"))}
    assert len(named_files) > 40
    assert sorted(where for where in named_files if not (ROOT / where[1]).exists()) == []


@pytest.mark.parametrize(
    "module",
    [
        "lowlat.engine",
        "lowlat.engine.rings",
        "lowlat.engine.shared_book",
        "lowlat.reports.profiler",
    ],
)
def test_every_public_name_has_a_place(module: str) -> None:
    pages = sorted((ROOT / "docs/reference/python").glob("*.md"))
    asked = [match for page in pages for match in LISTED.finditer(page.read_text(encoding="utf-8"))]
    patterns = [name for match in asked if match["module"] == module for name in match["names"].split()]
    public = importlib.import_module(module).__all__
    assert [name for name in public if not any(fnmatchcase(name, pattern) for pattern in patterns)] == []
    assert [name for name in patterns if "*" not in name and name not in public] == []


def test_every_shown_block_has_output() -> None:
    for page in PAGES:
        empty = re.findall(r"<!-- shows: (.*) -->\n<!-- end -->", page.read_text(encoding="utf-8"))
        assert empty == [], named(page)
