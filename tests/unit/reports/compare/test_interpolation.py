"""Percentiles between the steps of a clock: they move as the samples do, and no step hides or feigns a change."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from lowlat.errors import NotValidError
from lowlat.reports.compare.interpolation import OccupiedBuckets
from lowlat.reports.compare.verdict import Resolution, judge
from lowlat.reports.histogram import buckets
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.model.comparison import Compared, Metric

P50 = Metric(name="p50", measure="service", op="all")


def of(samples: dict[int, int]) -> OccupiedBuckets:
    """Counts by value in nanoseconds."""
    counts = np.zeros(buckets.COUNTS_LENGTH, dtype=np.uint64)
    for value_ns, count in samples.items():
        counts[buckets.index_of(value_ns)] += count
    return OccupiedBuckets.of(Histogram.from_counts(counts, min(samples), max(samples)))


def read_by_clock(duration_ns: float, step_ns: int, samples: int = 100_000) -> OccupiedBuckets:
    """Equal durations as a clock of this step shows them, started at any phase."""
    whole = int(duration_ns // step_ns) * step_ns
    longer = round(samples * (duration_ns - whole) / step_ns)
    return of({value: count for value, count in ((whole, samples - longer), (whole + step_ns, longer)) if count})


def compared(base: list[OccupiedBuckets], head: list[OccupiedBuckets], step_ns: float) -> Compared:
    values = [[each.percentile(50, step_ns) for each in side] for side in (base, head)]
    return judge(P50, *values, threshold_percent=10, gates=True, resolution=Resolution(step_ns=step_ns))


def test_samples_that_share_a_value_are_spread_to_both_sides() -> None:
    """By hand, with 30, 40 and 30 of 100 at 40, 50 and 60: the middle of the middle value."""
    assert of({40: 30, 50: 40, 60: 30}).percentile(50, 10) == 50
    assert of({50: 100}).percentile(50, 10) == 50
    assert of({50: 50, 60: 50}).percentile(50, 10) == 55


def test_at_a_value_it_is_the_mid_distribution() -> None:
    """Of 20, 40, 40 at 40, 50, 60: half of the samples at 50 and all before them are 40%; then 60% + 20% = 80%."""
    several = of({40: 20, 50: 40, 60: 40})
    assert several.percentile(40, 10) == pytest.approx(50)
    assert several.percentile(80, 10) == pytest.approx(60)


def test_it_follows_a_duration_within_a_step() -> None:
    """The plain median reads 50 up to 55 ns, then 60."""
    durations = [50, 51, 52.5, 54, 55, 56, 58, 60]
    shown = [read_by_clock(duration, 10).percentile(50, 10) for duration in durations]
    assert shown == pytest.approx(durations, abs=1.0)
    assert all(before < after for before, after in pairwise(shown))


@pytest.mark.parametrize("step_ns", [10, 40])
def test_one_step_more_in_every_run_is_a_regression(step_ns: int) -> None:
    """p50 50 -> 60 with a step of 10 ns, 40 -> 80 with a step of 40 ns."""
    value = {10: 50, 40: 40}[step_ns]
    base = [of({value - step_ns: 200 + run, value: 600, value + step_ns: 200}) for run in range(10)]
    head = [of({value: 200 + run, value + step_ns: 600, value + 2 * step_ns: 200}) for run in range(10)]
    found = compared(base, head, step_ns)
    assert (found.verdict, found.base.median, found.head.median) == (
        "regressed",
        pytest.approx(value, abs=0.2),
        pytest.approx(value + step_ns, abs=0.2),
    )


def test_a_shift_at_the_edge_of_a_step_is_no_step() -> None:
    """49.6% or 50.4% of the samples at 60 ns: the plain median goes from 50 to 60 ns, the interpolated one by 0.1."""
    base = [of({50: 5_040 - run, 60: 4_960 + run}) for run in range(10)]
    head = [of({50: 4_960 - run, 60: 5_040 + run}) for run in range(10)]
    found = compared(base, head, 10)
    assert found.verdict == "unchanged"
    assert found.ratio is not None and 1 < found.ratio < 1.005
    assert found.base.median == pytest.approx(54.9, abs=0.1)


def test_a_few_percent_within_a_step_are_seen() -> None:
    """+3.3%, where every command takes equally long, which is read to within a tenth of a step. The p of 20 runs that
    are all apart is 2/184,756.
    """
    base = [read_by_clock(50 + run / 100, 10) for run in range(10)]
    head = [read_by_clock(51.65 + run / 100, 10) for run in range(10)]
    found = compared(base, head, 10)
    assert found.p < 1.1e-5 and found.ratio == pytest.approx(1.033, abs=0.02)


def test_the_plain_percentile_would_fail_these() -> None:
    """The broken estimator: the value of ceiling rank, with or without a floor of one step."""
    values = [[50.0] * 10, [60.0] * 10]
    floored = judge(P50, *values, threshold_percent=10, gates=True, resolution=Resolution(floor_ns=10))
    assert floored.verdict == "inconclusive"
    assert judge(P50, *values, threshold_percent=10, gates=True).verdict == "regressed"


def test_the_step_is_read_from_the_values_that_occur() -> None:
    assert of({40: 10, 80: 10, 120: 10}).step_ns(50) == 40
    assert of(dict.fromkeys(range(30, 90), 10)).step_ns(50) == 1
    assert of({50: 100}).step_ns(50) == 0


def test_strays_between_the_steps_do_not_hide_the_step() -> None:
    steps = {40: 3_000, 50: 4_000, 60: 3_000}
    strays = {value: 2 for value in range(41, 70) if value not in steps}
    assert of({**steps, **strays}).step_ns(50) == 10
    assert of({**steps, **strays}).percentile(50, 10) == pytest.approx(50, abs=0.1)


def test_runs_whose_calibrations_differ_have_one_step() -> None:
    """Merged: a step of 10.0 ns, and one of 9.8 ns whose fifth is at 49."""
    merged = of({39: 150, 40: 150, 49: 200, 50: 200, 59: 150, 60: 150})
    assert merged.step_ns(50) >= 9
    assert merged.percentile(50, 10) == pytest.approx(49.5, abs=0.1)


def test_a_step_longer_than_the_median() -> None:
    """A clock of 1 µs: most commands take no step, some take one."""
    assert read_by_clock(50, 1_000).percentile(50, 1_000) < read_by_clock(100, 1_000).percentile(50, 1_000) < 500
    assert of({0: 100}).percentile(50, 1_000) == of({0: 100}).percentile(99, 1_000) == 0


def test_it_stays_within_the_smallest_and_the_largest_sample() -> None:
    one = of({50: 1_000})
    assert [one.percentile(percent, 100) for percent in (1, 50, 99, 100)] == [50] * 4


def test_wide_buckets_are_spread_over_their_width() -> None:
    """From 2,048 ns on a bucket has several values."""
    whole = of(dict.fromkeys(range(100_000, 101_000), 1))
    assert whole.percentile(50, 0) == pytest.approx(100_500, abs=65)


def test_a_histogram_without_samples_has_none() -> None:
    empty = Histogram.from_counts(np.zeros(buckets.COUNTS_LENGTH, dtype=np.uint64), None, None)
    with pytest.raises(NotValidError, match="the histogram is empty"):
        OccupiedBuckets.of(empty)
