"""The page of jitter: a point for each gap that the document holds, few enough for a small file on any machine."""

from __future__ import annotations

import dataclasses

import pytest

from lowlat.reports.model.jitter import LONGEST_MIN, LONGEST_TOTAL, Jitter, JitterCause, longest_kept
from lowlat.reports.page.html import ROWS_MAX, to_html
from lowlat.reports.page.jitter_charts import TIMELINES_MAX, of_cpus
from lowlat.reports.terminal import jitter_lines
from tests.hostile import HOSTILE as CONTROLS
from tests.jitter_by_hand import every, watched
from tests.page import HOSTILE, Page

TIMER, SWITCH, UNKNOWN = 0, 1, -1
FOUND = watched(
    [*every(100_000_000, 5_000, TIMER), *every(40_000_000, 400, UNKNOWN)], every(200_000_000, 7_000_000, SWITCH), []
)


def test_every_gap_is_a_point_at_its_time_and_length_in_the_series_of_its_cause() -> None:
    charts = of_cpus(FOUND)
    assert set(charts) == {"cpu-0", "cpu-1", "by-cpu"}, "CPU 2 has no gap"
    for cpu in FOUND.cpus[:2]:
        chart = charts[f"cpu-{cpu.cpu}"]
        assert chart is not None
        drawn = {(each.name, round(point.x * 1e9), point.y) for each in chart.series for point in each.points}
        assert drawn == {(gap.cause, gap.at_ns, gap.length_ns) for gap in cpu.longest}
        assert all(0 <= chart.x.at(point.x) <= 100 for each in chart.series for point in each.points)


def test_a_cause_has_the_same_color_in_every_chart_and_unexplained_ones_are_open() -> None:
    timers, gaps = every(100_000_000, 5_000, TIMER), every(40_000_000, 400, UNKNOWN)
    charts = of_cpus(watched([*timers, *gaps], gaps))
    colors = [{each.name: each.color for each in chart.series} for chart in charts.values() if chart][:2]
    assert colors[0]["unexplained"] == colors[1]["unexplained"] != colors[0]["timer interrupt"]
    chart = charts["cpu-0"]
    assert chart is not None
    marks = {each.name: {point.mark for point in each.points} for each in chart.series}
    assert marks == {"unexplained": {"open"}, "timer interrupt": {"circle"}}


def test_the_tables_are_those_of_the_terminal() -> None:
    cpus, causes = Page(to_html(FOUND)).tables
    assert [row[0] for row in cpus[1:]] == ["0", "1", "2"]
    assert [tuple(row) for row in causes[1:]] == jitter_lines.cause_rows(FOUND)
    assert [row[0] for row in causes[1:]] == ["another thread", "timer interrupt", "unexplained"]


def test_the_page_says_which_gaps_it_shows() -> None:
    """Each gap is longer than the one before: the later half is shown."""
    text = Page(to_html(watched(every(1_000_000, 400, UNKNOWN)))).text
    assert "The 500 longest of 1,000 gaps of CPU 0, 900 ns or more" in text
    assert "Every gap of CPU 1" in Page(to_html(FOUND)).text


@pytest.mark.parametrize(("cpus", "kept"), [(1, 500), (4, 500), (5, 400), (100, 20), (8_192, 20), (0, 500)])
def test_few_gaps_are_kept_one_by_one(cpus: int, kept: int) -> None:
    assert longest_kept(cpus) == kept
    assert kept == LONGEST_MIN or kept * cpus <= LONGEST_TOTAL


@pytest.mark.parametrize("cpus", [1, 4, 40])
def test_a_page_of_many_gaps_is_small(cpus: int) -> None:
    gaps = every(100_000, 1_400_000_000, UNKNOWN, 0.1) if cpus > 4 else every(100_000, 1_400_000_000, UNKNOWN)
    found = watched(*[gaps] * cpus)
    names = tuple(JitterCause(cause=f"interrupt {at}", gaps=1, lost_ns=1, p50_ns=1, max_ns=1) for at in range(999))
    found = dataclasses.replace(found, cpus=(dataclasses.replace(found.cpus[0], causes=names), *found.cpus[1:]))
    page = to_html(found)
    assert len(page.encode()) < 1_000_000
    assert page.count("<figure") == 1 + min(cpus, TIMELINES_MAX)
    assert max(len(rows) for rows in Page(page).tables) == 1 + ROWS_MAX
    assert ("24 more CPUs that lost less" in page) == (cpus == 40)


def test_wake_ups_and_a_watch_without_gaps_have_a_page() -> None:
    quiet = Page(to_html(watched([])))
    assert quiet.tooltips == {}
    assert "What takes the CPU" in quiet.text
    late = dataclasses.replace(FOUND.cpus[0], causes=(), longest=(), watched_ns=None, lost_ns=None, missed=3)
    found = dataclasses.replace(FOUND, mode="wakeups", interval_ns=1_000_000, status="interrupted", cpus=(late,))
    page = Page(to_html(found))
    assert set(page.tooltips) == {"by-cpu"}
    assert "How late a sleeping thread wakes up" in page.text
    assert "Interrupted: partial results." in page.text


def _named(found: Jitter, name: str) -> Jitter:
    (first, *others) = found.cpus
    gaps = tuple(dataclasses.replace(gap, cause=name, moved=(name,)) for gap in first.longest)
    causes = tuple(dataclasses.replace(each, cause=name) for each in first.causes)
    named = dataclasses.replace(first, longest=gaps, causes=causes)
    return dataclasses.replace(found, platform=name, missing=(name,), cpus=(named, *others))


def test_a_name_cannot_become_markup_or_control_a_terminal() -> None:
    """A device's name comes from its driver."""
    plain, attacked = Page(to_html(FOUND)), Page(to_html(_named(FOUND, HOSTILE)))
    assert (attacked.scripts[1], attacked.style) != ("", "")
    assert attacked.scripts[1] == plain.scripts[1]
    assert not [tag for tag, _ in attacked.elements if tag == "img"]
    assert attacked.text.count(HOSTILE) >= 3
    page = to_html(_named(FOUND, CONTROLS))
    assert "\\x1b[2J" in page
    assert not set(page) & (set(CONTROLS) - set(" []/:\n") - set(map(chr, range(32, 127))))


def test_nothing_is_fetched() -> None:
    page = Page(to_html(FOUND))
    assert not [tag for tag, attributes in page.elements if "src" in attributes]
    assert {a["href"] for _, a in page.elements if not (a.get("href") or "#mark-").startswith("#mark-")} == {"data:,"}
