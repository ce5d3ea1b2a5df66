"""Objectives: which are refused, the default, and when a run meets them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from lowlat.errors import FormatError, UsageError
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.model.objective import (
    EXCESS_MAX,
    SERVICE_TIMES,
    Objective,
    check_objectives,
    check_samples,
    commands_needed,
    default_objectives,
    excess,
    kept_up,
)
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Run, Series, Throughput
from lowlat.reports.model.series import series_of

RATE = 1e6
COMMANDS = 1_000_000
"""A second at that rate."""


def objective(percentile: str, limit_ns: int) -> Objective:
    return Objective(percentile=percentile, limit_ns=limit_ns)


def series(measure: str, p99_ns: int) -> Series:
    """1,000 samples of 100 ns, the last 20 of `p99_ns`."""
    recorder = Recorder()
    recorder.record_many(np.array([100] * 980 + [p99_ns] * 20))
    return series_of("all", measure, Histogram.from_native(recorder))


@pytest.fixture
def run(report: Report) -> Run:
    """A run that kept up, with a p99 of 1,000 ns and a median service time of 100 ns."""
    return dataclasses.replace(
        report.runs[0],
        late_ns=0,
        throughput=Throughput.of(COMMANDS, 1_000_000_000, 1_000_000_000),
        series=(series("response", 1_000), series("service", 200)),
    )


@pytest.mark.parametrize(
    ("objectives", "said"),
    [
        ([], "at least one objective"),
        ([objective("98", 1)], "p98 is not a percentile of a report; use one of p50, p90, p95, p99, p99.9"),
        ([objective("x", 1)], "px is not a percentile"),
        ([objective("99", 5), objective("99", 6)], "p99 has two objectives; keep one"),
        ([objective("99.9", 50), objective("99", 60)], "p99 ≤ 60 ns and p99.9 ≤ 50 ns contradict each other"),
    ],
)
def test_objectives_that_are_none_are_refused(objectives: list[Objective], said: str) -> None:
    with pytest.raises(FormatError) as refused:
        check_objectives(objectives)
    assert said in str(refused.value)


def test_objectives_may_come_in_any_order_and_share_a_limit() -> None:
    check_objectives([objective("99.9", 50), objective("50", 10), objective("99", 50)])


def test_a_percentile_needs_samples_beyond_it() -> None:
    assert commands_needed([]) == 1_000
    assert commands_needed([objective("99", 9), objective("99.9", 9)]) == 10_000
    assert commands_needed([objective("99.999", 9)]) == 1_000_000
    check_samples([objective("99.9", 9)], 10_000)
    with pytest.raises(UsageError, match=r"--commands 9999 is too few for an objective on p99\.9.*at least 10,000"):
        check_samples([objective("99.9", 9)], 9_999)
    with pytest.raises(UsageError, match="on p99"):
        check_samples([], 999)


def test_the_default_is_a_multiple_of_the_median_service_time(run: Run) -> None:
    slower = dataclasses.replace(run, series=(series("response", 1_000), series("service", 200)))
    stalled = dataclasses.replace(run, series=(series_of("all", "service", constant(1_000_000)),))
    assert default_objectives([run, slower, stalled]) == (objective("99", SERVICE_TIMES * 100),)
    with pytest.raises(FormatError, match="no p50 of service time"):
        default_objectives([dataclasses.replace(run, series=(series("response", 1_000),))])


def constant(value_ns: int) -> Histogram:
    recorder = Recorder()
    recorder.record_many(np.array([value_ns] * 1_000))
    return Histogram.from_native(recorder)


def test_a_run_meets_its_objectives_up_to_the_limit_itself(run: Run) -> None:
    p99 = run.series[0].percentiles["99"].value
    assert excess(run, RATE, [objective("99", p99)]) == 0
    assert excess(run, RATE, [objective("99", p99 - 1)]) > 0
    assert excess(run, RATE, [objective("99", 2 * p99)]) == pytest.approx(-math.log(2))


def test_the_worst_of_several_objectives_counts(run: Run) -> None:
    assert excess(run, RATE, [objective("50", 200), objective("99", 500)]) == pytest.approx(math.log(2), rel=0.01)


def test_far_from_its_objective_a_run_only_votes(run: Run) -> None:
    assert excess(run, RATE, [objective("99", 1)]) == EXCESS_MAX
    assert excess(run, RATE, [objective("99", 10**9)]) == -EXCESS_MAX


def test_a_run_that_is_late_exceeds_any_objective(run: Run) -> None:
    """Late by more than 1% of its second, and 5 ms."""
    late = dataclasses.replace(run, late_ns=10_000_001)
    assert kept_up(dataclasses.replace(run, late_ns=10_000_000), RATE) and not kept_up(late, RATE)
    assert excess(late, RATE, [objective("99", 10**12)]) == EXCESS_MAX
    unknown = dataclasses.replace(run, late_ns=None)
    assert excess(unknown, RATE, [objective("99", 10**12)]) == EXCESS_MAX


def test_a_run_without_response_times_is_refused(run: Run) -> None:
    bare = dataclasses.replace(run, series=(series("service", 200),))
    with pytest.raises(FormatError, match="run 1 of a sweep has no p99 of response time"):
        excess(bare, RATE, [objective("99", 1)])
