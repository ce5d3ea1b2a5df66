"""No input makes the engine slow: the worst known inputs cost a bounded multiple of an ordinary command.

The bounds are many times what a quiet machine shows, so that only a higher order of growth exceeds them: each input
would take thousands of times as long if a single step visited all levels, all orders of a level, or all slots.
"""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest

from lowlat.engine.matching.instrument import PRICE_MAX, PRICE_MIN
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import COMMAND, Commands, CommandType, PoolPolicy, Reason, Side, TimeInForce

COUNT = 100_000
MANY = 50_000


def adds(prices: np.ndarray | int, ids: np.ndarray, side: Side = Side.BUY) -> Commands:
    made = np.zeros(len(ids), COMMAND)
    made["order_id"], made["price"], made["quantity"], made["kind"], made["side"] = (
        ids,
        prices,
        1,
        CommandType.LIMIT,
        side,
    )
    return made


def cancels(ids: np.ndarray) -> Commands:
    made = np.zeros(len(ids), COMMAND)
    made["order_id"], made["kind"] = ids, CommandType.CANCEL
    return made


def pairs(first: Commands, second: Commands) -> Commands:
    """The commands of both, alternating."""
    return np.stack([first, second], axis=1).reshape(-1)


def ids(count: int = COUNT, start: int = 1_000_000, stride: int = 1) -> np.ndarray:
    return (start + np.arange(count, dtype=np.uint64)) * np.uint64(stride)


def shuffled(array: np.ndarray) -> np.ndarray:
    return np.random.default_rng(1).permutation(array)


def ns_per_command(prepare: Commands | None, stream: Commands, **sizes: int) -> float:
    """Minimum of three, each on a new engine: CPU time per command of the stream, after preparing the book."""
    taken = []
    for _ in range(3):
        engine = Engine(**{"orders": 200_000, **sizes})
        if prepare is not None:
            engine.process(prepare)
        start = process_time()
        events = engine.process(stream)
        taken.append(process_time() - start)
        assert (events["reason"] != Reason.UNKNOWN_ORDER_ID).all()
        engine.check_invariants()
    return min(taken) / len(stream) * 1e9


def churn(prices: np.ndarray | int, count: int = COUNT) -> Commands:
    """Each order is canceled as soon as it rests."""
    return pairs(adds(prices, ids(count)), cancels(ids(count)))


@pytest.fixture(scope="module")
def plain() -> float:
    """Nanoseconds per command near the touch of an ordinary book."""
    near = shuffled(np.arange(COUNT)) % 50
    return ns_per_command(adds(near[:10_000], ids(10_000, 0)), churn(near))


SPARSE = np.linspace(PRICE_MIN, PRICE_MAX - 1024, MANY).astype(np.int64)
DENSE = np.arange(MANY)
RANDOM_LEVEL = shuffled(np.arange(COUNT)) % MANY

BOOKS = {
    "sparse": adds(SPARSE, ids(MANY, 0)),
    "dense": adds(DENSE, ids(MANY, 0)),
    "one-level": adds(0, ids(COUNT, 0)),
}


def outlier_in_turn(near: int, far: int) -> np.ndarray:
    """A price near the others, then one far away, repeatedly."""
    return np.where(np.arange(COUNT) % 2 == 0, near, far)


CASES = {
    "add and cancel on 50,000 levels over all of int64": (BOOKS["sparse"], churn(SPARSE[RANDOM_LEVEL] + 7)),
    "the same, at the best of them": (BOOKS["sparse"], churn(PRICE_MAX)),
    "best price far from 50,000 levels, again and again": (BOOKS["dense"], churn(10**15)),
    "far above and at the touch in turn": (BOOKS["dense"], churn(outlier_in_turn(MANY, 10**15))),
    "far above and far below in turn": (BOOKS["dense"], churn(outlier_in_turn(-(10**15), 10**15))),
    "both ends of int64 in turn": (None, churn(outlier_in_turn(PRICE_MIN, PRICE_MAX))),
    "a window's width apart in turn": (BOOKS["dense"], churn(outlier_in_turn(MANY, MANY + 131_073))),
    "a touch that jumps by more than a window each time": (None, churn(np.arange(COUNT) % 60_000 * 200_001)),
    "100,000 orders at a price, canceled in any order": (BOOKS["one-level"], cancels(shuffled(ids(COUNT, 0)))),
    "100,000 orders at a price, canceled from the middle": (
        BOOKS["one-level"],
        cancels(np.concatenate([ids(COUNT // 2, COUNT // 2), ids(COUNT // 2, 0)[::-1]])),
    ),
    "50,000 levels taken one by one": (BOOKS["dense"], adds(0, ids(MANY), Side.SELL)),
    "50,000 sparse levels taken one by one": (BOOKS["sparse"], adds(PRICE_MIN, ids(MANY), Side.SELL)),
}


@pytest.mark.filterwarnings("ignore::lowlat.errors.PriceGridWarning")
@pytest.mark.parametrize("name", CASES)
def test_no_prices_make_it_slow(name: str, plain: float) -> None:
    prepare, stream = CASES[name]
    assert ns_per_command(prepare, stream) < 40 * plain


def strided(stride: int) -> np.ndarray:
    """Ids a multiple of `stride` apart, wrapping; if the stride leaves few distinct ids, every other one counts up."""
    ordinal = np.arange(COUNT + MANY, dtype=np.uint64)
    distinct = 2**64 // stride
    return ordinal % np.uint64(min(distinct, 2**62)) * np.uint64(stride) + ordinal // np.uint64(min(distinct, 2**62))


STRIDES = [1, 2, 63, 4_096, 65_536, 65_537, 2**18, 2**20, 2**31, 2**32, 2**32 + 1, 2**33, 2**48, 2**60, 2**63]


@pytest.mark.parametrize("stride", STRIDES)
def test_no_stride_of_ids_makes_it_slow(stride: int, plain: float) -> None:
    live, fresh = np.split(strided(stride), [MANY])
    assert len(np.unique(live)) == MANY
    stream = pairs(adds(np.arange(COUNT) % 50, fresh), cancels(fresh))
    assert ns_per_command(adds(np.arange(MANY) % 50, live), stream, orders=MANY + 1) < 40 * plain


def test_ids_in_any_order_do_not_make_it_slow(plain: float) -> None:
    random = np.random.default_rng(1).integers(0, 2**64, COUNT, dtype=np.uint64)
    near = np.arange(COUNT) % 50
    stream = pairs(adds(near, random), cancels(random))
    assert ns_per_command(adds(near, ids(COUNT, 0, 65_536)), stream) < 40 * plain


@pytest.mark.parametrize("book", ["dense", "one-level"])
def test_an_order_that_takes_all_costs_no_more_than_its_trades(book: str, plain: float) -> None:
    sweep = adds(PRICE_MIN, ids(1), Side.SELL)
    sweep["quantity"] = COUNT
    assert ns_per_command(BOOKS[book], sweep) / len(BOOKS[book]) < 40 * plain


def test_a_fill_or_kill_that_cannot_be_filled_looks_at_levels_not_orders(plain: float) -> None:
    kills = adds(PRICE_MIN, ids(COUNT), Side.SELL)
    kills["quantity"], kills["time_in_force"] = COUNT + 1, TimeInForce.FOK
    assert ns_per_command(BOOKS["one-level"], kills) < 40 * plain


def test_a_refusal_for_want_of_trade_records_looks_no_further_than_those(plain: float) -> None:
    takes = adds(PRICE_MIN, ids(COUNT), Side.SELL)
    takes["quantity"] = COUNT + 1
    sizes = {"trades": 10, "when_trades_dry": PoolPolicy.REJECT}
    assert ns_per_command(BOOKS["one-level"], takes, **sizes) < 40 * plain
