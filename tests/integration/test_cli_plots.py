"""Charts on request: under the table or as a page, and the messages when they are not possible."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lowlat.errors import ExitCode

Run = Callable[..., subprocess.CompletedProcess[str]]

SHORT = ("bench", "--commands", "2k", "--runs", "1")
NO_EXTRA = "import sys; sys.modules['jinja2'] = None"


def test_a_chart_under_the_table_and_a_page_in_the_file(lowlat: Run, tmp_path: Path) -> None:
    done = lowlat(*SHORT, "--plot", "-o", "report.html")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "lowlat: wrote report.html\n")
    table, chart = done.stdout.split("service by percentile")
    assert "\nverified" in table
    assert [word for word in chart.split() if word in {"p50", "p90", "p99"}] == ["p50", "p90", "p99"]
    assert chart.splitlines()[-1].endswith("all")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and page.endswith("</html>\n")


def test_the_kernel_command_line_is_on_a_page_with_verbose_only(lowlat: Run, tmp_path: Path) -> None:
    lowlat(*SHORT, "-o", "report.json")
    for asked, shown in (((), False), (("-v",), True)):
        page = lowlat("report", "report.json", *asked, "--to", "html").stdout
        assert page.startswith("<!doctype html>")
        assert ("kernel command line" in page) is shown


def test_a_sweep_has_a_chart_too(lowlat: Run) -> None:
    done = lowlat("bench", "--sweep", "100k:200k:2", "--commands", "1k", "--runs", "1", "--plot")
    assert "response time by rate" in done.stdout


def test_a_stream_of_ascii_gets_ascii_and_needs_no_extra(patched: Run) -> None:
    done = patched(NO_EXTRA, *SHORT, "--plot", env={"PYTHONIOENCODING": "ascii"})
    _, chart = done.stdout.split("service by percentile")
    assert chart.isascii() and "?" not in chart
    assert "100 ns+" in chart


def test_json_stays_one_document_and_loads_nothing_to_draw_with(lowlat: Run) -> None:
    done = lowlat(*SHORT, "--plot", "--json", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert json.loads(done.stdout)["schema"] == "lowlat.report/1"
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "lowlat.reports.io.json_codec" in loaded
    assert loaded.isdisjoint({"plotext", "jinja2"})


def test_without_the_extra_it_ends_before_the_run(patched: Run, tmp_path: Path) -> None:
    done = patched(NO_EXTRA, *SHORT, "-o", "report.html")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert "needs jinja2, which is not installed: pip install 'lowlat[html]'" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["bench", "replay", "report", "compare", "ab"])
def test_help_names_both(lowlat: Run, verb: str) -> None:
    text = lowlat(verb, "--help").stdout
    assert "--plot" in text and "*.html" in text


def test_the_verbs_without_a_page_refuse_to_write_one(lowlat: Run, tmp_path: Path) -> None:
    done = lowlat("topology", "-o", "t.html")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert "-o t.html: no html is written here; name it *.json, or *.txt for the table" in done.stderr
    assert list(tmp_path.iterdir()) == []
