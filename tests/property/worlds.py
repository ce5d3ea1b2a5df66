"""Small worlds for every command type: two symbols, one of them pro rata, a few prices, a few participants, and a clock
that counts to ten, so that everything interacts.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lowlat.engine.conformance.rows import Row
from lowlat.engine.matching.commands import command, extended_command
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import PRICE_MAX, PRICE_MIN, Instrument
from lowlat.engine.matching.records import (
    CommandType,
    ExecInst,
    MatchAlgorithm,
    PoolPolicy,
    SelfTradePrevention,
    Side,
    TickRounding,
    TimeInForce,
    TradingPhase,
)
from tests.property.strategies import (
    DRY_ORDERS,
    NEW_IDS,
    Domain,
    cancels,
    cases,
    limits,
    markets,
    mixed,
    reduces,
    replaces,
    wrong,
)

TICKS = 5
"""Prices are so many ticks around zero."""


def _symbols(tick: int = 1, lot: int = 1, **rules: Any) -> tuple[Instrument, ...]:
    return tuple(Instrument(tick=tick, lot=lot, algorithm=algorithm, **rules) for algorithm in MatchAlgorithm)


ROOMY = EngineConfig(_symbols(), orders=64, trades=512)


@st.composite
def world_settings(draw: st.DrawFn) -> EngineConfig:
    """Plain, or with any of: a tick, a rounding rule, a lot, a band; pools that are large or run out, any policy."""
    tick, lot = draw(st.sampled_from([1, 1, 2])), draw(st.sampled_from([1, 1, 2]))
    low, high = draw(st.sampled_from([(PRICE_MIN, PRICE_MAX)] * 3 + [(-4 * tick, 3 * tick + 1)]))
    rules = _symbols(tick, lot, off_tick=draw(st.sampled_from(TickRounding)), price_min=low, price_max=high)
    dry_orders, dry_trades = draw(st.sampled_from(DRY_ORDERS)), draw(st.sampled_from(PoolPolicy))
    orders, trades = draw(st.sampled_from([64, 64, 6])), draw(st.sampled_from([64, 9, 3]))
    return EngineConfig(rules, orders, trades, dry_orders, dry_trades)


def world(tick: int, lot: int) -> Domain:
    """The values from which the fields of commands for an engine with `world_settings` are drawn."""
    ticks = mixed((3, st.integers(-2, 2)), (2, st.integers(-TICKS, TICKS)))
    quantity = mixed((9, st.integers(1, 6)), (1, st.integers(7, 30))).map(lambda lots: lots * lot)
    price = mixed((9, ticks.map(lambda count: count * tick)), (1, st.integers(-TICKS * tick, TICKS * tick)))
    return Domain(price, quantity, st.sampled_from([0, 1]), 2)


OWNERS = st.sampled_from([0, 0, 1, 1, 2])


def wide(domain: Domain, kind: CommandType, **terms: SearchStrategy[int]) -> SearchStrategy[Row]:
    """Orders of a kind, with participants and policies, and any of `terms`."""
    fields = {
        "side": st.sampled_from(Side),
        "quantity": domain.quantity,
        "symbol": domain.symbol,
        "participant_id": OWNERS,
        "self_trade": st.sampled_from(SelfTradePrevention),
    }
    return st.builds(extended_command, st.just(kind), NEW_IDS, **(fields | terms))


@cache
def kinds(tick: int, lot: int) -> dict[str, SearchStrategy[Row]]:
    """Every operation on a book, by name."""
    domain = world(tick, lot)
    price = domain.price
    few = replace(domain, quantity=st.integers(1, 2).map(lambda lots: lots * lot))
    one_shot = st.sampled_from([TimeInForce.IOC, TimeInForce.FOK])
    dated = {"time_in_force": st.just(TimeInForce.GTD), "expiry": st.integers(1, 4)}
    day = {"time_in_force": st.just(TimeInForce.DAY)}
    return {
        "limit": wide(domain, CommandType.LIMIT, price=price),
        "one_shot": wide(domain, CommandType.LIMIT, price=price, time_in_force=one_shot),
        "market": mixed((2, wide(domain, CommandType.MARKET)), (1, markets(domain))),
        "post_only": limits(domain, TimeInForce.GTC, ExecInst.POST_ONLY),
        "slide": wide(domain, CommandType.LIMIT, price=price, flags=st.just(ExecInst.POST_ONLY | ExecInst.PRICE_SLIDE)),
        "iceberg": wide(
            domain,
            CommandType.LIMIT,
            price=price,
            quantity=st.integers(2, 9).map(lambda lots: lots * lot),
            display_quantity=st.integers(1, 2).map(lambda lots: lots * lot),
        ),
        "all_or_none": wide(
            domain, CommandType.LIMIT, price=price, symbol=st.just(0), flags=st.just(ExecInst.ALL_OR_NONE)
        ),
        "stop": wide(domain, CommandType.STOP, trigger=price),
        "stop_limit": wide(domain, CommandType.STOP_LIMIT, price=price, trigger=price),
        "trailing_stop": mixed(
            (2, wide(domain, CommandType.TRAILING_STOP, trigger=price.map(abs))),
            (
                1,
                wide(
                    domain, CommandType.TRAILING_STOP, trigger=BASIS_POINTS, flags=st.just(ExecInst.TRAIL_BASIS_POINTS)
                ),
            ),
        ),
        "day": mixed(
            (2, wide(domain, CommandType.LIMIT, price=price, **day)),
            (1, wide(domain, CommandType.STOP, trigger=price, **day)),
        ),
        "dated": mixed(
            (2, wide(domain, CommandType.LIMIT, price=price, **dated)),
            (1, wide(domain, CommandType.STOP, trigger=price, **dated)),
        ),
        "cancel": cancels(domain),
        "reduce": mixed((1, reduces(domain)), (2, reduces(few))),
        "replace": replaces(domain),
        "clock": st.builds(command, st.just(CommandType.ADVANCE_TIME), st.just(0), quantity=st.integers(0, 3)),
        "phase": st.builds(command, st.just(CommandType.PHASE), st.just(0), quantity=PHASES, symbol=domain.symbol),
        "wrong": mixed((1, wrong(domain)), (2, wrong_terms(domain))),
    }


BASIS_POINTS = st.sampled_from([1, 2_500, 5_000, 10_000])
PHASES = st.sampled_from(
    [*[TradingPhase.CONTINUOUS] * 5, *[TradingPhase.CALL] * 3, TradingPhase.HALTED, TradingPhase.CLOSED]
)

WEIGHTS = {
    "limit": 9,
    "iceberg": 5,
    "all_or_none": 4,
    "stop": 3,
    "stop_limit": 2,
    "trailing_stop": 3,
    "dated": 3,
    "reduce": 2,
    "clock": 2,
    "phase": 2,
    "wrong": 2,
}
"""How often a kind is drawn, where that is not once."""


def wrong_terms(domain: Domain) -> SearchStrategy[Row]:
    """Orders that may have any term."""
    return st.builds(
        extended_command,
        mixed((2, st.just(CommandType.LIMIT)), (1, st.sampled_from(CommandType))),
        NEW_IDS,
        side=st.sampled_from(Side),
        price=mixed((2, domain.price), (1, st.sampled_from([0, 0, PRICE_MIN, PRICE_MAX]))),
        quantity=domain.quantity,
        symbol=domain.symbol,
        time_in_force=st.sampled_from([0, 0, 1, 2, 3, 4]),
        flags=st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5, 8, 12]),
        trigger=mixed((2, st.just(0)), (1, domain.price), (1, st.sampled_from([PRICE_MIN, PRICE_MAX, 10_001]))),
        expiry=st.sampled_from([0, 0, 1, 2, 2**64 - 1]),
        display_quantity=st.sampled_from([0, 0, 1, 2, 9, 2**32 - 1]),
        participant_id=OWNERS,
        self_trade=st.sampled_from([0, 1, 2, 3, 4, 5]),
    )


def world_rows(sized: EngineConfig) -> SearchStrategy[Row]:
    """Any command."""
    return _mix(sized.instruments[0].tick, sized.instruments[0].lot)


@cache
def _mix(tick: int, lot: int) -> SearchStrategy[Row]:
    return mixed(*((WEIGHTS.get(name, 1), drawn) for name, drawn in kinds(tick, lot).items()))


WORLDS = cases(100, world_settings(), world_rows, short=5)
"""Cases of every kind, mostly long: what one kind does to another takes some commands to come about."""
