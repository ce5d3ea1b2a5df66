"""What the documentation names exists: files load, commands parse, links resolve, every public name has a place.

`test_documented_commands.py` runs what it tells people to type. `make docs` builds the pages themselves in strict mode;
README.md is not part of that.
"""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup

from lowlat.engine import load_profile
from lowlat_cli.app import command_line
from lowlat_cli.session import Session
from tests.documented import PAGES, README, ROOT, blocks, named

LINK = re.compile(r"\]\((?P<target>[^)#:]+)(?:#[^)]*)?\)")
SHELL_END = re.compile(r"\s(?:#|\||>|&|\d>)")
SOURCE_FILE = re.compile(
    r"\b((?:lowlat|lowlat_cli|engine|probes|reports|tests|tools)/[\w./-]+\.(?:py|hpp|cpp|h|sh|toml))\b"
)
LISTED = re.compile(r"^<!-- insert: api (?P<module>\S+) (?P<names>.*) -->$", re.MULTILINE)


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


def examples(command: Any) -> list[str]:
    """The examples in the help of a command and of those beneath it, without what they are good for."""
    beneath = list(command.commands.values()) if isinstance(command, TyperGroup) else []
    lines = re.findall(r"^ +(lowlat .*)$", command.help or "", re.MULTILINE)
    return [*(re.split(" {2,}", line)[0] for line in lines), *(line for each in beneath for line in examples(each))]


def command_lines() -> list[tuple[str, str]]:
    """Each call of `lowlat` in a shell block or workflow, with the page it is on, and in the examples of `--help`."""
    return [("--help", line) for line in examples(command_line())] + [
        (named(page), line.strip())
        for page in PAGES
        for language in ("sh", "yaml")
        for body in blocks(page, language)
        for line in body.splitlines()
        if line.strip().startswith("lowlat ")
    ]


@pytest.mark.parametrize(("page", "line"), command_lines())
def test_command_lines_parse(page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(SHELL_END.split(line)[0].replace("$$", "1"))
    monkeypatch.chdir(tmp_path)
    for library in (word for word in words if word.endswith(".so")):  # which is looked for
        Path(library).parent.mkdir(parents=True, exist_ok=True)
        Path(library).touch()
    parse(words[1:])


def parse(arguments: list[str]) -> None:
    """Parse a command line as `lowlat` does, without running it. Raises for an unknown option."""
    command, context, name = command_line(), None, "lowlat"
    while True:
        context = command.make_context(name, arguments, parent=context, obj=Session())
        if not isinstance(command, TyperGroup):
            return
        name, command, arguments = command.resolve_command(context, [*context._protected_args, *context.args])


def test_a_command_line_that_does_not_exist_would_be_found() -> None:
    with pytest.raises(Exception, match="No such option"):
        parse(["bench", "--none"])


def test_there_are_command_lines() -> None:
    assert len(command_lines()) > 150


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 250
    targets = [match["target"] for match in LINK.finditer(text)]
    assert len(targets) > 20
    assert [target for target in targets if not (ROOT / target).exists()] == []


def linked_from(page: Path) -> set[Path]:
    return {(page.parent / match["target"]).resolve() for match in LINK.finditer(page.read_text(encoding="utf-8"))}


def test_every_page_is_linked() -> None:
    """From another page of the site, not only from its menu. The pages of verbs are in a list that is generated."""
    pages = [page for page in PAGES if page != README]
    linked = {target for page in pages for target in linked_from(page) - {page}}
    alone = [page for page in pages if page not in linked and page.parent.name != "commands"]
    assert [named(page) for page in alone] == ["docs/index.md"]


def test_every_guide_is_in_the_index_and_in_the_readme() -> None:
    guides = {*(ROOT / "docs/how-to").glob("*.md")} - {ROOT / "docs/how-to/index.md"}
    assert len(guides) > 10
    assert guides - linked_from(ROOT / "docs/how-to/index.md") == set()
    assert guides - linked_from(README) == set()


def test_the_readme_lists_every_verb() -> None:
    listed = re.findall(r"^\| `lowlat ([\w-]+)` \|", README.read_text(encoding="utf-8"), re.MULTILINE)
    command = command_line()
    assert isinstance(command, TyperGroup)
    assert listed == [name for name, each in command.commands.items() if not each.hidden]


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
