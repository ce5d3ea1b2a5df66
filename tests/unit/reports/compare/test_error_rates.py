"""The error rates of the gate: false positives, and missed regressions.

Simulated measurements as on a shared machine: its speed wanders and drifts, runs differ, some have noise with a heavy
tail, and values come in steps of the clock. On the same data, commonly used gates must fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from lowlat.reports.compare.gate import judge
from lowlat.reports.compare.rank_test import SIGNIFICANT, p_value
from lowlat.reports.model.comparison import Metric

RUNS = 10
SESSIONS = 1_000
STEP_NS = 10
ALARMS_MAX = 0.05
FOUND_MIN = 0.80
METRICS = tuple(Metric(name=name, measure="service", op="all") for name in ("p50", "p99"))

Side = NDArray[np.float64]
"""Shape (runs, metrics), nanoseconds."""
Fails = Callable[[int, list[float], list[float]], bool]
"""A gate: whether a metric, by index, regressed from base to head."""


def sessions(factor: float, *, interleaved: bool = True) -> Iterator[tuple[Side, Side]]:
    """Ten runs per side, the head slower by the factor; otherwise the same program on the same machine."""
    random = np.random.default_rng(7)
    for _ in range(SESSIONS):
        values = _session(random)
        if interleaved:
            pairs = values.reshape(RUNS, 2, 2)
            first = random.permutation(np.arange(RUNS) % 2)
            base, head = pairs[np.arange(RUNS), first], pairs[np.arange(RUNS), 1 - first]
        else:
            base, head = values[:RUNS], values[RUNS:]
        yield _in_steps(base), _in_steps(head * factor)


def _session(random: np.random.Generator) -> Side:
    """Twenty runs in order of time: p50 about 400 ns, p99 about 1,500 ns."""
    slots = 2 * RUNS
    wander = np.empty(slots)
    wander[0] = random.normal(0, 0.046)  # where the steps below settle
    for before, now in pairwise(range(slots)):
        wander[now] = 0.9 * wander[before] + random.normal(0, 0.02)
    level = np.exp(wander + np.linspace(0, random.normal(0, 0.08), slots) + random.normal(0, 0.05, slots))
    disturbed = random.random(slots) < 0.12
    p50 = 400 * level * (1 + disturbed * random.random(slots) * 0.2)
    p99 = 1500 * level * np.exp(random.normal(0, 0.08, slots)) * (1 + disturbed * random.pareto(1.5, slots) * 0.4)
    return np.stack([p50, p99], axis=1)


def _in_steps(values: Side) -> Side:
    return np.ceil(values / STEP_NS) * STEP_NS


def rates(fails: Fails, factor: float, *, interleaved: bool = True) -> tuple[float, float, float]:
    """Shares of measurements that fail by any metric, by p50, by p99."""
    counts = np.zeros(3)
    for base, head in sessions(factor, interleaved=interleaved):
        failed = [fails(index, base[:, index].tolist(), head[:, index].tolist()) for index in range(2)]
        counts += [any(failed), *failed]
    return tuple((counts / SESSIONS).tolist())


def ours(index: int, base: list[float], head: list[float], limit_percent: float = 10) -> bool:
    judged = judge(METRICS[index], base, head, threshold_percent=limit_percent, floor=STEP_NS, gates=True)
    return judged.verdict == "regressed"


def ratio_only(_index: int, base: list[float], head: list[float]) -> bool:
    return sum(head) / sum(base) > 1.1


def rank_only(_index: int, base: list[float], head: list[float]) -> bool:
    return p_value(base, head) < SIGNIFICANT and sum(head) > sum(base)


def half_again(index: int, base: list[float], head: list[float]) -> bool:
    return ours(index, base, head, limit_percent=25)


def test_a_program_compared_with_itself_passes() -> None:
    any_metric, *_ = rates(ours, 1.0)
    assert any_metric < ALARMS_MAX


def test_a_fifth_slower_is_found_at_p50_and_at_p99() -> None:
    _, p50, p99 = rates(ours, 1.2)
    assert min(p50, p99) > FOUND_MIN


@pytest.mark.parametrize(
    ("fails", "interleaved"),
    [(ratio_only, True), (rank_only, False), (ours, False)],
    ids=["ratio only", "rank test only, one side after the other", "ours, one side after the other"],
)
def test_gates_that_cry_wolf_are_rejected(fails: Fails, interleaved: bool) -> None:
    any_metric, *_ = rates(fails, 1.0, interleaved=interleaved)
    assert any_metric > ALARMS_MAX


def test_a_gate_that_sleeps_is_rejected() -> None:
    _, p50, p99 = rates(half_again, 1.2)
    assert min(p50, p99) < FOUND_MIN
