"""Bulk level updates give the same result as a dictionary of integers, or name the invalid level and change nothing."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lowlat.engine.analytics.level_updates import apply_level_updates, level_updates
from lowlat.engine.matching.records import LEVEL, TRADE, Side
from lowlat.errors import ArrayError, LevelUpdateError

BIDS = np.array([(103, 5, 1), (102, 7, 2), (100, 9, 3)], LEVEL)
ASKS = BIDS[::-1].copy()

PRICES = st.one_of(st.integers(-3, 70), st.sampled_from([-(2**63), 2**63 - 1]))
AMOUNTS = st.one_of(st.integers(0, 4), st.sampled_from([2**63 - 1, 2**63, 2**64 - 1]))
CHANGES = st.one_of(st.integers(-2, 6), st.sampled_from([-(2**63), 2**63 - 1]))


def told(levels: np.ndarray) -> list[tuple[int, int, int]]:
    rows: list[tuple[int, int, int]] = levels.tolist()
    return rows


def test_bids_come_highest_first() -> None:
    after = apply_level_updates(BIDS, level_updates((100, -4, -1), (103, 2, 1), (100, 1, 0)), Side.BUY)
    assert told(after) == [(103, 7, 2), (102, 7, 2), (100, 6, 2)]
    assert told(BIDS) == [(103, 5, 1), (102, 7, 2), (100, 9, 3)]


def test_a_level_without_quantity_is_dropped() -> None:
    assert told(apply_level_updates(ASKS, level_updates((102, -7, -2)), Side.SELL)) == [(100, 9, 3), (103, 5, 1)]


def test_new_levels_come_in_at_their_place() -> None:
    updates = level_updates((99, 1, 1), (104, 2, 1), (101, 3, 1))
    after = apply_level_updates(BIDS, updates, Side.BUY, insert=True)
    assert told(after) == [(104, 2, 1), (103, 5, 1), (102, 7, 2), (101, 3, 1), (100, 9, 3), (99, 1, 1)]
    first = apply_level_updates(BIDS[:0], level_updates((1, 1, 1), (2, 1, 1)), Side.BUY, insert=True)
    assert told(first) == [(2, 1, 1), (1, 1, 1)]


def test_an_unknown_price_is_an_error_unless_inserted() -> None:
    with pytest.raises(LevelUpdateError, match=r"level 101: no such level.*insert=True") as caught:
        apply_level_updates(BIDS, level_updates((103, 1, 0), (101, 3, 1)), Side.BUY)
    assert caught.value.price == 101


@pytest.mark.parametrize(
    "update",
    [(102, -8, 0), (102, 0, -3), (102, -7, -1), (102, -7, 0), (101, -1, 0), (101, 0, 1)],
    ids=["quantity below 0", "orders below 0", "orders without quantity", "all orders", "new below 0", "new empty"],
)
def test_a_sum_out_of_range_is_an_error(update: tuple[int, int, int]) -> None:
    with pytest.raises(LevelUpdateError, match=f"level {update[0]}: ") as caught:
        apply_level_updates(BIDS, level_updates(update), Side.BUY, insert=True)
    assert caught.value.price == update[0]


def test_only_the_sum_of_a_price_counts() -> None:
    """In any order of changes, 7 - 9 + 3 is 1."""
    after = apply_level_updates(ASKS, level_updates((102, -9, 0), (102, 3, 0)), Side.SELL)
    assert told(after)[1] == (102, 1, 2)


@pytest.mark.parametrize(("levels", "side"), [(BIDS, Side.SELL), (ASKS, Side.BUY), (BIDS[[0, 1, 1]], Side.BUY)])
def test_levels_out_of_order_are_an_error(levels: np.ndarray, side: Side) -> None:
    with pytest.raises(LevelUpdateError, match="level 102: out of order"):
        apply_level_updates(levels, level_updates(), side)


def test_other_arrays_are_refused() -> None:
    with pytest.raises(ArrayError, match="levels are"):
        apply_level_updates(np.zeros(1, TRADE), level_updates(), Side.BUY)
    with pytest.raises(ArrayError, match="updates are"):
        apply_level_updates(BIDS, BIDS, Side.BUY)


def test_strided_and_unaligned_levels() -> None:
    after = apply_level_updates(np.repeat(BIDS, 2)[::2], level_updates((100, 1, 1)), Side.BUY)
    assert told(after)[2] == (100, 10, 4)
    raw = np.zeros(32 * 4 + 1, np.uint8)
    shifted = raw[1 : 1 + 32 * 3].view(LEVEL)
    shifted[:] = BIDS
    assert told(apply_level_updates(shifted, level_updates((100, 1, 1)), Side.BUY))[2] == (100, 10, 4)


def by_dictionary(
    levels: dict[int, tuple[int, int]], updates: list[tuple[int, int, int]], side: Side, insert: bool
) -> list[tuple[int, int, int]] | type[LevelUpdateError]:
    quantity, orders = Counter[int](), Counter[int]()
    for price, *change in updates:
        quantity[price] += change[0]
        orders[price] += change[1]
    for price in sorted({price for price, *_ in updates}, reverse=side is Side.BUY):
        if price not in levels and not insert:
            return LevelUpdateError
        before = levels.get(price, (0, 0))
        now = before[0] + quantity[price], before[1] + orders[price]
        if not all(0 <= amount < 2**64 for amount in now) or (now[1] and not now[0]):
            return LevelUpdateError
        levels = {**levels, price: now}
    rows = [(price, *now) for price, now in levels.items() if now[0] or (price not in {u[0] for u in updates})]
    return sorted(rows, reverse=side is Side.BUY)


@given(
    st.dictionaries(PRICES, st.tuples(AMOUNTS, AMOUNTS), max_size=70),
    st.lists(st.tuples(PRICES, CHANGES, CHANGES), max_size=70),
    st.sampled_from(Side),
    st.booleans(),
)
@example(dict.fromkeys(range(70), (5, 1)), [(price, -5, -1) for price in range(69)], Side.SELL, False)
@example(dict.fromkeys(range(70), (5, 1)), [(price, 1, 1) for price in range(70)] * 2, Side.BUY, False)
@example({1: (2**64 - 1, 1)}, [(1, -(2**63), 0), (1, -(2**63) + 1, -1)], Side.BUY, False)
@example({1: (2**63 - 1, 1)}, [(1, 1, 0)], Side.BUY, False)
@example({1: (2**64 - 1, 1)}, [(1, 1, 0)], Side.BUY, False)
def test_any_updates_give_what_a_dictionary_gives(
    book: dict[int, tuple[int, int]], updates: list[tuple[int, int, int]], side: Side, insert: bool
) -> None:
    rows = [(price, *book[price]) for price in sorted(book, reverse=side is Side.BUY)]
    levels = np.array(rows, LEVEL)
    expected = by_dictionary(book, updates, side, insert)
    if isinstance(expected, list):
        assert told(apply_level_updates(levels, level_updates(*updates), side, insert=insert)) == expected
    else:
        with pytest.raises(expected):
            apply_level_updates(levels, level_updates(*updates), side, insert=insert)
    assert told(levels) == rows


@given(st.dictionaries(st.integers(-200, 200), st.integers(1, 9), min_size=1, max_size=300), st.randoms())
def test_long_runs_and_long_gaps(book: dict[int, int], random: object) -> None:
    """More levels than one run of updates, and updates far apart: both paths of the loop."""
    assert hasattr(random, "sample")
    prices = sorted(book)
    chosen = sorted(random.sample(prices, k=random.randint(0, len(prices))))  # type: ignore[attr-defined]
    levels = np.array([(price, book[price], 1) for price in prices], LEVEL)
    updates = [(price, book[price] % 3 - 1, 0) for price in chosen]
    expected = by_dictionary({price: (amount, 1) for price, amount in book.items()}, updates, Side.SELL, False)
    if isinstance(expected, list):
        assert told(apply_level_updates(levels, level_updates(*updates), Side.SELL)) == expected
