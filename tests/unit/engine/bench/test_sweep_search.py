"""The search finds the highest rate of a simulated engine whose p99 is known in closed form, on a noisy host.

The engine is an M/M/1 queue: the response time at an arrival rate a and a service rate s is exponential with rate s - a
(L. Kleinrock, "Queueing Systems", volume 1, 1975), so its p99 is ln(100) / (s - a). Each run measures that p99 with an
error, and some runs are stalled by the host. On a busy host, half of the runs share their core with other work.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import numpy as np

from lowlat.engine.bench.sweep import RESOLUTION, STEPS_MAX, SURE, next_rate
from lowlat.reports.model.objective import EXCESS_MAX
from lowlat.reports.model.sustainable import CONFIDENCE, AtRate, crossing
from lowlat.reports.model.sweep import Decided
from lowlat_cli.quantity import parse_sweep

SERVICE_RATE = 7e6
LIMIT_NS = 10_000
TRUE_RATE = SERVICE_RATE - math.log(100) / LIMIT_NS * 1e9
ERROR = 0.15
"""Standard deviation of a run's logarithm of p99."""
STALLED = 0.1
"""Share of runs that the host stalls, for 3 ms."""
RUNS = 5
SWEEPS = 100

Measured = dict[int, list[float]]
"""The p99 of each run by rate, nanoseconds."""


def p99_ns(rate: float, chance: random.Random, *, busy: bool) -> float:
    """The p99 of one run; a rate that is not sustained has a queue of 100 ms at its end. On a busy host, half of the
    runs are 5% to 40% slower.
    """
    service_rate = SERVICE_RATE * (chance.uniform(0.6, 0.95) if busy and chance.random() < 0.5 else 1)
    calm = math.log(100) / (service_rate - rate) * 1e9 if rate < service_rate else 1e8
    measured = min(calm, 1e8) * math.exp(chance.gauss(0, ERROR))
    return max(measured, 3e6) if chance.random() < STALLED else measured


def excesses(measured: Measured) -> list[AtRate]:
    def of(value: float) -> float:
        return max(-EXCESS_MAX, min(EXCESS_MAX, math.log(value / LIMIT_NS)))

    return [AtRate(rate, [of(value) for value in measured[rate]]) for rate in sorted(measured)]


def swept(seed: int, *, busy: bool = False) -> Measured:
    """A sweep as `measure_sweep` makes it: the rates, then the search."""
    chance = random.Random(seed)
    measured: Measured = {rate: [] for rate in parse_sweep("100k:20M:8")}

    def measure(rate: int) -> None:
        measured.setdefault(rate, []).extend(p99_ns(rate, chance, busy=busy) for _ in range(RUNS))

    for rate in list(measured):
        measure(rate)
    for _ in range(STEPS_MAX):
        found = next_rate(Decided(excesses(measured), []), lambda rate: len(measured[rate]) < SURE * RUNS)
        if found is None:
            break
        measure(found)
    return measured


SWEPT = [swept(seed) for seed in range(SWEEPS)]
BUSY = [swept(seed, busy=True) for seed in range(SWEEPS)]


def finds_the_true_rate(estimate: Callable[[Measured], float], sweeps: Sequence[Measured] = SWEPT) -> bool:
    """Whether an estimate is within 10% of the true rate in 95 of 100 sweeps, and the answer of four in a row moves by
    less than 25%, in 19 of 20 times."""
    found = np.array([estimate(measured) for measured in sweeps])
    near = np.abs(found / TRUE_RATE - 1) <= 0.1
    fours = found.reshape(-1, 4)
    steady = fours.max(axis=1) <= 1.25 * fours.min(axis=1)
    return bool(near.mean() >= 0.95 and steady.mean() >= 0.95)


def by_isotonic_fit(measured: Measured) -> float:
    return crossing(excesses(measured), seed=1).rate


def by_median_run(measured: Measured) -> float:
    """The same fit of median runs."""
    return crossing([AtRate(each.rate, [float(np.median(each.excesses))]) for each in excesses(measured)], seed=1).rate


def by_power(measured: Measured) -> float:
    """The knee: the measured rate of greatest rate over p99 (Kleinrock 1979), over the median runs."""
    return max(measured, key=lambda rate: rate / float(np.median(measured[rate])))


def by_first_failure(measured: Measured) -> float:
    """The last rate before the first run that exceeds its objective."""
    failing = [rate for rate, values in measured.items() if max(values) > LIMIT_NS]
    return max((rate for rate in measured if rate < min(failing)), default=min(measured))


def test_the_estimate_finds_the_true_rate() -> None:
    assert finds_the_true_rate(by_isotonic_fit)


def test_it_does_so_on_a_busy_host_where_median_runs_do_not() -> None:
    assert finds_the_true_rate(by_isotonic_fit, BUSY)
    assert finds_the_true_rate(by_median_run) and not finds_the_true_rate(by_median_run, BUSY)


def test_the_greatest_power_does_not() -> None:
    """It is near half the service rate, whatever the objective: a(s - a) is greatest there."""
    assert not finds_the_true_rate(by_power)


def test_a_single_run_must_not_decide() -> None:
    assert not finds_the_true_rate(by_first_failure)


def test_the_interval_covers_the_true_rate() -> None:
    """At least as often as its confidence, less what 100 sweeps leave to chance: three standard errors."""
    found = [crossing(excesses(measured), seed=1) for measured in SWEPT]
    covered = np.mean([each.lower <= TRUE_RATE <= each.upper for each in found])
    assert covered >= CONFIDENCE - 3 * math.sqrt(CONFIDENCE * (1 - CONFIDENCE) / SWEEPS)
    assert all(each.lower <= each.rate <= each.upper for each in found)


def test_an_interval_that_is_too_narrow_does_not() -> None:
    """The estimate give or take 0.1%."""
    found = [crossing(excesses(measured), seed=1) for measured in SWEPT]
    covered = np.mean([abs(each.rate / TRUE_RATE - 1) <= 0.001 for each in found])
    assert covered < CONFIDENCE - 3 * math.sqrt(CONFIDENCE * (1 - CONFIDENCE) / SWEEPS)


def around(below: int | None, above: int | None, *undecided: float) -> Decided:
    """A rate that meets its objectives, and one that exceeds them."""
    meeting = [] if below is None else [AtRate(below, [-1.0])]
    return Decided([*meeting, *([] if above is None else [AtRate(above, [1.0])])], list(undecided))


def test_the_search_bisects_then_confirms_both_ends() -> None:
    assert next_rate(around(1_000_000, 4_000_000), lambda _: True) == 2_000_000
    low, high = 1_000_000, round(1_000_000 * RESOLUTION)
    assert next_rate(around(low, high), lambda _: True) == high
    assert next_rate(around(low, high), lambda rate: rate == low) == low
    assert next_rate(around(low, high), lambda _: False) is None


def test_the_search_ends_where_there_is_nothing_between() -> None:
    assert next_rate(around(1, 2), lambda _: False) is None
    assert next_rate(around(None, 5), lambda _: True) == 5
    assert next_rate(around(5, None), lambda _: False) is None
    assert next_rate(around(None, None), lambda _: True) is None


def test_the_search_repeats_an_undecided_rate_then_goes_around_it() -> None:
    assert next_rate(around(1_000_000, 4_000_000, 2_000_000), lambda _: True) == 2_000_000
    assert next_rate(around(1_000_000, 4_000_000, 2_000_000), lambda _: False) == round(math.sqrt(2) * 1e6)
    assert next_rate(around(1_900_000, 4_000_000, 2_000_000), lambda _: False) == round(math.sqrt(8) * 1e6)
    assert next_rate(around(1_900_000, 2_100_000, 2_000_000), lambda _: False) is None


def test_undecided_rates_that_do_not_matter_are_left_alone() -> None:
    near = around(1_000_000, round(1_000_000 * RESOLUTION), 500_000, 2_000_000)
    assert next_rate(near, lambda rate: rate in {500_000, 2_000_000}) is None


def test_with_undecided_rates_only_each_is_repeated_and_the_search_ends() -> None:
    assert next_rate(around(None, None, 1_000, 2_000), lambda rate: rate == 2_000) == 2_000
    assert next_rate(around(None, None, 1_000, 2_000), lambda _: False) is None
