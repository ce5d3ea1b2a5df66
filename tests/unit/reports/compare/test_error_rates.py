"""The error rates of the gate: false positives, and missed regressions.

With the estimator and the verdicts that are shipped, on simulated runs (`simulated_runs.py`) with a median of 50 ns and
a clock with steps of 10 ns. On the same data, commonly used gates must fail.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from statistics import NormalDist, median
from typing import Any

import pytest

from lowlat.reports.compare.interpolation import compared_percentiles
from lowlat.reports.compare.rank_test import SIGNIFICANT, p_value
from lowlat.reports.compare.verdict import Resolution, judge
from lowlat.reports.model.comparison import Metric, Verdict
from tests.unit.reports.compare.simulated_runs import PASSES, STEP_NS, Run, sessions

pytestmark = pytest.mark.slow  # hundreds of simulated comparisons

SESSIONS = 200
ALARMS_MAX = 0.05
FOUND_MIN = 0.90
CPU = Metric(name="cpu", measure=None, op=None)
P50, P99 = (Metric(name=name, measure="service", op="all") for name in ("p50", "p99"))
METRICS = (P50, P99, CPU)

Values = tuple[list[float], list[float]]
"""Of the runs of base and head, nanoseconds."""
Judge = Callable[[Metric, Values, Values], Verdict]
"""A gate: the verdict on a metric from the interpolated values, and from those of ceiling rank."""


@cache
def measured(
    number: int, factor: float, interleaved: bool, passes: int = PASSES
) -> list[dict[Metric, tuple[Values, Values]]]:
    """The interpolated and the plain values of each session. CPU time has no steps."""
    return [_values(base, head) for base, head in sessions(number, factor, interleaved=interleaved, passes=passes)]


def _values(base: list[Run], head: list[Run]) -> dict[Metric, tuple[Values, Values]]:
    found = {}
    for metric, percent in ((P50, 50.0), (P99, 99.0)):
        sides = [[run.latencies for run in side] for side in (base, head)]
        _, *interpolated = compared_percentiles(percent, sides[0], sides[1], STEP_NS)
        plain = [[each.of_rank(percent) for each in side] for side in sides]
        found[metric] = ((interpolated[0], interpolated[1]), (plain[0], plain[1]))
    cpu = [run.cpu_ns for run in base], [run.cpu_ns for run in head]
    return {**found, CPU: (cpu, cpu)}


def verdicts(
    gate: Judge, factor: float, *, interleaved: bool = True, number: int = SESSIONS, passes: int = PASSES
) -> list[list[Verdict]]:
    """For each session the verdicts on p50, p99 and CPU time."""
    sessions = measured(number, factor, interleaved, passes)
    return [[gate(metric, *session[metric]) for metric in METRICS] for session in sessions]


def share(of: Sequence[bool]) -> tuple[float, float, float]:
    """The share that is true, with its 95% interval (E. B. Wilson, 1927)."""
    number, z = len(of), NormalDist().inv_cdf(0.975)
    found = sum(of) / number
    middle, half = found + z * z / (2 * number), z * math.sqrt(found * (1 - found) / number + (z / (2 * number)) ** 2)
    return found, max(0.0, middle - half) / (1 + z * z / number), (middle + half) / (1 + z * z / number)


def alarms(gate: Judge, **how: Any) -> tuple[float, float, float]:
    """The share of A/A comparisons that fail by any metric."""
    return share(["regressed" in found for found in verdicts(gate, 1.0, **how)])


def power(gate: Judge, **how: Any) -> list[tuple[float, float, float]]:
    """The share of regressions of 20% that are found by p50, by p99, by CPU time."""
    found = verdicts(gate, 1.2, **how)
    return [share([session[index] == "regressed" for session in found]) for index in range(len(METRICS))]


def ours(metric: Metric, values: Values, _plain: Values, limit_percent: float = 10) -> Verdict:
    """As `lowlat ab` compares."""
    return judge(metric, *values, threshold_percent=limit_percent, gates=True, paired=True).verdict


def unpaired(metric: Metric, values: Values, _plain: Values) -> Verdict:
    """As `lowlat compare` compares reports that were not interleaved."""
    return judge(metric, *values, threshold_percent=10, gates=True).verdict


def floored(metric: Metric, _values: Values, plain: Values) -> Verdict:
    """Plain percentiles, and a floor of one step of the clock."""
    resolution = Resolution(floor_ns=0 if metric == CPU else STEP_NS)
    return judge(metric, *plain, threshold_percent=10, gates=True, resolution=resolution).verdict


def means_only(_metric: Metric, values: Values, _plain: Values) -> Verdict:
    return "regressed" if sum(values[1]) / sum(values[0]) > 1.1 else "unchanged"


def rank_only(_metric: Metric, values: Values, _plain: Values) -> Verdict:
    return "regressed" if p_value(*values) < SIGNIFICANT and median(values[1]) > median(values[0]) else "unchanged"


def quarter(metric: Metric, values: Values, plain: Values) -> Verdict:
    return ours(metric, values, plain, limit_percent=25)


def test_a_program_compared_with_itself_passes() -> None:
    """The whole interval is below 5%."""
    _, _, most = alarms(ours)
    assert most < ALARMS_MAX


def test_a_fifth_slower_is_found_at_p50_and_at_p99_and_in_cpu_time() -> None:
    assert min(found for found, *_ in power(ours)) > FOUND_MIN


@pytest.mark.parametrize(
    ("gate", "interleaved", "passes"),
    [(means_only, True, 1), (rank_only, False, PASSES), (unpaired, False, PASSES)],
    ids=["means of single passes", "rank test only, one side after the other", "ours, one side after the other"],
)
def test_gates_that_cry_wolf_are_rejected(gate: Judge, interleaved: bool, passes: int) -> None:
    _, least, _ = alarms(gate, interleaved=interleaved, passes=passes)
    assert least > ALARMS_MAX


@pytest.mark.parametrize("gate", [quarter, floored], ids=["limit of 25%", "floor of one step"])
def test_gates_that_sleep_are_rejected(gate: Judge) -> None:
    p50, *_ = power(gate)
    assert p50[2] < FOUND_MIN
