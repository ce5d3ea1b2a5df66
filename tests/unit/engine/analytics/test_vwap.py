"""Prices and quantities are exact: small sums by hand, then inputs from Hypothesis."""

from __future__ import annotations

import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowlat.engine.analytics.vwap import Vwap, notional, vwap, vwap_of
from lowlat.engine.matching.commands import commands
from lowlat.engine.matching.records import EVENT, LEVEL, TRADE, Side
from lowlat.engine.reference.engine import ReferenceEngine
from lowlat.errors import ArrayError

INT64 = st.integers(-(2**63), 2**63 - 1)
UINT32 = st.integers(0, 2**32 - 1)
UINT64 = st.integers(0, 2**64 - 1)


def test_a_sum_by_hand() -> None:
    prices, quantities = np.array([100, 101, -3]), np.array([2, 1, 4], np.uint32)
    assert notional(prices, quantities) == 200 + 101 - 12
    average = vwap_of(prices, quantities)
    assert average == Vwap(289, 7)
    assert average.ticks == Fraction(289, 7)
    assert average.as_float() == 289 / 7


@given(st.lists(st.tuples(INT64, UINT32), max_size=40))
def test_32_bit_quantities_are_exact(pairs: list[tuple[int, int]]) -> None:
    prices = np.array([price for price, _ in pairs], np.int64)
    quantities = np.array([quantity for _, quantity in pairs], np.uint32)
    assert notional(prices, quantities) == sum(price * quantity for price, quantity in pairs)


@given(st.lists(st.tuples(INT64, UINT64), max_size=40))
def test_64_bit_quantities_are_exact(pairs: list[tuple[int, int]]) -> None:
    prices = np.array([price for price, _ in pairs], np.int64)
    quantities = np.array([quantity for _, quantity in pairs], np.uint64)
    assert notional(prices, quantities) == sum(price * quantity for price, quantity in pairs)


@pytest.mark.parametrize("price", [-(2**63), 2**63 - 1, -1, 0])
@pytest.mark.parametrize("dtype", [np.uint32, np.uint64])
@pytest.mark.parametrize("count", [1, 511, 512, 513, 100_000])
def test_the_largest_numbers_in_any_number(price: int, dtype: type, count: int) -> None:
    """Counts around the block size of 512, and enough blocks that a lost carry would show."""
    most = int(np.iinfo(dtype).max)
    prices, quantities = np.full(count, price), np.full(count, most, dtype)
    assert notional(prices, quantities) == count * price * most
    assert vwap_of(prices, quantities).ticks == price


@given(st.lists(st.tuples(INT64, UINT32), min_size=1, max_size=20), st.sampled_from([1, -1, 2, -3]))
def test_any_stride_is_read_in_place(pairs: list[tuple[int, int]], step: int) -> None:
    records = np.zeros(len(pairs), TRADE)
    records["price"], records["quantity"] = zip(*pairs, strict=True)
    chosen = records[::step]
    assert notional(chosen["price"], chosen["quantity"]) == sum(p * q for p, q in pairs[::step])


def test_unaligned_and_read_only_columns() -> None:
    packed = np.zeros(3, np.dtype([("kind", "u1"), ("price", "<i8"), ("quantity", "<u4")]))
    packed["price"], packed["quantity"] = (5, 6, 7), (1, 2, 3)
    packed.flags.writeable = False
    assert notional(packed["price"], packed["quantity"]) == 5 + 12 + 21


def test_of_events_only_trades_count() -> None:
    engine = ReferenceEngine()
    engine.submit(1, Side.SELL, 10, 100)
    engine.submit(2, Side.SELL, 10, 103)
    events = engine.submit(3, Side.BUY, 15, 103)
    assert len(events) == 3  # accepted, 10@100, 5@103
    assert vwap(events) == Vwap(10 * 100 + 5 * 103, 15)
    assert vwap(engine.trades()) == vwap(events)
    assert vwap(engine.depth(Side.SELL, 5)) == Vwap(5 * 103, 5)


@given(st.lists(st.tuples(INT64, UINT32, st.integers(0, 255)), max_size=30))
def test_events_of_any_kind(rows: list[tuple[int, int, int]]) -> None:
    events = np.zeros(len(rows), EVENT)
    for event, (price, quantity, kind) in zip(events, rows, strict=True):
        event["price"], event["quantity"], event["kind"] = price, quantity, kind
    trades = [(price, quantity) for price, quantity, kind in rows if kind == 3]
    volume = sum(quantity for _, quantity in trades)
    if volume:
        assert vwap(events) == Vwap(sum(price * quantity for price, quantity in trades), volume)
    else:
        with pytest.raises(ArrayError, match="the quantities sum to 0"):
            vwap(events)


@pytest.mark.parametrize("dtype", [EVENT, TRADE, LEVEL])
@pytest.mark.parametrize("count", [0, 3])
def test_no_volume_is_an_error(dtype: np.dtype[np.void], count: int) -> None:
    with pytest.raises(ArrayError, match="no average price"):
        vwap(np.zeros(count, dtype))
    assert notional(np.zeros(0, np.int64), np.zeros(0, np.uint32)) == 0


@settings(max_examples=300)
@given(INT64, st.integers(1, 2**32 - 1), INT64, st.integers(1, 2**32 - 1))
def test_the_double_is_the_nearest(price: int, quantity: int, other: int, more: int) -> None:
    average = vwap_of(np.array([price, other]), np.array([quantity, more], np.uint32))
    exact, double = average.ticks, average.as_float()
    error = abs(Fraction(double) - exact)
    for neighbor in (np.nextafter(double, -np.inf), np.nextafter(double, np.inf)):
        assert error <= abs(Fraction(float(neighbor)) - exact)


@pytest.mark.parametrize(
    ("prices", "quantities", "message"),
    [
        (np.zeros(2), np.zeros(2, np.uint32), "prices are float64"),
        (np.zeros(2, np.int32), np.zeros(2, np.uint32), "prices are int32"),
        (np.zeros(2, ">i8"), np.zeros(2, np.uint32), "prices are >i8"),
        (np.zeros(2, np.int64), np.zeros(2, np.int64), "quantities int64"),
        (np.zeros(2, np.int64), np.zeros(3, np.uint32), "equally long"),
        (np.zeros((2, 2), np.int64), np.zeros((2, 2), np.uint32), "one dimension"),
    ],
)
def test_other_columns_are_refused(prices: np.ndarray, quantities: np.ndarray, message: str) -> None:
    with pytest.raises(ArrayError, match=message):
        notional(prices, quantities)


@pytest.mark.parametrize("records", [commands(), np.zeros((1, 1), TRADE), np.zeros(3)])
def test_other_records_are_refused(records: np.ndarray) -> None:
    with pytest.raises(ArrayError, match="expected EVENT, TRADE or LEVEL"):
        vwap(records)


def test_no_numpy_sum_would_do() -> None:
    """The plain sum of products overflows where this one does not, hence the split."""
    prices, quantities = np.array([2**62, 2**62]), np.array([4, 4], np.uint32)
    assert int((prices * quantities.astype(np.int64)).sum()) == 0
    assert notional(prices, quantities) == 2**65 > sys.maxsize
