"""Percentiles equal those of the sorted array, and say how significant they are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowlat.errors import FormatError, NotValidError, UsageError
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram import buckets, hdr_codec
from lowlat.reports.histogram.histogram import Histogram, merge

EMPTY = Histogram.from_counts(np.zeros(0, dtype=np.uint64), None, None)


def histogram(*values: int) -> Histogram:
    recorder = Recorder()
    for value in values:
        recorder.record(value)
    return Histogram.from_native(recorder)


@given(
    st.lists(st.integers(0, buckets.HIGHEST_NS) | st.integers(0, 3000), min_size=1, max_size=200),
    st.integers(0, 100_000),
)
def test_a_percentile_is_the_sorted_array_s_at_the_ceiling_rank(values: list[int], thousandths: int) -> None:
    percent = f"{thousandths / 1000:.3f}"
    rank = max(1, -(-thousandths * len(values) // 100_000))  # the ceiling, in integers
    exact = sorted(values)[rank - 1]
    found = histogram(*values).percentile(percent)
    assert exact <= found.value_ns or thousandths == 0
    assert found.value_ns <= min(exact + exact // 1024, max(values))
    assert found.beyond == len(values) - rank


def test_rank_is_the_ceiling_where_hdrhistogram_rounds() -> None:
    """p75 of three samples has rank 2.25. Two thirds of them are not 75%, so it must be the third."""
    three = histogram(10, 20, 30)
    assert three.percentile(75).value_ns == 30
    assert hdr_codec.to_hdr(three).get_value_at_percentile(75) == 20


def test_half_of_two_is_the_first() -> None:
    two = histogram(10, 20)
    assert [p.value_ns for p in two.percentiles([50, 50.001, 100])] == [10, 20, 20]


def test_a_percent_means_the_decimal_that_is_written() -> None:
    """99.9% of 1,000 is exactly 999; binary 99.9 is slightly more, and its ceiling would be 1,000."""
    thousand = histogram(*range(1, 1001))
    assert [p.value_ns for p in thousand.percentiles([99.9, "99.9", "99.90"])] == [999, 999, 999]
    assert thousand.percentile("99.9").beyond == 1


def test_zero_is_the_minimum_and_hundred_the_exact_maximum() -> None:
    ends = histogram(1_000_003, 999_999_937)
    assert ends.percentile(0).value_ns == ends.min_ns == 1_000_003
    assert ends.percentile(100).value_ns == ends.max_ns == 999_999_937


def test_fewer_than_ten_beyond_is_marked() -> None:
    """Of 1,000 samples, p99 has ten in its tail, p99.1 nine."""
    thousand = histogram(*range(1000))
    p99, p99_1 = thousand.percentiles([99, "99.1"])
    assert (p99.beyond, p99.few) == (10, False)
    assert (p99_1.beyond, p99_1.few) == (9, True)


@pytest.mark.parametrize(
    "percent",
    [
        -1,
        100.1,
        math.nan,
        math.inf,
        "p99",
        "1/0",
        "1e999999999",
        "1e-999999999",
        2**70,
        None,
        np.ones(2),
        "9" * 10**5,
    ],
)
def test_a_percentile_outside_0_to_100_is_refused(percent: float | str) -> None:
    with pytest.raises(UsageError, match=r"^percentile .* is not (a number|between 0 and 100)$"):
        histogram(1).percentile(percent)


def test_mean_and_deviation_by_hand() -> None:
    """2, 4, 4, 4, 5, 5, 7, 9: mean 5, deviation 2."""
    eight = histogram(2, 4, 4, 4, 5, 5, 7, 9)
    assert (eight.mean_ns, eight.stddev_ns) == (5.0, 2.0)


def test_mean_of_equal_samples_is_the_sample() -> None:
    """100,000 is in a bucket 64 wide, but not at its middle."""
    equal = histogram(100_000, 100_000)
    assert (equal.mean_ns, equal.stddev_ns) == (100_000.0, 0.0)


@given(st.lists(st.integers(0, buckets.HIGHEST_NS), min_size=1, max_size=100))
def test_mean_is_within_bucket_resolution(values: list[int]) -> None:
    assert histogram(*values).mean_ns == pytest.approx(np.mean(values), rel=1 / 2048, abs=1e-9)


def test_what_needs_a_sample_says_that_there_is_none() -> None:
    assert EMPTY.total == 0
    for ask in (
        lambda: EMPTY.min_ns,
        lambda: EMPTY.max_ns,
        lambda: EMPTY.mean_ns,
        lambda: EMPTY.stddev_ns,
        lambda: EMPTY.percentile(50),
    ):
        with pytest.raises(NotValidError, match=r"empty|no sample"):
            ask()


def test_merged_is_as_if_recorded_by_one() -> None:
    parts, whole = [histogram(5, 3000), EMPTY, histogram(2, 70_000)], histogram(5, 3000, 2, 70_000)
    merged = merge(parts)
    assert np.array_equal(merged.counts, whole.counts)
    assert merged.bounds_ns == (2, 70_000)
    assert merge([]).total == 0


def test_an_empty_part_still_hands_over_what_was_out_of_range() -> None:
    assert merge([histogram(-1), histogram(5)]).out_of_range == 1
    assert merge([histogram(-1), histogram(5)]).bounds_ns == (5, 5)


@pytest.mark.parametrize(
    ("counts", "bounds"),
    [
        ([1, 1, 1], (0, 2)),
        (np.ones(3, dtype=np.int64), (0, 2)),
        (np.ones((3, 1), dtype=np.uint64), (0, 2)),
        (np.ones(buckets.COUNTS_LENGTH + 1, dtype=np.uint64), (0, 2)),
        (np.ones(3, dtype=np.uint64), (1, 2)),
        (np.ones(3, dtype=np.uint64), (0, 3)),
        (np.ones(3, dtype=np.uint64), (None, None)),
        (np.array([2**62, 2**62], dtype=np.uint64), (0, 1)),
    ],
    ids=["type", "dtype", "shape", "length", "minimum", "maximum", "no bounds", "total"],
)
def test_counts_that_contradict_themselves_are_refused(
    counts: np.ndarray, bounds: tuple[int | None, int | None]
) -> None:
    with pytest.raises(FormatError, match=r"expected|is not in bucket|is not an array"):
        Histogram.from_counts(counts, *bounds)


def test_taking_counts_over_copies_them() -> None:
    counts = np.array([1, 1], dtype=np.uint64)
    taken = Histogram.from_counts(counts, 0, 1)
    counts[0] = 9
    assert taken.total == 2
    with pytest.raises(ValueError, match="read-only"):
        taken.counts[0] = 9


@given(st.integers(0, buckets.COUNTS_LENGTH - 1))
def test_layout_names_the_values_of_every_bucket(index: int) -> None:
    bucket = np.array([index])
    low, high = buckets.lowest_values(bucket)[0].item(), buckets.highest_values(bucket)[0].item()
    assert buckets.index_of(low) == buckets.index_of(high) == index
    assert buckets.index_of(high + 1) == index + 1
