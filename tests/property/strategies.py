"""Hypothesis strategies: few ids, prices and quantities, so that commands interact, and every kind of edge case. A case
is the settings of an engine and a list of commands for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lowlat.engine.conformance.rows import WIDE, Row
from lowlat.engine.matching.commands import command
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import PRICE_MAX, PRICE_MIN, Instrument
from lowlat.engine.matching.records import (
    EXTENDED_COMMAND,
    QUANTITY_MAX,
    CommandType,
    ExecInst,
    PoolPolicy,
    Side,
    TimeInForce,
)
from lowlat.engine.reference.engine import ReferenceEngine
from tests.property.comparison import paste

T = TypeVar("T")

EXPIRY = (EXTENDED_COMMAND.names or ()).index("expiry")

EXAMPLES = int(os.environ.get("LOWLAT_EXAMPLES", "30"))
"""How many cases a property is tried with; `make test-slow` asks for 100."""

PROPERTY = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)

# Symbols, and the ticks of a ladder's window with so many books (`EngineConfig::window_places` in settings.hpp).
WINDOWS = {4: 131_072, 2_048: 256}


@dataclass(frozen=True)
class Case:
    """Hypothesis shows it as code to paste."""

    settings: EngineConfig
    rows: list[Row]

    def __repr__(self) -> str:
        return paste(self.settings, self.rows)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))


def mixed(*weighted: tuple[int, SearchStrategy[T]]) -> SearchStrategy[T]:
    """One of the strategies, with frequencies by weight (`st.one_of` merges equal ones)."""
    table = [strategy for weight, strategy in weighted for _ in range(weight)]
    return st.integers(0, len(table) - 1).flatmap(table.__getitem__)


ODD_IDS = st.sampled_from([0, 2**64 - 1, 2**32 + 1, 2**33 + 1, 2**63 + 2, 2**32 - 1])  # some with equal low halves
NEW_IDS = mixed((9, st.integers(1, 60)), (1, ODD_IDS))
OLD_IDS = mixed((9, st.integers(1, 9)), (1, ODD_IDS))
"""See `naming`."""

WRONG_QUANTITIES = st.sampled_from([0, -1, QUANTITY_MAX + 1, 2**32 + 5, 2**63 - 1, -(2**63)])


def quantities(lot: int) -> SearchStrategy[int]:
    """A few lots, or the maximum."""
    few = st.integers(1, 7).map(lambda lots: min(lots * lot, QUANTITY_MAX // lot * lot))
    return mixed((9, few), (1, st.sampled_from([QUANTITY_MAX, QUANTITY_MAX - 1, 3])))


def prices(window: int, tick: int) -> SearchStrategy[int]:
    """Around a touch, around the edges of the window that the touch creates, far away, at both ends of int64."""
    half = window // 2
    near = st.integers(-2, 2)
    centers = [0, -half, half, -window, window, 10 * window, 10**12, -(10**12)]
    ends = [PRICE_MIN, PRICE_MIN + half, PRICE_MIN + window, PRICE_MAX, PRICE_MAX - half, PRICE_MAX - window]
    edges = st.tuples(st.sampled_from(centers), near).map(sum)
    sparse = st.integers(-40, 40).map(lambda step: step * (window // 3 + 1))
    on_tick = mixed((8, near), (2, edges), (1, sparse)).map(lambda ticks: _within_int64(ticks * tick))
    at_ends = st.tuples(st.sampled_from(ends), near).map(sum).map(_within_int64)
    return mixed((18, on_tick), (1, at_ends), (1, st.integers(PRICE_MIN, PRICE_MAX)))


def _within_int64(price: int) -> int:
    return min(max(price, PRICE_MIN), PRICE_MAX)


@dataclass(frozen=True)
class Domain:
    """The values from which the fields of valid commands for an engine are drawn."""

    price: SearchStrategy[int]
    quantity: SearchStrategy[int]
    symbol: SearchStrategy[int]
    symbols: int

    @staticmethod
    def of(tick: int, lot: int, symbols: int) -> Domain:
        window = next(size for count, size in WINDOWS.items() if symbols <= count)
        symbol = st.sampled_from([*[0] * 6, symbols - 1])
        return Domain(prices(window, tick), quantities(lot), symbol, symbols)


def limits(domain: Domain, time_in_force: TimeInForce, flags: int = 0) -> SearchStrategy[Row]:
    return st.builds(
        command,
        st.just(CommandType.LIMIT),
        NEW_IDS,
        side=st.sampled_from(Side),
        price=domain.price,
        quantity=domain.quantity,
        symbol=domain.symbol,
        time_in_force=st.just(time_in_force),
        flags=st.just(flags),
    )


def markets(domain: Domain) -> SearchStrategy[Row]:
    return st.builds(
        command,
        st.just(CommandType.MARKET),
        NEW_IDS,
        side=st.sampled_from(Side),
        quantity=domain.quantity,
        symbol=domain.symbol,
        time_in_force=st.sampled_from(TimeInForce),
    )


def cancels(domain: Domain) -> SearchStrategy[Row]:
    return st.builds(command, st.just(CommandType.CANCEL), OLD_IDS, symbol=domain.symbol)


def reduces(domain: Domain) -> SearchStrategy[Row]:
    return st.builds(command, st.just(CommandType.REDUCE), OLD_IDS, quantity=domain.quantity, symbol=domain.symbol)


def replaces(domain: Domain) -> SearchStrategy[Row]:
    return st.builds(
        command,
        st.just(CommandType.REPLACE),
        OLD_IDS,
        price=domain.price,
        quantity=domain.quantity,
        symbol=domain.symbol,
        flags=st.sampled_from([0, 0, ExecInst.POST_ONLY]),
    )


def wrong(domain: Domain) -> SearchStrategy[Row]:
    """Commands in which any field may be out of its domain."""
    return st.builds(
        command,
        st.sampled_from([*CommandType, *CommandType, 0, 11, 255]),
        OLD_IDS,
        side=st.sampled_from([0, 1, 2, 255]),
        price=st.one_of(domain.price, st.just(0)),
        quantity=st.one_of(domain.quantity, WRONG_QUANTITIES),
        symbol=st.sampled_from([0, 0, 0, domain.symbols - 1, domain.symbols, 2**32 - 1]),
        time_in_force=st.sampled_from([0, 0, 1, 2, 3, 4, 5, 255]),
        flags=st.sampled_from([0, 0, 1, 2, 3, 4, 8, 16, 128]),
    )


def rows(domain: Domain) -> SearchStrategy[Row]:
    """Any command; half of them build the book."""
    return mixed(
        (10, limits(domain, TimeInForce.GTC)),
        *[(1, limits(domain, time_in_force)) for time_in_force in (TimeInForce.IOC, TimeInForce.FOK)],
        (1, limits(domain, TimeInForce.GTC, ExecInst.POST_ONLY)),
        (1, markets(domain)),
        (2, cancels(domain)),
        (1, reduces(domain)),
        (3, replaces(domain)),
        (1, wrong(domain)),
    )


@st.composite
def instruments(draw: st.DrawFn) -> Instrument:
    """Plain, or with any of: a tick, a lot, a band whose ends need not be on the tick."""
    if draw(st.sampled_from([True, True, False])):
        return Instrument()
    bands = [(PRICE_MIN, PRICE_MAX)] * 3 + [(-2, 3), (0, PRICE_MAX), (PRICE_MIN, -1), (PRICE_MAX, PRICE_MAX)]
    low, high = draw(st.sampled_from(bands))
    tick = draw(st.sampled_from([1, 2, 5, 2**62, PRICE_MAX]))
    return Instrument(tick=tick, lot=draw(st.sampled_from([1, 2, QUANTITY_MAX])), price_min=low, price_max=high)


DRY_ORDERS = [PoolPolicy.REJECT, PoolPolicy.GROW]


@st.composite
def engine_settings(draw: st.DrawFn) -> EngineConfig:
    """Including pools small enough to run out, with every policy; one book, a few with their own rules, or 2,048."""
    symbols = draw(st.sampled_from([1, 1, 1, 1, 3, 3, 3, 2_048]))
    rules = tuple(draw(instruments()) for _ in range(symbols)) if symbols < 10 else (Instrument(),) * symbols
    dry_orders, dry_trades = draw(st.sampled_from(DRY_ORDERS)), draw(st.sampled_from(PoolPolicy))
    if draw(st.booleans()):
        return EngineConfig(rules, 64, 64, dry_orders, dry_trades)
    pools = st.sampled_from([1, 2, 3, 5, 64])
    return EngineConfig(rules, draw(pools), draw(pools), dry_orders, dry_trades)


def naming(engine: ReferenceEngine, row: Row) -> Row:
    """The command; but a change that names an id of 1 to 9 names the first, second ... order or stop of its symbol, a
    replacement's price of a few ticks is counted from that order's price, and a time of 1 to 9 from the clock."""
    order_id, price, quantity, symbol, kind, *rest = row
    if kind == CommandType.ADVANCE_TIME and 1 <= quantity <= 9:
        return (order_id, price, _within_int64(quantity + engine.clock), symbol, kind, *rest)
    if rest[1] == TimeInForce.GTD and len(row) == WIDE and 1 <= row[EXPIRY] <= 9:
        return (*row[:EXPIRY], row[EXPIRY] + engine.clock, *row[EXPIRY + 1 :])
    known = symbol < len(engine.settings.instruments)
    if kind not in (CommandType.CANCEL, CommandType.REDUCE, CommandType.REPLACE) or not known or not 1 <= order_id <= 9:
        return row
    live = [(int(each["order_id"]), int(each["price"])) for each in (*engine.orders(symbol), *engine.stops(symbol))]
    if not live:
        return row
    named, at = live[order_id % len(live)]
    if kind == CommandType.REPLACE and abs(price) <= 2 * engine.instrument(symbol).tick:
        price = _within_int64(at + price)
    return (named, price, quantity, symbol, kind, *rest)


Drawing = Callable[[EngineConfig], SearchStrategy[Row]]
"""What the commands for an engine are drawn from."""

SIZES = engine_settings()


def plain_rows(sized: EngineConfig) -> SearchStrategy[Row]:
    return _plain_rows(sized.instruments[0].tick, sized.instruments[0].lot, len(sized.instruments))


@cache  # Hypothesis takes long to validate a new strategy
def _plain_rows(tick: int, lot: int, symbols: int) -> SearchStrategy[Row]:
    return rows(Domain.of(tick, lot, symbols))


@st.composite
def cases(
    draw: st.DrawFn,
    size_max: int = 80,
    sizes: SearchStrategy[EngineConfig] = SIZES,
    drawing: Drawing = plain_rows,
    short: int = 1,
) -> Case:
    """Settings, and commands for them; one of `short` + 1 lists may be short."""
    sized = draw(sizes)
    size_min = draw(st.sampled_from([0, *[size_max * 3 // 4] * short]))
    drawn = draw(st.lists(drawing(sized), min_size=size_min, max_size=size_max))
    engine = ReferenceEngine.of(sized)
    told = []
    for row in drawn:
        told.append(naming(engine, row))
        engine.execute(told[-1])
    return Case(sized, told)
