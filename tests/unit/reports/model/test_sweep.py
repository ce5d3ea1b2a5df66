"""The answer of a sweep is where its runs put it, in every view and after loading."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from rich.console import Console

from lowlat.documents import published
from lowlat.errors import FormatError, NotValidError
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.compare.history import history_of
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.io.json_codec import from_text, sweep_from_document, sweep_from_text, to_document, to_text
from lowlat.reports.io.loader import read
from lowlat.reports.model.objective import DEFAULT_RULE, Objective
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Run, Throughput
from lowlat.reports.model.series import series_of, summarize
from lowlat.reports.model.sweep import ANSWER_RULE, Sweep, missed, outcome, sweep_of, typical, undecided_runs, verdict
from lowlat.reports.terminal.latency_table import FOOTNOTE
from lowlat.reports.terminal.sweep_table import render_sweep

MISSED = "reached 12.0 M/s of the 16.0 M/s asked"
LIMIT_NS = 1_000
OBJECTIVES = (Objective(percentile="99", limit_ns=LIMIT_NS),)
COMMANDS = 2_000
Point = Callable[..., Report]


def _run_at(run: Run, index: int, p99_ns: int, late_ns: int) -> Run:
    """A run of 2,000 commands: 1,970 responses of 100 ns, 29 of `p99_ns`, one of a millisecond; service in 50 ns."""
    response, service = Recorder(), Recorder()
    response.record_many(np.array([100] * 1_970 + [p99_ns] * 29 + [1_000_000]))
    service.record_many(np.array([50] * COMMANDS))
    recorded = (("response", response), ("service", service))
    return dataclasses.replace(
        run,
        number=index + 1,
        late_ns=late_ns,
        throughput=Throughput.of(COMMANDS, 1_000_000, 1_000_000),
        series=tuple(series_of("all", name, Histogram.from_native(each)) for name, each in recorded),
    )


@pytest.fixture
def point(report: Report) -> Point:
    """Makes a valid open-loop report: at a million commands per second, its runs with these p99s in nanoseconds."""

    def make(rate_m: float, *p99s_ns: int, late_ns: int = 0, **changes: Any) -> Report:
        p99s_ns = p99s_ns if len(p99s_ns) > 1 else p99s_ns * 3
        runs = tuple(_run_at(report.runs[0], index, p99_ns, late_ns) for index, p99_ns in enumerate(p99s_ns))
        load = dataclasses.replace(report.load, model="open", target_rate=rate_m * 1e6, achieved_rate=rate_m * 1e6)
        return dataclasses.replace(report, load=load, runs=runs, summary=summarize(runs), **changes)

    return make


@pytest.fixture
def too_fast(point: Point) -> Report:
    """16 M/s requested, 12 M/s reached: invalid only for that reason."""
    slow = point(16, 500, late_ns=100_000_000, status="invalid", status_reasons=(MISSED,))
    return dataclasses.replace(slow, load=dataclasses.replace(slow.load, missed=(MISSED,), achieved_rate=12e6))


@pytest.fixture
def sweep(point: Point, too_fast: Report) -> Sweep:
    return swept(point(1, 200), point(4, 300), point(8, 500), point(10, 2_000), too_fast)


def swept(*points: Report, **changes: Any) -> Sweep:
    return sweep_of(points, **{"objectives": OBJECTIVES, **changes})


def test_the_answer_is_where_p99_crosses_its_limit(sweep: Sweep) -> None:
    """Half the limit at 8 M/s, twice the limit at 10 M/s: the limit at their geometric mean."""
    assert (sweep.answer.bound, sweep.answer.confidence) == ("within", 0.95)
    assert sweep.answer.rate == pytest.approx(math.sqrt(80) * 1e6, rel=0.01)
    assert (sweep.answer.lower, sweep.answer.upper) == (pytest.approx(8e6), pytest.approx(10e6))
    assert sweep.answer_rule == ANSWER_RULE
    assert (sweep.status, sweep.status_reasons) == ("ok", ())


def test_a_noisy_run_decides_nothing(point: Point, sweep: Sweep) -> None:
    stalled = swept(point(1, 200, 200, 3_000_000), point(4, 300), point(8, 500, 900_000, 500), point(10, 2_000))
    assert stalled.answer.rate == pytest.approx(sweep.answer.rate)
    assert [outcome(stalled, each) for each in stalled.points] == ["meets", "meets", "meets", "exceeds"]


def test_a_rate_that_was_not_sustained_exceeds_any_objective(too_fast: Report, point: Point) -> None:
    assert too_fast.summary[0].percentiles["99"].value < LIMIT_NS
    made = swept(point(1, 200), too_fast)
    assert (made.status, made.answer.bound, made.answer.upper) == ("ok", "within", pytest.approx(16e6))
    assert verdict(made, made.points[1]) == "not sustained in 3 of 3"


def test_every_rate_and_no_rate_are_answers_too(point: Point) -> None:
    every = swept(point(1, 200), point(4, 300)).answer
    assert (every.bound, every.rate, every.lower, every.upper) == ("at least", 4e6, pytest.approx(4e6), None)
    none = swept(point(1, 2_000), point(4, 3_000)).answer
    assert (none.bound, none.rate, none.lower, none.upper) == ("below", 1e6, None, pytest.approx(1e6))


def test_one_run_a_rate_has_no_confidence(point: Point) -> None:
    single = [dataclasses.replace(each, runs=each.runs[:1]) for each in (point(1, 200), point(4, 3_000))]
    assert swept(*single).answer.confidence is None


def preempted(point: Report) -> Report:
    """Each run waited for its CPU for 9 ms of 10, left out, and came back once to cold caches: all of its own
    millisecond may be spoiled.
    """
    runs = tuple(
        dataclasses.replace(
            run,
            waited_ns=9_000_000,
            os_noise=dataclasses.replace(
                run.os_noise, wall_ns=10_000_000, off_cpu_ns=9_000_000, involuntary_switches=1
            ),
        )
        for run in point.runs
    )
    return dataclasses.replace(point, runs=runs)


def test_a_preempted_run_that_meets_its_objective_counts(point: Point, sweep: Sweep) -> None:
    busy = swept(*map(preempted, sweep.points[:3]), *sweep.points[3:])
    assert busy.answer == sweep.answer and undecided_runs(busy) == 0


def test_a_preempted_run_that_exceeds_it_says_nothing(point: Point, sweep: Sweep) -> None:
    """Between 8 and 12 M/s, nothing is known of 10 M/s: only the interval is."""
    made = swept(*sweep.points[:3], preempted(point(10, 2_000)), point(12, 2_000))
    assert (made.answer.bound, made.answer.rate, made.answer.confidence) == ("undecided", None, None)
    assert (made.answer.lower, made.answer.upper) == (8e6, 12e6)
    assert [outcome(made, each) for each in made.points[2:]] == ["meets", "undecided", "exceeds"]
    assert verdict(made, made.points[3]) == "undecided (0 of 3)" and undecided_runs(made) == 3
    assert made.status == "inconclusive"
    assert made.status_reasons == (
        "not measurable here: in 3 runs at 10.0 M/s, other programs had the engine's CPU for 90% of the time, or "
        "slowed it down; free a CPU for it (lowlat affinity) or raise its priority (chrt -f 1)",
    )


def test_undecided_rates_elsewhere_or_in_a_narrow_gap_leave_the_answer(point: Point, sweep: Sweep) -> None:
    lower = swept(preempted(point(1, 2_000)), *sweep.points[1:])
    assert (lower.answer.bound, lower.status) == ("within", "ok")
    narrow = swept(*sweep.points[:3], preempted(point(9, 2_000)), point(10, 2_000))
    assert narrow.answer.bound == "within" and narrow.answer.rate == pytest.approx(sweep.answer.rate)


def test_without_a_decided_run_nothing_is_known(point: Point) -> None:
    made = swept(preempted(point(1, 2_000)), preempted(point(4, 3_000)))
    assert (made.answer.bound, made.answer.lower, made.answer.upper) == ("undecided", None, None)
    assert "in 6 runs at 1.00 M/s to 4.00 M/s" in made.status_reasons[0]


def test_undecided_rates_beyond_the_decided_ones_leave_a_side_open(point: Point) -> None:
    above = swept(point(1, 200), preempted(point(4, 3_000))).answer
    assert (above.bound, above.lower, above.upper) == ("undecided", 1e6, None)
    below = swept(preempted(point(1, 2_000)), point(4, 3_000)).answer
    assert (below.bound, below.lower, below.upper) == ("undecided", None, 4e6)


def test_some_undecided_runs_are_counted_beside_the_others(point: Point) -> None:
    mixed = point(4, 2_000, 300, 300)
    runs = (preempted(mixed).runs[0], *mixed.runs[1:])
    made = swept(point(1, 200), dataclasses.replace(mixed, runs=runs))
    assert verdict(made, made.points[1]) == "meets (2 of 3, 1 undecided)"
    assert (made.answer.bound, made.answer.confidence) == ("at least", None), "two runs have no confidence"


def test_a_status_that_hides_an_undecided_answer_is_refused(point: Point) -> None:
    made = swept(point(1, 200), preempted(point(4, 3_000)))
    assert sweep_from_text(to_text(made)) == made
    document = to_document(made) | {"status": "ok", "status_reasons": []}
    with pytest.raises(NotValidError, match=r"the status of a sweep is ok \(\), but its answer is undecided"):
        sweep_from_document(document)
    told = to_document(made)
    told["answer"] |= {"bound": "below", "rate": 1e6}
    told["status"] = "ok"
    with pytest.raises(NotValidError, match=r"the answer of a sweep is below .* but its runs give undecided"):
        sweep_from_document(told)


def test_every_objective_must_be_met(point: Point) -> None:
    both = (*OBJECTIVES, Objective(percentile="99.9", limit_ns=1_200))
    points = point(1, 200), point(4, 900), point(8, 1_250)
    assert swept(*points).answer.rate < swept(*points, objectives=OBJECTIVES[:1]).answer.rate * 1.0001
    stricter = (*OBJECTIVES, Objective(percentile="99.9", limit_ns=LIMIT_NS))
    assert swept(*points, objectives=stricter).answer.rate <= swept(*points, objectives=both).answer.rate


def test_without_objectives_the_default_comes_from_the_service_time(point: Point) -> None:
    """1,000 times 50 ns."""
    made = sweep_of([point(1, 200), point(4, 60_000)])
    assert made.objectives == (Objective(percentile="99", limit_ns=50_000),)
    assert made.objective_rule == DEFAULT_RULE and made.answer.bound == "within"
    assert swept(point(1, 200)).objective_rule == "requested"


def test_a_percentile_is_that_of_the_lower_quartile_run(point: Point) -> None:
    found = typical(point(1, 300, 200, 900_000), "99")
    assert found is not None and found.value == 200 and found.beyond == 20
    assert typical(point(1, 200), "98") is None


def test_the_order_of_the_runs_is_kept(point: Point) -> None:
    points = point(1, 200), point(4, 300)
    assert swept(*points).order == (0, 0, 0, 1, 1, 1)
    assert swept(*points, order=[1, 0, 0, 1, 1, 0], seed=7).order == (1, 0, 0, 1, 1, 0)
    with pytest.raises(NotValidError, match="order does not name each run of the sweep once: 6"):
        swept(*points, order=[1, 0, 0, 1, 1, 1])


def test_a_missed_rate_is_how_a_sweep_ends(too_fast: Report, point: Point) -> None:
    assert missed(too_fast)
    assert not missed(point(1, 200))
    assert swept(point(1, 200), too_fast).status == "ok"


def test_a_sweep_of_rates_that_were_all_missed_has_an_answer(too_fast: Report) -> None:
    made = swept(too_fast)
    assert (made.status, made.answer.bound, made.answer.rate) == ("ok", "below", 16e6)


@pytest.mark.parametrize("also_missed", [False, True])
def test_a_point_not_valid_for_another_reason_spoils_the_sweep(point: Point, also_missed: bool) -> None:
    reasons = ("digest differs", *((MISSED,) if also_missed else ()))
    wrong = point(8, 500, status="invalid", status_reasons=reasons)
    wrong = dataclasses.replace(wrong, load=dataclasses.replace(wrong.load, missed=reasons[1:]))
    made = swept(point(1, 200), wrong)
    assert made.status == "invalid"
    assert made.status_reasons == (f"at 8.00 M/s: {'; '.join(reasons)}",)


def test_an_interrupted_sweep_says_how_far_it_came(point: Point) -> None:
    assert swept(point(1, 200), interrupted=True).status_reasons == ("interrupted at 1 rate",)
    stopped = point(4, 200, status="interrupted", status_reasons=("interrupted after 1 of 5 runs",))
    made = swept(point(1, 200), stopped)
    assert (made.status, made.status_reasons) == ("interrupted", ("interrupted at 2 rates",))


INTERRUPTED = "interrupted after 1 of 5 runs"


@pytest.mark.parametrize("name", ["", "a.json: "])
def test_a_missed_rate_that_was_interrupted_too_is_an_interruption(point: Point, too_fast: Report, name: str) -> None:
    """As on a busy host: the runs before the Ctrl-C came too late, but nothing is wrong with them."""
    stopped = dataclasses.replace(too_fast, status_reasons=(MISSED, f"{name}{INTERRUPTED}"))
    assert missed(stopped)
    made = swept(point(1, 200), stopped)
    assert (made.status, made.status_reasons) == ("interrupted", ("interrupted at 2 rates",))


@pytest.mark.parametrize("other", ["digest differs", "the interrupted engine differs"])
def test_an_interruption_excuses_nothing_else(point: Point, too_fast: Report, other: str) -> None:
    reasons = (MISSED, other, INTERRUPTED)
    assert not missed(dataclasses.replace(too_fast, status_reasons=reasons))
    assert swept(point(1, 200), dataclasses.replace(too_fast, status_reasons=reasons)).status == "invalid"


def test_a_rate_that_could_not_be_measured_leaves_the_others(point: Point) -> None:
    made = swept(point(1, 200), point(4, 200), interrupted=True, failure="at 8.00 M/s: a run's process was killed")
    assert (made.status, made.status_reasons) == ("invalid", ("at 8.00 M/s: a run's process was killed",))
    assert len(made.points) == 2 and made.answer.bound == "at least"


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
        ({"objectives": []}, "objectives"),
        ({"objectives": [{"percentile": "99", "limit_ns": 0}]}, "limit_ns"),
        ({"objectives": [{"percentile": "99", "limit_ns": math.nan}]}, "limit_ns"),
        ({"objectives": [{"percentile": "98", "limit_ns": 9}]}, "p98 is not a percentile"),
        ({"answer": None}, "answer"),
        ({"answer_rule": None}, "answer_rule"),
        ({"status": "fine"}, "status"),
    ],
)
def test_a_broken_sweep_is_rejected(sweep: Sweep, change: dict[str, object], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        sweep_from_document(to_document(sweep) | change)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"objectives": [{"percentile": "99", "limit_ns": 100}]}, "the answer of a sweep is within 8"),
        ({"objective_rule": DEFAULT_RULE}, "not those of their rule: p99 ≤ 1.00 µs"),
        ({"order": [0, 1, 2]}, "order does not name each run of the sweep once: 15"),
        ({"order": [0] * 15}, "order does not name each run of the sweep once: 15"),
        (
            {"status": "invalid"},
            "the status of a sweep is invalid (), but its answer is within, and its points give ok ()",
        ),
        ({"status_reasons": ["interrupted at 5 rates"]}, "its points give interrupted (interrupted at 5 rates)"),
        (
            {"status_reasons": ["a", "b"]},
            "the status of a sweep is ok (a; b), but its answer is within, and its points",
        ),
    ],
)
def test_a_sweep_that_its_points_contradict_is_not_valid(sweep: Sweep, change: dict[str, object], said: str) -> None:
    with pytest.raises(NotValidError) as refused:
        sweep_from_document(to_document(sweep) | change)
    assert said in str(refused.value)


def test_a_file_of_a_sweep_that_contradicts_itself_is_named(sweep: Sweep, tmp_path: Path) -> None:
    """And ends with 3, as that of a report does. Among saved reports it is skipped, as every sweep is."""
    file = tmp_path / "sweep.json"
    file.write_text(json.dumps(to_document(sweep) | {"status": "invalid"}))
    with pytest.raises(NotValidError, match=r"sweep\.json: the status of a sweep is invalid"):
        read(file)
    (skipped,) = history_of(tmp_path).skipped
    assert skipped.file == "sweep.json" and skipped.reason.startswith("the status of a sweep is invalid")


@pytest.mark.parametrize(
    "change", [{"rate": 4e6}, {"lower": 1e6}, {"upper": None}, {"bound": "at least"}, {"confidence": 0.99}]
)
def test_an_answer_that_is_not_that_of_the_runs_is_rejected(sweep: Sweep, change: dict[str, object]) -> None:
    document = to_document(sweep)
    sweep_from_document(document)
    with pytest.raises(NotValidError, match=r"the answer of a sweep is .*, but its runs give within 89"):
        sweep_from_document(document | {"answer": document["answer"] | change})


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
    assert row(text, "4.00 M/s") == "4.00 M/s 4.00 M/s 100 ns 300 ns 300 ns* 1.00 ms meets (3 of 3)"
    assert row(text, "10.0 M/s") == "10.0 M/s 10.0 M/s 100 ns 2.00 µs 2.00 µs* 1.00 ms exceeds (0 of 3)"
    assert row(text, "16.0 M/s").startswith("16.0 M/s 12.0 M/s 100 ns 500 ns 500 ns* 1.00 ms not sustained")
    assert FOOTNOTE in plain(text)
    assert "…" not in text
    assert max(map(len, plain(text).splitlines())) <= 80


def words(text: str) -> str:
    return " ".join(plain(text).split())


def test_the_answer_is_told_with_objective_and_interval(sweep: Sweep) -> None:
    text = words(shown(sweep))
    assert "objective p99 ≤ 1.00 µs highest rate 8.94 M/s (95% interval: 8.00 M/s to 10.0 M/s)" in text
    assert text.endswith("runs 15 runs in random order")


def test_an_answer_out_of_the_range_says_so(point: Point) -> None:
    every = words(shown(swept(point(1, 200), point(4, 300))))
    assert "at least 4.00 M/s: no higher rate was measured (95% interval: above 4.00 M/s)" in every
    none = words(shown(swept(point(1, 2_000), point(4, 3_000))))
    assert "below 1.00 M/s: the lowest rate exceeds the objective (95% interval: below 1.00 M/s)" in none


def test_an_undecided_answer_is_no_number(point: Point) -> None:
    text = words(shown(swept(point(1, 200), preempted(point(4, 3_000)), point(8, 3_000))))
    assert "INCONCLUSIVE: not measurable here: in 3 runs at 4.00 M/s" in text
    assert "highest rate not measurable here, only that it is 1.00 M/s to 8.00 M/s" in text
    assert "while the engine had its CPU, in the lower-quartile run" in text
    assert re.search(
        r"9 runs in random order; other programs had the CPU for \d+% of the time, left out; 3 undecided", text
    )


def test_a_default_objective_says_where_it_comes_from(point: Point) -> None:
    assert f"p99 ≤ 50.0 µs, the default: {DEFAULT_RULE}" in words(shown(sweep_of([point(1, 200)])))


def test_what_is_wrong_with_a_sweep_is_said_below_it(point: Point) -> None:
    text = shown(swept(point(1, 200), point(8, 500, status="invalid", status_reasons=("digest differs",))))
    assert row(text, "8.00 M/s").endswith("invalid")
    assert "INVALID: discard these results: at 8.00 M/s: digest differs" in words(text)
