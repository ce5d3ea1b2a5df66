"""Names from files, programs and symbols are shown, but cannot control the user's terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lowlat.engine import JournaledEngine
from tests.hostile import HOSTILE, SHOWN, assert_harmless
from tests.integration.conftest import Run, Terminal

COLORS = re.compile(r"\x1b\[[0-9;]*m")
PROGRESS = re.compile(r"\x1b\[(?:\?25[lh]|2K|1A)|\r")
"""Escape sequences that rich itself writes: for color, and to redraw a bar."""
NAME = "\x1b]0;owned\x07\x9b31m\u202e[red]"
SHOWN_NAME = r"\x1b]0;owned\x07\x9b31m\u202e[red]"
WIDE = 4_000


@pytest.fixture
def report(once: Run, tmp_path: Path) -> Path:
    """A report in which profile, processor, notes and commit are hostile."""
    path = tmp_path / "report.json"
    done = once("bench", "--profile", "steady", "--commands", "2000", "--runs", "2", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    document["workload"]["profile"] = document["host"]["cpu"] = document["tool"]["git"] = HOSTILE
    document["workload"]["notes"] = [HOSTILE]
    path.write_text(json.dumps(document))
    return path


def seen(text: str) -> str:
    """The text on the terminal, without our own colors."""
    plain = PROGRESS.sub("\n", COLORS.sub("", text))
    assert_harmless(plain)
    return plain


def test_a_report(report: Path, on_terminal: Terminal) -> None:
    assert seen(on_terminal(WIDE, "report", report, raw=True)).count(SHOWN) == 2
    assert seen(on_terminal(WIDE, "report", "-v", report, raw=True)).count(SHOWN) == 3


@pytest.mark.slow
@pytest.mark.parametrize("output", ["md", "csv", "openmetrics", "gobench", "junit", "github", "bmf"])
def test_other_formats_of_it(report: Path, on_terminal: Terminal, output: str) -> None:
    text = on_terminal(200, "report", report, "--to", output, raw=True)
    seen(text.replace("FORGED", "") if output == "csv" else text)  # in whose fields, in quotes, line feeds have a place


def test_a_comparison_and_a_history(report: Path, on_terminal: Terminal) -> None:
    other, document = report.with_name("other.json"), json.loads(report.read_bytes())
    for run in document["runs"]:
        run["started"] = f"2100{run['started'][4:]}"  # the same run on both sides is refused
    other.write_text(json.dumps(document))
    assert SHOWN in seen(on_terminal(WIDE, "compare", report, other, "--plot", raw=True))
    assert SHOWN in seen(on_terminal(WIDE, "report", "--history", report.parent, raw=True))


def test_json_on_a_terminal_has_the_exact_text(report: Path, on_terminal: Terminal, lowlat: Run) -> None:
    text = on_terminal(200, "report", report, "--json", raw=True)
    assert_harmless(text)
    assert json.loads(text)["host"]["cpu"] == HOSTILE
    assert json.loads(lowlat("report", report, "--json").stdout) == json.loads(text)


def test_a_captured_host(on_terminal: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "host"
    for name, text in {
        "proc/cpuinfo": f"processor : 0\nmodel name : {NAME}\n",
        "proc/sys/kernel/osrelease": NAME,
        "proc/self/status": "Cpus_allowed_list: 0\n",
        "sys/devices/system/cpu/online": "0\n",
        "sys/devices/system/cpu/cpu0/topology/core_cpus": "1\n",
        "sys/devices/system/cpu/cpu0/cache/index0/type": NAME,
        "sys/devices/system/cpu/cpu0/cache/index0/level": "1\n",
        "sys/devices/system/cpu/isolated": NAME,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    assert seen(on_terminal(WIDE, "topology", "--root", folder, raw=True)).count(SHOWN_NAME) >= 2


def test_books_of_a_folder(on_terminal: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / NAME
    folder.mkdir(mode=0o700)
    assert SHOWN_NAME in seen(on_terminal(WIDE, "book", "--dir", folder, raw=True))
    (folder / "AAPL.book").write_text(NAME)
    (folder / "AAPL.book").chmod(0o600)
    (folder / f"{NAME}.book").write_text("")
    text = seen(on_terminal(WIDE, "book", "--dir", folder, raw=True))
    assert "AAPL" in text and "owned" not in text.replace("owned\\x07", "").replace("]0;owned", "")


def test_a_journal_and_its_name(on_terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.journal"
    JournaledEngine.create(path).close()
    assert SHOWN_NAME in seen(on_terminal(WIDE, "journal", "verify", path, raw=True))
    seen(on_terminal(WIDE, "journal", "dump", path, raw=True))


def test_commands_that_are_compared(on_terminal: Terminal) -> None:
    hostile = f"printf '{NAME}'"
    text = on_terminal(WIDE, "ab", "--runs", "2", "--metric", "wall", "--", hostile, "--", "true", raw=True)
    assert SHOWN_NAME in seen(text)


@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_an_error_that_quotes_it(lowlat: Run, tmp_path: Path, debug: list[str]) -> None:
    path = tmp_path / f"{NAME}.json"
    path.write_text(f'{{"schema": "{HOSTILE}"}}'.replace("\n", "\\n").replace("\r", "\\r"))
    done = lowlat("report", path, *debug)
    assert (done.returncode, done.stdout) == (2, "")
    assert_harmless(done.stderr)
    assert SHOWN_NAME in done.stderr and done.stderr.endswith("\n")
