"""The native recorder loses no value and puts each into the same bucket as `hdrhistogram`.

All reported figures come from its counts, so nothing else would reveal a shifted bucket or a dropped stall.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram import buckets

IN_RANGE = st.one_of(
    st.integers(0, buckets.HIGHEST_NS),
    # Both sides of every power of two, where the width of buckets changes.
    st.tuples(st.integers(0, 41), st.integers(-2, 2)).map(lambda pair: max(0, 2 ** pair[0] + pair[1])),
)


@given(st.lists(IN_RANGE, max_size=50))
def test_counts_equal_those_of_hdrhistogram(values: list[int]) -> None:
    recorder, other = Recorder(), HdrHistogram(1, 2**42, 3)
    for value in values:
        recorder.record(value)
        assert other.record_value(value)
    assert np.array_equal(recorder.counts, np.frombuffer(other.counts, dtype=np.uint64))


def test_counts_are_a_copy_of_fixed_length() -> None:
    recorder = Recorder()
    counts = recorder.counts
    assert (counts.dtype, counts.shape) == (np.uint64, (buckets.COUNTS_LENGTH,))
    counts[5] = 1
    assert recorder.counts.sum() == 0


def test_bounds_and_total_are_exact() -> None:
    recorder = Recorder()
    assert (recorder.min, recorder.max, recorder.total) == (None, None, 0)
    for value in (1_000_003, 999_999_937, 5_000_011):
        recorder.record(value)
    assert (recorder.min, recorder.max, recorder.total) == (1_000_003, 999_999_937, 3)


@pytest.mark.parametrize(
    "value", [-1, -(2**63), -(2**70), 2**42 + 1, 2**63, 2**64, 2**70, np.int64(-5), np.uint64(2**63 + 1)]
)
def test_a_value_out_of_range_is_counted_apart(value: int) -> None:
    recorder = Recorder()
    recorder.record(40)
    recorder.record(value)
    assert (recorder.total, recorder.out_of_range, recorder.min, recorder.max) == (1, 1, 40, 40)
    assert recorder.counts.sum() == 1


def test_both_ends_of_the_range_are_in_it() -> None:
    recorder = Recorder()
    recorder.record(0)
    recorder.record(2**42)
    assert (recorder.total, recorder.out_of_range, recorder.min, recorder.max) == (2, 0, 0, 2**42)


@pytest.mark.parametrize("value", [1.5, 3.0, "3", None])
def test_only_integers_are_recorded(value: object) -> None:
    with pytest.raises(TypeError):
        Recorder().record(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 100, 16_383, 16_384, 40_000])
@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_an_array_records_like_its_values(size: int, dtype: type[np.int64]) -> None:
    """Sizes on both sides of the threshold at which the GIL is released."""
    values = (np.arange(size) * 7 % 5000).astype(dtype)
    one_by_one, at_once = Recorder(), Recorder()
    for value in values.tolist():
        one_by_one.record(value)
    at_once.record_many(values)
    assert np.array_equal(one_by_one.counts, at_once.counts)
    assert (one_by_one.min, one_by_one.max) == (at_once.min, at_once.max)
    assert at_once.total == size


def test_negative_values_of_an_array_are_out_of_range() -> None:
    recorder = Recorder()
    recorder.record_many(np.array([10, -1, 20, -(2**63)], dtype=np.int64))
    assert (recorder.total, recorder.out_of_range, recorder.max) == (2, 2, 20)


@pytest.mark.parametrize(
    "values",
    [
        np.arange(10, dtype=np.int64)[::2],
        np.arange(10, dtype=np.int32),
        np.arange(10, dtype=np.float64),
        np.zeros((2, 5), dtype=np.int64),
    ],
    ids=["strided", "narrow", "float", "two-dimensional"],
)
def test_other_arrays_are_refused(values: np.ndarray) -> None:
    recorder = Recorder()
    with pytest.raises(TypeError):
        recorder.record_many(values)
    assert recorder.total == 0


def test_adding_is_recording_both_and_empty_adds_nothing() -> None:
    first, second, empty = Recorder(), Recorder(), Recorder()
    first.record(100)
    second.record(7)
    second.record(-1)
    first.add(empty)
    assert (first.min, first.max, first.total) == (100, 100, 1)
    first.add(second)
    assert (first.min, first.max, first.total, first.out_of_range) == (7, 100, 2, 1)


def test_what_is_taken_is_whole_and_then_forgotten() -> None:
    recorder = Recorder()
    recorder.record(100)
    recorder.record(-1)
    taken = recorder.take()
    assert (taken.total, taken.out_of_range, taken.min, taken.max) == (1, 1, 100, 100)
    assert taken.counts.sum() == 1
    assert (recorder.total, recorder.out_of_range, recorder.min, recorder.max) == (0, 0, None, None)
    assert recorder.counts.sum() == 0


def test_no_sample_is_lost_when_threads_record_into_one() -> None:
    recorder = Recorder()
    values = np.full(50_000, 64, dtype=np.int64)

    def work(_: int) -> None:
        recorder.record_many(values)
        for _ in range(1_000):
            recorder.record(32)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))
    assert recorder.total == 8 * 51_000
    assert int(recorder.counts[64]) == 8 * 50_000
    assert int(recorder.counts[32]) == 8 * 1_000
