"""Statistics of flows small enough to count by hand, of made arrival times, and the purpose of each kind of command."""

from __future__ import annotations

import numpy as np
import pytest

from lowlat.engine import ExecInst, Instrument, MatchAlgorithm, extended_command
from lowlat.engine.flow.arrivals import arrivals
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.records import LifeEnd
from lowlat.engine.flow.statistics import following
from lowlat.engine.flow.statistics.arrivals import arrival_statistics
from lowlat.engine.flow.statistics.measure import NAMES, FlowStatistics, flow_statistics
from lowlat.engine.matching.commands import extended_commands
from lowlat.engine.matching.records import CommandType, Side, TimeInForce, TradingPhase
from lowlat.errors import ArrayError

BUY, SELL = Side.BUY, Side.SELL


def limit(order_id: int, side: Side, price: int, quantity: int = 5, **terms: int) -> tuple[int, ...]:
    return extended_command(CommandType.LIMIT, order_id, side=side, price=price, quantity=quantity, **terms)  # type: ignore[arg-type]


def cancel(order_id: int) -> tuple[int, ...]:
    return extended_command(CommandType.CANCEL, order_id)


def flow(*commands: tuple[int, ...], seeded: int = 0, instruments: tuple[Instrument, ...] = (Instrument(),)) -> Flow:
    return Flow("by hand", extended_commands(*commands), seeded=seeded, orders=100, mix={}, instruments=instruments)


SMALL = flow(
    limit(1, BUY, 100),
    limit(2, SELL, 110, 10),
    # measured from here on
    limit(3, BUY, 103),  # 3 inside the spread of 10
    limit(4, BUY, 103, 100),  # joins, behind one order; the spread is 7
    limit(5, SELL, 112, 200),  # 2 behind
    cancel(3),  # one of two at its level, not at the tail; lived 3
    cancel(4),  # alone at its level; lived 3
    limit(6, BUY, 110, 4, time_in_force=TimeInForce.IOC),  # takes part of the touch
    limit(7, BUY, 110, 6),  # takes the rest of it
    limit(8, BUY, 115, 210),  # takes all of 112, and 10 rest at 115
    cancel(99),  # rejected
    cancel(1),  # seeded: its life is not known
    seeded=2,
)


def values(statistics: FlowStatistics, name: str) -> list[int]:
    found = statistics[name]
    return np.repeat(found.values, found.counts).tolist()


@pytest.mark.parametrize("stretch", [1, 3, 100])
def test_a_small_flow_by_hand(stretch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "STRETCH_COMMANDS", stretch)
    found = flow_statistics(SMALL)
    assert (found.commands, found.rejected) == (9, 1)
    assert {act: count for act, count in found.acts.items() if count} == {"add": 3, "cancel": 3, "take": 2, "ioc": 1}
    assert values(found, "add_distance") == [-3, 0, 2]
    assert values(found, "add_spread") == [7, 7, 10]
    assert values(found, "add_ahead") == [0, 0, 1]
    assert values(found, "behind_ahead") == [0]
    assert values(found, "add_quantity") == [5, 100, 200]
    assert values(found, "queue") == [1, 1, 2]
    assert values(found, "cancel_behind") == [0, 0, 1]
    assert values(found, "cancel_lifetime") == [3, 3]
    assert values(found, "aggressive_quantity") == [4, 6, 210]
    assert values(found, "small_aggressive_quantity") == [4]
    assert values(found, "levels_swept") == [1, 1, 1]
    assert found.taken == (1, 2, 0)
    assert values(found, "live_orders") == [1, 2, 2, 3, 3, 3, 4, 4, 5]
    assert sorted(found.lives[["commands", "distance", "end"]].tolist()) == [
        (3, -3, LifeEnd.CANCELED),
        (3, 0, LifeEnd.CANCELED),
        (3, 0, LifeEnd.OPEN),  # the rest of a take, which has no distance
        (5, 2, LifeEnd.FILLED),
    ]
    assert set(found.samples) == set(NAMES)


def test_purposes_are_those_of_a_mix() -> None:
    found = flow_statistics(
        flow(
            limit(1, BUY, 10),
            limit(2, BUY, 10, flags=ExecInst.POST_ONLY),
            limit(3, BUY, 10, display_quantity=1),
            limit(4, BUY, 10, flags=ExecInst.ALL_OR_NONE),
            limit(5, BUY, 10, time_in_force=TimeInForce.DAY),
            limit(6, BUY, 10, time_in_force=TimeInForce.GTD, expiry=9),
            limit(7, BUY, 10, flags=ExecInst.POST_ONLY | ExecInst.PRICE_SLIDE),
            extended_command(CommandType.STOP, 8, side=BUY, quantity=1, trigger=20),
            extended_command(CommandType.STOP_LIMIT, 9, side=BUY, quantity=1, trigger=20, price=20),
            extended_command(CommandType.REDUCE, 1, quantity=2),
            extended_command(CommandType.REPLACE, 1, quantity=1, price=9),
            extended_command(CommandType.MARKET, 10, side=SELL, quantity=1),
            limit(11, SELL, 10, 1, time_in_force=TimeInForce.FOK),
            limit(12, SELL, 10, 1, time_in_force=TimeInForce.IOC),
            limit(13, SELL, 10, 1),
            extended_command(CommandType.ADVANCE_TIME, quantity=3),
            extended_command(CommandType.PHASE, quantity=TradingPhase.CALL),
            cancel(4),
        )
    )
    # A stop needs a trade before its trigger means anything, but may be entered without one.
    once = {"stop_limit", "market", "fok", "ioc", "take", "reduce", "replace", "clock", "auction", "cancel", "stop"}
    once |= {"add", "post_only", "iceberg", "all_or_none", "day", "gtd", "slide"}
    assert {act: count for act, count in found.acts.items() if count} == dict.fromkeys(once, 1)
    assert values(found, "reduce_percent") == [40]


def test_symbols_are_counted() -> None:
    made = flow(
        limit(1, BUY, 10),
        limit(2, BUY, 10, symbol=2),
        limit(3, BUY, 10, symbol=2),
        instruments=(Instrument(), Instrument(), Instrument(algorithm=MatchAlgorithm.PRO_RATA)),
    )
    found = flow_statistics(made)
    assert (found.by_symbol.tolist(), found.pro_rata) == ([1, 0, 2], 1)


def test_progress_reaches_the_end() -> None:
    seen: list[float] = []
    flow_statistics(SMALL, progress=seen.append)
    assert seen == [1.0]


def test_times_of_another_length_are_refused() -> None:
    with pytest.raises(ArrayError, match=r"3 times for 10 measured commands; pass one for each"):
        flow_statistics(SMALL, np.arange(3))


# -- arrivals --------------------------------------------------------------------------------------------------------


def test_regular_arrivals_vary_less_and_bursts_more_than_independent_ones() -> None:
    found = {}
    for process in ("constant", "poisson", "burst"):
        times_ps = arrivals(process, 200_000, 1_000, seed=1)  # type: ignore[arg-type]
        statistics = arrival_statistics((times_ps // 1_000).astype(np.int64))
        assert statistics is not None and statistics.rate_per_s == pytest.approx(1_000, rel=0.01)
        found[process] = statistics
    assert found["constant"].fano[1.0] < 0.01 and found["constant"].branching == 0
    assert found["poisson"].fano[1.0] == pytest.approx(1, abs=0.25)
    # 1 / (1 - 0.7)^2 = 11 for long windows
    assert found["burst"].fano[1.0] == pytest.approx(11.1, rel=0.3)
    assert found["burst"].branching == pytest.approx(0.7, abs=0.07)
    assert found["burst"].spacings_ns.quantile(0.5) < found["poisson"].spacings_ns.quantile(0.5)


def test_windows_that_are_too_long_for_the_flow_are_left_out() -> None:
    found = arrival_statistics(np.arange(0, 10**9 + 1, 10**6))  # a second
    assert found is not None and max(found.fano) == 0.02


def test_times_without_a_span_have_no_statistics() -> None:
    assert arrival_statistics(np.array([5, 5, 5])) is None
    assert arrival_statistics(np.array([5])) is None
