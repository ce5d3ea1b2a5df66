"""Transfers between CPUs in every format: each holds the times of the document, and what was not measured."""

from __future__ import annotations

import csv
import dataclasses

from rich.console import Console

from lowlat.reports.model.cores import CorePair, Cores
from lowlat.reports.outputs.registry import outputs_of, texts_of
from lowlat.reports.terminal.cores_lines import matrix as rows_of
from lowlat_cli.views.cores import cores_view
from tests.cores_by_hand import matrix
from tests.page import Page

FOUND = matrix(0, 2, 3)
NOTHING = CorePair(first=0, second=3, status="not measured", blocks=0, min_ns=None, median_ns=None)
ROWS = [["0", "", "55", "65"], ["2", "50", "", "45"], ["3", "60", "40", ""]]
"""Below the diagonal minima, above it medians."""
GAP = [["0", "", "55", "-"], ["2", "50", "", "45"], ["3", "-", "40", ""]]


def with_a_gap() -> Cores:
    return dataclasses.replace(FOUND, pairs=(FOUND.pairs[0], NOTHING, FOUND.pairs[2]))


def drawn(found: Cores) -> str:
    console = Console(width=100, file=None, record=True, color_system="truecolor", force_terminal=True)
    with console.capture() as captured:
        console.print(*cores_view(found), sep="\n")
    return captured.get()


def test_the_formats() -> None:
    assert outputs_of("cores") == ("md", "html", "csv")


def test_a_row_for_each_pair() -> None:
    head, *rows = csv.reader(texts_of(with_a_gap())["csv"]().splitlines())
    assert head == ["first", "second", "status", "blocks", "min_ns", "median_ns"]
    assert rows == [
        ["0", "2", "ok", "200", "50.0", "55.0"],
        ["0", "3", "not measured", "0", "", ""],
        ["2", "3", "ok", "200", "40.0", "45.0"],
    ]


def test_the_matrix_in_markdown() -> None:
    for found, rows in ((FOUND, ROWS), (with_a_gap(), GAP)):
        lines = texts_of(found)["md"]().splitlines()
        shown = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
        assert shown[0] == ["CPU", "0", "2", "3"]
        assert shown[2:] == rows
    assert "- note: -: not measured" in texts_of(with_a_gap())["md"]()


def test_the_matrix_in_a_page_is_darker_for_longer_times() -> None:
    page = Page(texts_of(FOUND)["html"]())
    assert page.tables[0][1:] == ROWS
    classes = [attributes.get("class") for tag, attributes in page.elements if tag == "td"]
    assert classes == [None, "heat-4", "heat-7", "heat-3", None, "heat-1", "heat-6", "heat-0", None]
    assert "guest view" in page.text and "guest view" not in Page(texts_of(matrix(0, 1, guest=False))["html"]()).text
    assert Page(texts_of(with_a_gap())["html"]()).tables[0][1:] == GAP


def test_a_single_pair_and_a_stopped_watch() -> None:
    """One time has no range; the pairs that were not reached are said."""
    one = dataclasses.replace(FOUND, status="interrupted", pairs=FOUND.pairs[:1])
    assert [cell.heat for _, cells in rows_of(one) for cell in cells if cell.text not in ("", "-")] == [1.0, 0.0]
    same = dataclasses.replace(FOUND.pairs[0], median_ns=50.0)
    flat = dataclasses.replace(one, pairs=(same,))
    assert {cell.heat for _, cells in rows_of(flat) for cell in cells} == {None, 0.0}
    for text in (texts_of(one)["md"](), texts_of(one)["html"](), drawn(one)):
        assert "interrupted" in text.lower()


def test_the_terminal_shows_the_same_matrix_in_color() -> None:
    text = drawn(FOUND)
    assert "\x1b[30;48;2;255;0;90m65" in text, "the longest is red"
    assert "\x1b[30;48;2;0;255;90m40" in text, "the shortest is green"
    assert "16 of 64 CPUs, evenly spread" in drawn(matrix(*range(16), chosen=64)).replace("\n", " ")
