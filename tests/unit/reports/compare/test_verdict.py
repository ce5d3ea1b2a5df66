"""A verdict follows from its figures: each condition for a regression can prevent it on its own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lowlat.errors import NotValidError, UsageError
from lowlat.reports.compare.verdict import Resolution, check_significance, judge
from lowlat.reports.model.comparison import Compared, Metric

P99 = Metric(name="p99", measure="service", op="all")
THROUGHPUT = Metric(name="throughput", measure=None, op=None)


def judged(
    base: list[float], head: list[float], *, metric: Metric = P99, limit: float = 10, floor: float = 0
) -> Compared:
    return judge(metric, base, head, threshold_percent=limit, gates=True, resolution=Resolution(floor_ns=floor))


def verdict(base: list[float], head: list[float], *, metric: Metric = P99, limit: float = 10, floor: float = 10) -> str:
    return judged(base, head, metric=metric, limit=limit, floor=floor).verdict


def test_a_regression_takes_all_three_tests() -> None:
    """Every run slower by 20%, by 20 ns; then by less, with less certainty, and within the clock's resolution."""
    base = [100.0, 101, 99, 100, 102, 98, 100, 101]
    slower = [value * 1.2 for value in base]
    assert verdict(base, slower) == "regressed"
    assert verdict(base, slower, limit=25) == "unchanged"
    assert verdict(base, [*base[:5], *(value * 4 for value in base[5:])]) == "inconclusive"
    assert verdict(base, slower, floor=19.9) == "regressed"
    assert verdict(base, slower, floor=20) == "inconclusive"
    assert verdict(base, slower, floor=30) == "inconclusive"
    assert verdict(slower, base, floor=30) == "unchanged"


@pytest.mark.parametrize("lucky", [1, 2, 3])
def test_lucky_runs_of_a_slower_head_never_make_it_unchanged(lucky: int) -> None:
    base = [50 + n / 100 for n in range(10)]
    head = [*(49.5 + n / 10 for n in range(lucky)), *(72 + n / 100 for n in range(10 - lucky))]
    assert verdict(base, head, floor=0) in ("regressed", "inconclusive")


def test_a_threshold_is_passed_only_beyond_it() -> None:
    base = [100.0] * 8
    assert verdict(base, [125.0] * 8, limit=25) == "unchanged"
    assert verdict(base, [126.0] * 8, limit=25) == "regressed"


def test_faster_is_improved_and_of_throughput_more_is() -> None:
    base, more = [100.0 + i for i in range(8)], [150.0 + i for i in range(8)]
    assert verdict(more, base) == "improved"
    assert verdict(base, more, metric=THROUGHPUT, floor=0) == "improved"
    assert verdict(more, base, metric=THROUGHPUT, floor=0) == "regressed"


def test_throughput_may_fall_by_as_much_as_its_threshold_says() -> None:
    """From 100 to 80 it falls by 20%."""
    assert verdict([100.0] * 8, [80.0] * 8, metric=THROUGHPUT, limit=20, floor=0) == "unchanged"
    assert verdict([100.0] * 8, [79.0] * 8, metric=THROUGHPUT, limit=20, floor=0) == "regressed"


@pytest.mark.parametrize("runs", [(3, 10), (10, 3)])
def test_fewer_than_four_runs_a_side_conclude_nothing(runs: tuple[int, int]) -> None:
    judged = judge(P99, [100.0] * runs[0], [200.0] * runs[1], threshold_percent=10, gates=True)
    assert (judged.verdict, judged.reason) == ("inconclusive", "fewer than 4 runs per side")
    assert verdict([100.0] * 4, [200.0] * 4) == "regressed"


@pytest.mark.parametrize("runs", [5, 10])
def test_a_look_at_a_lower_level_needs_a_lower_p_and_has_a_wider_interval(runs: int) -> None:
    """Of 5 and 5 runs, the most extreme ranks have p = 2/252 = 0.0079; of 10 and 10, 2/184,756."""
    base = [100.0 + index for index in range(runs)]
    slower = [value * 1.5 for value in base]
    at = {
        level: judge(P99, base, slower, threshold_percent=10, gates=True, significance=level) for level in (0.05, 0.005)
    }
    assert at[0.05].verdict == "regressed"
    assert at[0.005].verdict == ("regressed" if runs == 10 else "inconclusive")
    assert at[0.05].interval is not None
    if runs == 5:
        assert at[0.005].interval is None and "too few runs" in at[0.005].reason
    else:
        wide, narrow = at[0.005].interval, at[0.05].interval
        assert wide is not None and wide[0] < narrow[0] and narrow[1] < wide[1]


@pytest.mark.parametrize("level", [0, -0.1, 0.51, float("nan")])
def test_a_level_that_is_none_is_refused(level: float) -> None:
    with pytest.raises(UsageError, match=r"significance .* is not above 0 and at most 0.5"):
        check_significance(level)


def test_unchanged_is_said_only_where_a_regression_is_ruled_out() -> None:
    calm, wild = [100.0, 101, 102, 103, 104, 105], [80.0, 90, 100, 110, 120, 130]
    assert verdict(calm, calm) == "unchanged"
    judged = judge(P99, wild, wild, threshold_percent=10, gates=True)
    assert judged.verdict == "inconclusive" and judged.interval and judged.interval[1] > 1.1
    assert judged.reason == (
        f"the ratio could be as bad as {judged.interval[1]:.3g}; about {judged.runs_to_decide} runs a side would decide"
    )


def test_what_the_clock_cannot_tell_apart_is_unchanged_and_says_so() -> None:
    """40 or 50 ns with a clock of 10 ns: 25% more, and one step."""
    judged = judge(
        P99,
        [40.0, 40, 40, 50] * 2,
        [40.0, 50, 50, 50] * 2,
        threshold_percent=10,
        resolution=Resolution(floor_ns=10),
        gates=True,
    )
    assert (judged.verdict, judged.reason) == ("unchanged", "within the clock's resolution of 10 ns")


def test_a_base_of_zero_has_no_ratio_and_still_a_verdict() -> None:
    judged = judge(P99, [0.0] * 8, [500.0] * 8, threshold_percent=10, resolution=Resolution(floor_ns=10), gates=True)
    assert (judged.verdict, judged.ratio, judged.interval) == ("regressed", None, None)
    assert verdict([0.0] * 8, [0.0] * 8) == "unchanged"
    assert verdict([0.0] * 8, [5.0] * 8) == "inconclusive"


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_what_is_no_measurement_is_refused(value: float) -> None:
    with pytest.raises(NotValidError, match=f"p99 service all: a run has the value {value}, which is no measurement"):
        judged([100.0] * 4, [100.0, 100.0, 100.0, value])


def test_ties_everywhere_are_unchanged_and_one_run_a_side_is_inconclusive() -> None:
    tied = judged([50.0] * 10, [50.0] * 10)
    assert (tied.verdict, tied.p, tied.ratio, tied.interval) == ("unchanged", 1, 1, (1, 1))
    assert judged([50.0], [60.0]).verdict == "inconclusive"


def test_an_inconclusive_metric_says_how_many_runs_would_decide() -> None:
    """As wide as the spread makes it: with four times the runs, an interval is half as wide."""
    base = [100.0, 130, 90, 115, 104, 124, 96, 109]
    unclear = judged(base, base)
    assert unclear.verdict == "inconclusive" and unclear.runs_to_decide is not None
    assert unclear.interval is not None and unclear.ratio == 1
    needed = 8 * (math.log(unclear.interval[1]) / math.log(1.1)) ** 2
    assert unclear.runs_to_decide == math.ceil(needed) > 8
    assert f"about {unclear.runs_to_decide} runs a side would decide" in unclear.reason
    calm = judged([100.0 + index / 10 for index in range(8)], [100.0 + index / 10 for index in range(8)])
    assert (calm.verdict, calm.runs_to_decide, calm.reason) == ("unchanged", None, "")


def test_that_many_runs_do_decide() -> None:
    """Of lognormal runs with a spread of 15%: most are inconclusive at 8, and most of those are decided at the number
    that is proposed.
    """
    random = np.random.default_rng(3)
    decided, proposed = 0, 0
    for _ in range(60):
        found = judged(*random.lognormal(math.log(100), 0.15, (2, 8)).tolist())
        if found.runs_to_decide is not None:
            proposed += 1
            again = judged(*random.lognormal(math.log(100), 0.15, (2, max(found.runs_to_decide, 25))).tolist())
            decided += again.verdict != "inconclusive"
    assert proposed > 20 and decided / proposed > 0.5


def test_where_no_number_of_runs_would_decide_none_is_proposed() -> None:
    """The ratio is at the limit itself."""
    base = [100.0, 130, 90, 115, 104, 124, 96, 109]
    limit = judged(base, [value * 1.0999 for value in base])
    assert (limit.verdict, limit.runs_to_decide) == ("inconclusive", None)
    assert "more than 1,000 runs a side would decide, or a quieter host" in limit.reason


def test_throughput_says_how_many_runs_too() -> None:
    base = [100.0, 130, 90, 115, 104, 124, 96, 109]
    found = judged(base, base, metric=THROUGHPUT)
    assert found.verdict == "inconclusive" and found.runs_to_decide is not None and found.runs_to_decide > 8
