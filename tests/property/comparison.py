"""Two engines, the same commands: the first thing in which they differ, and a command list to paste that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from engine.contract import MatchingEngine
from engine.instrument import Instrument
from engine.records import COMMAND, Commands, Flag, Kind, Side, TimeInForce, commands, describe
from engine.settings import Settings

Row = tuple[int, ...]
"""One command, in the order of `COMMAND`."""


def difference(one: MatchingEngine, other: MatchingEngine, rows: Sequence[Row]) -> str | None:
    """What differs after `rows`: an event, a book, the tape. None when all are equal."""
    stream = commands(*rows)
    ours, theirs = one.process(stream), other.process(stream)
    for mine, yours in zip(ours, theirs, strict=False):
        if mine != yours:
            return f"event: {describe(mine)} {mine}\n   not {describe(yours)} {yours}"
    if len(ours) != len(theirs):
        return f"{len(ours)} events, not {len(theirs)}"
    return state_difference(one, other, {row[3] for row in rows})


def state_difference(one: MatchingEngine, other: MatchingEngine, symbols: Iterable[int]) -> str | None:
    """What differs in the tape, or in the books of those of `symbols` that the engines hold."""
    if not np.array_equal(one.trades(), other.trades()):
        return f"tape: {one.trades()}\n  not {other.trades()}"
    for symbol in symbols:
        if symbol >= len(one.settings.instruments):
            continue
        if not np.array_equal(one.orders(symbol), other.orders(symbol)):
            return f"orders of {symbol}: {one.orders(symbol)}\n  not {other.orders(symbol)}"
        if one.best(symbol) != other.best(symbol):
            return f"best of {symbol}: {one.best(symbol)}, not {other.best(symbol)}"
        for side in Side:
            for levels in (0, 1, 3, 2**31):
                mine, yours = (engine.depth(side, levels, symbol) for engine in (one, other))
                if not np.array_equal(mine, yours):
                    return f"depth of {symbol}: {mine}\n  not {yours}"
    return None


def split(stream: Commands, batch: int) -> list[Commands]:
    """`stream` in slices of `batch` commands."""
    return [stream[start : start + batch] for start in range(0, len(stream), batch)]


def paste(settings: Settings, rows: Sequence[Row]) -> str:
    """Python that makes the engine's settings and the command array again: evaluates to `(Settings, Commands)`."""
    body = "".join(f"\n    {_command(row)}," for row in rows)
    return f"({_settings(settings)}, commands({body}\n))"


def pasted(text: str) -> tuple[Settings, Commands]:
    """What `paste` printed, evaluated with the names of `engine.records`, `engine.settings`, `engine.instrument`."""
    from engine import instrument, records, settings

    names = vars(records) | vars(settings) | vars(instrument)
    sized, stream = eval(text, dict(names))
    assert isinstance(sized, Settings) and stream.dtype == COMMAND
    return sized, stream


def _settings(settings: Settings) -> str:
    listed = settings.instruments
    plain = Instrument()
    if all(one == plain for one in listed):
        instruments = f"(Instrument(),) * {len(listed)}"
    else:
        instruments = "(" + "".join(f"{_instrument(one)}, " for one in listed) + ")"
    return (
        f"Settings({instruments}, orders={settings.orders}, trades={settings.trades}, "
        f"when_orders_dry=WhenDry.{settings.when_orders_dry.name}, "
        f"when_trades_dry=WhenDry.{settings.when_trades_dry.name})"
    )


def _instrument(one: Instrument) -> str:
    plain = Instrument()
    fields = ("tick", "lot", "price_min", "price_max")
    return f"Instrument({', '.join(f'{f}={getattr(one, f)}' for f in fields if getattr(one, f) != getattr(plain, f))})"


def _command(row: Row) -> str:
    order_id, price, quantity, symbol, kind, side, time_in_force, flags = row
    shown = [_member(Kind, kind), str(order_id)]
    if side:
        shown.append(f"side={_member(Side, side)}")
    shown += [f"{name}={value}" for name, value in (("price", price), ("quantity", quantity)) if value]
    if symbol:
        shown.append(f"symbol={symbol}")
    if time_in_force:
        shown.append(f"time_in_force={_member(TimeInForce, time_in_force)}")
    if flags:
        shown.append(f"flags={_member(Flag, flags)}")
    return f"command({', '.join(shown)})"


def _member(enumeration: type[Kind] | type[Side] | type[TimeInForce] | type[Flag], value: int) -> str:
    """`Kind.LIMIT`; the bare number of a value that the enumeration does not have."""
    known = {member.value: member.name for member in enumeration}
    return f"{enumeration.__name__}.{known[value]}" if value in known else str(value)
