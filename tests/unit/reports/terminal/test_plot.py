"""The chart on a terminal is legible at small sizes, without colors and in plain ASCII."""

from __future__ import annotations

import dataclasses
import io
import math
import re
from fractions import Fraction

import pytest
from rich.console import Console

from lowlat.errors import InputError
from lowlat.reports.compare.compare import WALL, Samples, Sides, samples_of, samples_of_each
from lowlat.reports.histogram.histogram import merge
from lowlat.reports.histogram.percentile_curve import by_side
from lowlat.reports.model.report import Report
from lowlat.reports.model.series import histogram_of, summarize
from lowlat.reports.model.sweep import Sweep
from lowlat.reports.terminal.plot import plot, render_plot
from tests.scaled_reports import scaled


@pytest.fixture(scope="session")
def sides(report: Report) -> Sides:
    """The report, and the same four times as long: only steep columns hold marks of both."""
    return Sides(_one(report, "base.json"), _one(scaled(report, Fraction(4)), "head.json"))


def _one(report: Report, label: str) -> Samples:
    return samples_of([report], label, [label])


def _only(report: Report, op: str) -> Report:
    """The report with only one operation."""
    runs = tuple(
        dataclasses.replace(run, series=tuple(each for each in run.series if each.op == op)) for run in report.runs
    )
    return dataclasses.replace(report, runs=runs, summary=summarize(runs))


@pytest.mark.parametrize("width", [60, 80, 110])
def test_nothing_is_wider_than_asked(report: Report, swept: Sweep, sides: Sides, width: int) -> None:
    for document in (report, swept, sides):
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
    """A single line from 10 ns to 1 ms: from the bottom of the first column to the top of the last."""
    alone = dataclasses.replace(report, summary=report.summary[:1])
    rows = [
        line.split("│")[-2] if line.count("│") > 1 else line[7:] for line in plot(alone).splitlines() if "·" in line
    ]
    marks = [(row, column) for row, line in enumerate(rows) for column, mark in enumerate(line) if mark == "·"]
    assert min(column for _, column in marks) == 0
    top, bottom = min(marks), max(marks)
    assert top[1] > bottom[1]


def test_ascii_where_there_is_nothing_else(report: Report, swept: Sweep, sides: Sides) -> None:
    for document in (report, swept, sides):
        text = plot(document, ascii_only=True)
        assert text.isascii()
        assert " us+" in text or document is swept
        assert "?" not in text
    assert plot(report, ascii_only=True).splitlines()[-1] == ". all  x add  o cancel  + market"
    assert plot(sides, ascii_only=True).splitlines()[-1] == ". base  x head"


def test_a_console_without_box_characters_gets_ascii(report: Report) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    render_plot(report, Console(file=stream, width=80))
    stream.seek(0)
    assert "100 us" in stream.read()


def _luminance(code: int) -> float:
    """Relative luminance (WCAG 2.2) of one of the 216 colors from 16 on, whose shades terminals' themes leave alone."""
    levels = (0, 95, 135, 175, 215, 255)
    shades = (levels[(code - 16) // step % 6] / 255 for step in (36, 6, 1))
    linear = [shade / 12.92 if shade <= 0.03928 else ((shade + 0.055) / 1.055) ** 2.4 for shade in shades]
    return sum(weight * shade for weight, shade in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrasts(code: int) -> tuple[float, float]:
    """To white, and to black."""
    return 1.05 / (_luminance(code) + 0.05), (_luminance(code) + 0.05) / 0.05


def test_every_line_is_legible_on_white_and_on_black(report: Report) -> None:
    lines = tuple(dataclasses.replace(report.summary[1], op=f"op{index}") for index in range(8))
    drawn = plot(dataclasses.replace(report, summary=lines), color=True)
    codes = {int(code) for code in re.findall(r"\x1b\[38;5;(\d+)m", drawn)}
    assert len(codes) == 7, "the eighth line has the terminal's own color"
    assert all(min(_contrasts(code)) >= 4 for code in codes)
    assert min(_contrasts(226)) < 4, "bright yellow would not do"


def test_color_only_where_wanted(report: Report) -> None:
    def shown(**options: object) -> str:
        stream = io.StringIO()
        render_plot(report, Console(file=stream, width=80, force_terminal=True, **options))  # type: ignore[arg-type]
        return stream.getvalue()

    assert "\x1b[" in shown(color_system="standard")
    assert "\x1b[" not in shown(color_system=None, no_color=True)
    assert "\x1b[" not in plot(report)


def test_a_sweep_is_latency_by_rate_with_its_objective_and_answer(swept: Sweep) -> None:
    text = plot(swept)
    assert text.splitlines()[0].strip() == "response time by rate"
    assert text.splitlines()[-1] == "· p50  x p99  ○ p99.9  + p99 limit  ▪ highest rate"
    rows = text.splitlines()[1:-1]
    assert max(row.count("+") for row in rows) > 40, "a line across"
    assert len({row.index("▪") for row in rows if "▪" in row}) == 1, "a line up"
    assert "2.00 M/s" in text


def test_an_undecided_answer_is_two_lines_up(undecided: Sweep) -> None:
    """It is known to lie between them."""
    assert plot(undecided).splitlines()[-1] == "· p50  x p99  ○ p99.9  + p99 limit  ▪ above  ◇ below"


def test_both_sides_are_in_one_picture_told_apart_by_shape(sides: Sides) -> None:
    """Four times as long is 0.6 of a decade; 16 rows show six decades, so the head's marks are 1 to 2 rows higher."""
    first, *rows, _, _, legend = plot(sides).splitlines()
    assert first.strip() == "service of all operations by percentile, head drawn on top of base"
    assert legend == "· base  x head"
    marks = {shape: _heights(rows, shape) for shape in "·x"}
    shared = sorted(marks["·"].keys() & marks["x"].keys())
    assert len(shared) > 40
    assert all(1 <= max(marks["·"][column]) - max(marks["x"][column]) <= 2 for column in shared[:20])


def _heights(rows: list[str], shape: str) -> dict[int, list[int]]:
    """The rows of a mark in each column, from the top."""
    found: dict[int, list[int]] = {}
    for row, line in enumerate(rows):
        for column, mark in enumerate(line):
            if mark == shape:
                found.setdefault(column, []).append(row)
    return found


def test_a_side_is_all_samples_of_all_its_runs(report: Report) -> None:
    """For any set of reports: a comparison's table shows medians over runs, the chart the merged histograms."""
    whole = merge(histogram_of(run.series[0]) for run in report.runs for _ in range(2))
    for side in (samples_of([report, report], "a", []), samples_of_each([report, report], "a", [])):
        base, head = by_side(Sides(side, side))
        assert (base.name, head.name) == ("base", "head")
        assert base.points == head.points
        values = {point.percent: point.value_ns for point in base.points}
        assert [values[p] for p in ("50", "99", "100")] == [
            *(each.value_ns for each in whole.percentiles(["50", "99"])),
            whole.max_ns,
        ]
        assert base.points[-1].nines == pytest.approx(math.log10(120_000))


def test_the_sides_are_drawn_by_what_gates(report: Report, swept: Sweep) -> None:
    """Response times if there are any; all operations, or the only one."""
    assert Sides(_one(swept.points[0], "a"), _one(swept.points[1], "b")).main_series() == ("all", "response")
    alone = _only(report, "cancel")
    title = plot(Sides(_one(alone, "a"), _one(report, "b"))).splitlines()[0]
    assert title.strip() == "service of cancel by percentile, head drawn on top of base"


def test_sides_without_a_latency_in_common_say_so(report: Report) -> None:
    other = Sides(_one(_only(report, "add"), "a"), _one(_only(report, "cancel"), "b"))
    assert plot(other) == "the two sides have no latency series in common: nothing to plot"
    timed = Samples("A: true", ("true",), ({WALL: 1e6},))
    assert plot(Sides(timed, timed)) == "elapsed times of commands have no histogram: nothing to plot"


def test_a_damaged_histogram_is_named_by_its_side(report: Report, sides: Sides) -> None:
    series = dataclasses.replace(report.runs[1].series[0], hdr="HISTFAAAAB")
    run = dataclasses.replace(report.runs[1], series=(series,))
    damaged = _one(dataclasses.replace(report, runs=(report.runs[0], run)), "head.json")
    with pytest.raises(InputError, match=r"^head\.json: "):
        plot(Sides(sides.base, damaged))


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
