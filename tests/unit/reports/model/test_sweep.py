"""The knee of a sweep is where the figures put it, or is missing."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import re
from collections.abc import Callable
from typing import Any

import jsonschema
import numpy as np
import pytest
from rich.console import Console

from lowlat.documents import published
from lowlat.errors import FormatError
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.io.json_codec import from_text, sweep_from_document, sweep_from_text, to_document, to_text
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Run
from lowlat.reports.model.series import series_of, summarize
from lowlat.reports.model.sweep import KNEE_RULE, Sweep, knee, missed, sweep_of
from lowlat.reports.terminal.latency_table import FOOTNOTE
from lowlat.reports.terminal.sweep_table import render_sweep

MISSED = "reached 12.0 M/s of the 16.0 M/s asked"
Point = Callable[..., Report]


def _series_at(run: Run, p99_ns: int) -> Run:
    """A run of 2,000 commands: 1,970 responses of 100 ns, 29 of `p99_ns`, one of a millisecond."""
    recorder = Recorder()
    recorder.record_many(np.array([100] * 1_970 + [p99_ns] * 29 + [1_000_000]))
    return dataclasses.replace(run, series=(series_of("all", "response", Histogram.from_native(recorder)),))


@pytest.fixture
def point(report: Report) -> Point:
    """Makes a valid open-loop report: at a million commands per second, with this p99 in nanoseconds."""

    def make(rate_m: float, p99_ns: int, achieved_m: float | None = None, **changes: Any) -> Report:
        reached = (rate_m if achieved_m is None else achieved_m) * 1e6
        runs = (_series_at(report.runs[0], p99_ns),)
        load = dataclasses.replace(report.load, model="open", target_rate=rate_m * 1e6, achieved_rate=reached)
        return dataclasses.replace(report, load=load, runs=runs, summary=summarize(runs), **changes)

    return make


@pytest.fixture
def too_fast(point: Point) -> Report:
    """16 M/s requested, 12 M/s reached: invalid only for that reason."""
    slow = point(16, 900_000, 12, status="invalid", status_reasons=(MISSED,))
    return dataclasses.replace(slow, load=dataclasses.replace(slow.load, missed=(MISSED,)))


@pytest.fixture
def sweep(point: Point, too_fast: Report) -> Sweep:
    return sweep_of([point(1, 200), point(4, 300), point(8, 500), point(10, 4_000), too_fast])


def test_the_knee_is_where_rate_over_p99_is_greatest(sweep: Sweep) -> None:
    """1/200, 4/300, 8/500 and 10/4000 commands per microsecond per nanosecond: the third."""
    assert sweep.knee == 2
    assert sweep.knee_rule == KNEE_RULE
    assert (sweep.status, sweep.status_reasons) == ("ok", ())


def test_the_knee_takes_the_rate_reached_and_not_the_one_asked(point: Point) -> None:
    assert knee([point(4, 300), point(8, 500, achieved_m=6)]) == 0


def test_of_equal_power_the_lower_rate_is_the_knee(point: Point) -> None:
    assert knee([point(2, 200), point(4, 400), point(1, 400)]) == 0


def test_a_point_that_is_not_valid_is_no_knee_however_good_it_looks(point: Point, too_fast: Report) -> None:
    assert knee([point(1, 900), point(16, 100, status="invalid")]) == 0
    assert knee([too_fast]) is None


def test_a_point_without_response_times_is_no_knee(point: Point, report: Report) -> None:
    closed = dataclasses.replace(point(4, 100), summary=report.summary)
    assert knee([closed]) is None


def test_a_missed_rate_is_how_a_sweep_ends(too_fast: Report, point: Point) -> None:
    assert missed(too_fast)
    assert not missed(point(1, 200))
    assert sweep_of([point(1, 200), too_fast]).status == "ok"


def test_a_sweep_without_a_valid_point_is_not_valid(too_fast: Report) -> None:
    made = sweep_of([too_fast])
    assert (made.status, made.status_reasons, made.knee) == ("invalid", ("none of 1 rate is valid",), None)


@pytest.mark.parametrize("also_missed", [False, True])
def test_a_point_not_valid_for_another_reason_spoils_the_sweep(point: Point, also_missed: bool) -> None:
    reasons = ("digest differs", *((MISSED,) if also_missed else ()))
    wrong = point(8, 500, status="invalid", status_reasons=reasons)
    wrong = dataclasses.replace(wrong, load=dataclasses.replace(wrong.load, missed=reasons[1:]))
    made = sweep_of([point(1, 200), wrong])
    assert made.status == "invalid"
    assert made.status_reasons == (f"at 8.00 M/s: {'; '.join(reasons)}",)
    assert made.knee == 0


def test_an_interrupted_sweep_says_how_far_it_came(point: Point) -> None:
    assert sweep_of([point(1, 200)], interrupted=True).status_reasons == ("interrupted at 1 rate",)
    stopped = point(4, 200, status="interrupted", status_reasons=("interrupted after 1 of 5 runs",))
    made = sweep_of([point(1, 200), stopped])
    assert (made.status, made.status_reasons, made.knee) == ("interrupted", ("interrupted at 2 rates",), 1)


def test_a_rate_that_could_not_be_measured_leaves_the_others(point: Point) -> None:
    made = sweep_of([point(1, 200), point(4, 200)], interrupted=True, failure="at 8.00 M/s: a run's process was killed")
    assert (made.status, made.status_reasons) == ("invalid", ("at 8.00 M/s: a run's process was killed",))
    assert len(made.points) == 2 and made.knee == 1


def test_points_that_are_no_sweep_are_refused(point: Point, report: Report) -> None:
    with pytest.raises(FormatError, match="a point at least"):
        sweep_of([])
    with pytest.raises(FormatError, match="open loop"):
        sweep_of([report])
    with pytest.raises(FormatError, match=r"do not rise: \[4000000.0, 4000000.0\]"):
        sweep_of([point(4, 200), point(4, 200)])


def test_there_and_back(sweep: Sweep) -> None:
    text = to_text(sweep)
    assert sweep_from_text(text) == sweep
    jsonschema.Draft202012Validator(published("lowlat.sweep/1", closed=True)).validate(json.loads(text))


def test_a_point_is_a_whole_report(sweep: Sweep) -> None:
    document = to_document(sweep)
    assert from_text(json.dumps(document["points"][1])) == sweep.points[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": "lowlat.report/1"}, "not a lowlat.sweep/1 document"),
        ({"points": []}, "points"),
        ({"knee": 5}, "knee is 5, but there are only 5 points"),
        ({"knee": -1}, "knee"),
        ({"knee_rule": None}, "knee_rule"),
        ({"status": "fine"}, "status"),
    ],
)
def test_a_broken_sweep_is_rejected(sweep: Sweep, change: dict[str, object], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        sweep_from_document(to_document(sweep) | change)


def test_a_broken_point_is_rejected(sweep: Sweep) -> None:
    document = copy.deepcopy(to_document(sweep))
    document["points"][3]["load"]["sent"] = -1
    with pytest.raises(FormatError, match=r"points.*sent"):
        sweep_from_document(document)


def test_a_report_is_no_sweep_nor_a_sweep_a_report(report: Report, sweep: Sweep) -> None:
    with pytest.raises(FormatError, match=r"not a lowlat\.sweep/1"):
        sweep_from_text(to_text(report))
    with pytest.raises(FormatError, match=r"not a lowlat\.report/1"):
        from_text(to_text(sweep))


def shown(sweep: Sweep, *, width: int = 80, no_color: bool = True) -> str:
    stream = io.StringIO()
    render_sweep(sweep, Console(file=stream, width=width, force_terminal=True, no_color=no_color))
    return stream.getvalue()


def plain(text: str) -> str:
    """The text without the codes for bold and dim, which remain when color is off."""
    return re.sub("\x1b\\[[0-9;]*m", "", text)


def row(text: str, rate: str) -> str:
    return " ".join(next(line for line in plain(text).splitlines() if line.strip().startswith(rate)).split())


def test_a_rate_is_a_row_that_80_columns_hold(sweep: Sweep) -> None:
    text = shown(sweep)
    assert row(text, "4.00 M/s") == "4.00 M/s 4.00 M/s 100 ns 300 ns 300 ns* 1.00 ms"
    assert row(text, "8.00 M/s") == "8.00 M/s 8.00 M/s 100 ns 500 ns 500 ns* 1.00 ms knee"
    assert row(text, "16.0 M/s") == "16.0 M/s 12.0 M/s 100 ns 900 µs 900 µs* 1.00 ms invalid: rate missed"
    assert FOOTNOTE in plain(text)
    assert "…" not in text
    assert max(map(len, plain(text).splitlines())) <= 80


def test_the_knee_is_told_in_words_and_in_color(sweep: Sweep) -> None:
    assert "knee 8.00 M/s, the valid point of greatest power" in " ".join(plain(shown(sweep)).split())
    assert "\x1b[1;32m" in shown(sweep, no_color=False)


def test_a_knee_at_the_highest_rate_may_not_be_one(sweep: Sweep) -> None:
    assert "no higher rate was tried" in " ".join(shown(sweep_of(sweep.points[:3])).split())
    assert "no higher rate was tried" not in " ".join(shown(sweep).split())


def test_what_is_wrong_with_a_sweep_is_said_below_it(point: Point) -> None:
    text = shown(sweep_of([point(1, 200), point(8, 500, status="invalid", status_reasons=("digest differs",))]))
    assert row(text, "8.00 M/s").endswith("invalid: see below")
    assert "INVALID: discard these results: at 8.00 M/s: digest differs" in " ".join(plain(text).split())


def test_without_a_valid_point_there_is_no_knee(too_fast: Report) -> None:
    assert "none: no valid point" in shown(sweep_of([too_fast]))
