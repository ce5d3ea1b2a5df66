"""The picture on a terminal must be legible where that is small, colourless or without any character but ASCII."""

from __future__ import annotations

import dataclasses
import io

import pytest
from rich.console import Console

from reports.model import Report
from reports.plot import plot, render_plot
from reports.sweep import Sweep


@pytest.mark.parametrize("width", [60, 80, 110])
def test_nothing_is_wider_than_asked(report: Report, swept: Sweep, width: int) -> None:
    for document in (report, swept):
        lines = plot(document, width=width).splitlines()
        assert width - 2 <= max(map(len, lines)) <= width


def test_axes_and_names_are_there(report: Report) -> None:
    text = plot(report)
    first, *rows, ticks, label, legend = text.splitlines()
    assert first.strip() == "service by percentile"
    assert ticks.split() == ["p50", "p90", "p99", "p99.9", "p99.99"]  # 60,000 samples
    assert label.strip() == "percentile"
    assert legend == "· all  x add  ○ cancel  + market"
    up = [row.split("┤")[0].strip() for row in rows if "┤" in row]
    assert up == ["10 ms", "1 ms", "100 µs", "10 µs", "1 µs", "100 ns", "10 ns", "1 ns"]


def test_a_line_ends_at_the_maximum(report: Report) -> None:
    """A single line from 10 ns to 1 ms: in the first column of the canvas at the bottom, in the last at the top."""
    alone = dataclasses.replace(report, summary=report.summary[:1])
    rows = [
        line.split("│")[-2] if line.count("│") > 1 else line[7:] for line in plot(alone).splitlines() if "·" in line
    ]
    marks = [(row, column) for row, line in enumerate(rows) for column, mark in enumerate(line) if mark == "·"]
    assert min(column for _, column in marks) == 0
    top, bottom = min(marks), max(marks)
    assert top[1] > bottom[1]


def test_ascii_where_there_is_nothing_else(report: Report, swept: Sweep) -> None:
    for document in (report, swept):
        text = plot(document, ascii_only=True)
        assert text.isascii()
        assert " us+" in text or document is swept
        assert "?" not in text
    assert plot(report, ascii_only=True).splitlines()[-1] == ". all  x add  o cancel  + market"


def test_a_console_without_box_characters_gets_ascii(report: Report) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    render_plot(report, Console(file=stream, width=80))
    stream.seek(0)
    assert "100 us" in stream.read()


def test_colour_only_where_wanted(report: Report) -> None:
    def shown(**options: object) -> str:
        stream = io.StringIO()
        render_plot(report, Console(file=stream, width=80, force_terminal=True, **options))  # type: ignore[arg-type]
        return stream.getvalue()

    assert "\x1b[" in shown(color_system="standard")
    assert "\x1b[" not in shown(color_system=None, no_color=True)
    assert "\x1b[" not in plot(report)


def test_a_sweep_is_latency_over_throughput(swept: Sweep) -> None:
    text = plot(swept)
    assert text.splitlines()[0].strip() == "response time over throughput"
    assert text.splitlines()[-1] == "· p50  x p99  ○ p99.9"
    assert "2.00 M/s" in text


def test_a_long_or_unprintable_name_does_no_harm(report: Report) -> None:
    named = [dataclasses.replace(report.summary[0], op=name) for name in ("\x1b[2J", "o" * 300, "a\nb")]
    text = plot(dataclasses.replace(report, summary=tuple(named)))
    assert text.splitlines()[-1] == "· \\x1b[2J  x ooooooooooooo...  ○ a\\nb"


def test_the_legend_takes_as_many_rows_as_it_needs(report: Report) -> None:
    named = [dataclasses.replace(report.summary[0], op=f"operation-{index:04}") for index in range(9)]
    text = plot(dataclasses.replace(report, summary=tuple(named)))
    assert [len(line.split("  ")) for line in text.splitlines()[-3:]] == [4, 4, 1]


def test_without_latencies_it_says_so(report: Report) -> None:
    empty = dataclasses.replace(report, summary=(), runs=())
    assert plot(empty) == "no latency was measured: nothing to plot"


def test_drawing_twice_gives_the_same(report: Report, swept: Sweep) -> None:
    before = plot(report)
    plot(swept)
    assert plot(report) == before
