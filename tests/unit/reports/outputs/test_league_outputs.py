"""A league on a terminal, as Markdown, CSV and a page."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from fractions import Fraction

import pytest
from rich.console import Console

from lowlat.reports.model.league import League
from lowlat.reports.model.report import Report
from lowlat.reports.outputs.league_csv import COLUMNS, to_csv
from lowlat.reports.outputs.league_markdown import to_markdown
from lowlat.reports.page.html import to_html
from lowlat.reports.terminal.league_table import render_league
from tests.leagues import judged, league_with, wrong
from tests.scaled_reports import scaled


@pytest.fixture(scope="module")
def league(report: Report) -> League:
    """Four engines on three flows: as many as `lowlat league A.so B.so native reference` has by default."""
    base = judged(report)
    slow = scaled(base, Fraction(400))
    slow = replace(slow, workload=replace(slow.workload, commands=5_000))
    of_flow = {"native": base, "libmine.so": scaled(base, Fraction(2)), "libbroken.so": wrong(base), "reference": slow}
    return league_with({"steady": of_flow, "deep": of_flow, "many-symbols": of_flow | {"libmine.so": None}})


def shown(league: League, width: int, *, every: bool = False) -> list[str]:
    console = Console(width=width, file=io.StringIO(), force_terminal=True, no_color=True, color_system=None)
    render_league(league, console, every=every)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return [line.rstrip() for line in text.splitlines()]


@pytest.mark.parametrize("width", [80, 100])
def test_the_default_fits_a_screen_whole(league: League, width: int) -> None:
    lines = shown(league, width)
    assert len(lines) <= 24 and max(map(len, lines)) <= width
    rows = [line.split() for line in lines]
    # Each engine on each flow and once below, in a row of its own; none is cut.
    for name in ("native", "libmine.so", "libbroken.so"):
        assert sum(row[:1] == [name] for row in rows) == 4
    assert sum(row[:1] in (["reference"], ["reference*"]) for row in rows) == 4
    assert "…" not in "".join(lines)


def test_rows_say_what_is_wrong_or_missing(league: League) -> None:
    lines = shown(league, 100)
    assert lines[0] == "INVALID: discard the figures of libbroken.so"
    assert [" ".join(line.split()[1:]) for line in lines if line.startswith("libbroken.so")] == [
        *["INVALID: executes other trades from event 7 on"] * 3,
        "WRONG 64 B - -",
    ]
    assert any(line.split() == ["libmine.so", "lacks", "SYMBOLS"] for line in lines)
    assert "* fewer commands of the same flow, to end in time: reference 5,000" in lines
    (whole,) = {line for line in shown(league, 200, every=True) if "price 101 instead of 100" in line}
    assert whole.startswith("libbroken.so")


def test_the_fastest_comes_first_and_the_base_is_the_first_named(league: League, report: Report) -> None:
    base = judged(report)
    found = league_with({"steady": {"slow": scaled(base, Fraction(3)), "fast": base}})
    rows = [line.split() for line in shown(found, 100)]
    names = [row[0] for row in rows if row and row[0] in ("slow", "fast")]
    assert names == ["fast", "slow", "slow", "fast"]  # by time; then the engines as named
    assert next(row for row in rows if row[:1] == ["slow"])[-1] == "base"
    assert next(row for row in rows if row[:1] == ["fast"])[-2] == "0.33x"


def test_csv_has_a_row_for_each_engine_on_each_flow(league: League) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(league))))
    assert len(rows) == 12 and tuple(rows[0]) == COLUMNS
    by_name = {(row["profile"], row["engine"]): row for row in rows}
    assert float(by_name["steady", "libmine.so"]["ratio"]) == pytest.approx(2, rel=1e-3)
    assert by_name["deep", "libbroken.so"]["outcome"] == "other events"
    assert by_name["deep", "libbroken.so"]["batched_cpu_ns"] == ""
    assert by_name["many-symbols", "libmine.so"]["reason"] == "SYMBOLS"
    assert {row["bytes_per_order"] for row in rows} == {"64.0"}


def test_markdown_and_page_have_every_engine_and_why_one_has_no_figures(league: League) -> None:
    markdown, page = to_markdown(league), to_html(league)
    for text in (markdown, page):
        assert text.count("lacks SYMBOLS") == 1
        assert text.count("price 101 instead of 100") >= 3
    assert "| libmine.so |" in markdown and "#### many-symbols" in markdown
    assert "the fastest engine of each flow on top" in page and "Engines on many-symbols" in page
    assert "steady: libmine.so" in page  # a row of the chart


HOSTILE = "=cmd|'<script>alert(1)</script>\x1b[31m"


def test_names_of_others_stay_text(report: Report) -> None:
    found = league_with({"steady": {HOSTILE: judged(report), "none": None}})
    assert "<script>alert(1)" not in to_html(found) and "\x1b" not in to_html(found)
    assert "\x1b" not in "".join(shown(found, 100)) and "<script>" not in to_markdown(found)
    assert next(csv.DictReader(io.StringIO(to_csv(found))))["engine"].startswith("'=cmd")
