"""Runs two engines on the same commands; reports the first difference, and a command list to paste that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum

import numpy as np

from lowlat.engine.conformance.rows import PLAIN, Row, stream_of
from lowlat.engine.matching.commands import command, commands, describe, extended_command, extended_commands
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.config_codec import RULE_FIELDS, pools
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.records import (
    COMMAND,
    EXTENDED_COMMAND,
    Commands,
    CommandType,
    ExecInst,
    SelfTradePrevention,
    Side,
    TimeInForce,
)


def difference(one: MatchingEngine, other: MatchingEngine, rows: Sequence[Row]) -> str | None:
    """The first difference after `rows`: an event, a book, the tape. None if all are equal."""
    stream = stream_of(rows)
    ours, theirs = one.process(stream), other.process(stream)
    for mine, yours in zip(ours, theirs, strict=False):
        if mine != yours:
            return f"event: {describe(mine)} {mine}\n   not {describe(yours)} {yours}"
    if len(ours) != len(theirs):
        return f"{len(ours)} events, not {len(theirs)}"
    return state_difference(one, other, {row[3] for row in rows})


def state_difference(one: MatchingEngine, other: MatchingEngine, symbols: Iterable[int]) -> str | None:
    """The difference in the tape, or in the books and stops of those of `symbols` that the engines hold."""
    if not np.array_equal(one.trades(), other.trades()):
        return f"tape: {one.trades()}\n  not {other.trades()}"
    for symbol in symbols:
        if symbol >= len(one.settings.instruments):
            continue
        for name in ("orders", "stops"):
            mine, yours = getattr(one, name)(symbol), getattr(other, name)(symbol)
            if not np.array_equal(mine, yours):
                return f"{name} of {symbol}: {mine}\n  not {yours}"
        if one.indicative(symbol) != other.indicative(symbol):
            return f"indicative of {symbol}: {one.indicative(symbol)}, not {other.indicative(symbol)}"
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


def paste(settings: EngineConfig, rows: Sequence[Row]) -> str:
    """Python source of the engine's settings and the command array: evaluates to `(Settings, Commands)`."""
    made = "commands" if all(len(row) == PLAIN for row in rows) else "extended_commands"
    wide = made == "extended_commands"
    body = "".join(f"\n    {_command(row, wide=wide)}," for row in rows)
    return f"({_settings(settings)}, {made}({body}\n))"


def pasted(text: str) -> tuple[EngineConfig, Commands]:
    """The value of `paste`'s output, evaluated with the names of the modules that define them."""
    from lowlat.engine.matching import config, instrument, records

    made = {each.__name__: each for each in (command, commands, extended_command, extended_commands)}
    names = vars(records) | vars(config) | vars(instrument) | made
    sized, stream = eval(text, dict(names))
    assert isinstance(sized, EngineConfig) and stream.dtype in (COMMAND, EXTENDED_COMMAND)
    return sized, stream


def _settings(settings: EngineConfig) -> str:
    listed = settings.instruments
    plain = Instrument()
    if all(one == plain for one in listed):
        instruments = f"(Instrument(),) * {len(listed)}"
    else:
        instruments = "(" + "".join(f"{_instrument(one)}, " for one in listed) + ")"
    sizes = ", ".join(f"{name}={_value(value)}" for name, value in pools(settings).items())
    return f"EngineConfig({instruments}, {sizes})"


def _instrument(one: Instrument) -> str:
    plain = Instrument()
    shown = (f"{f}={_value(getattr(one, f))}" for f in RULE_FIELDS if getattr(one, f) != getattr(plain, f))
    return f"Instrument({', '.join(shown)})"


def _value(value: int) -> str:
    return f"{type(value).__name__}.{value.name}" if isinstance(value, IntEnum) else str(value)


def _command(row: Row, *, wide: bool) -> str:
    order_id, price, quantity, symbol, kind, side, time_in_force, flags, *terms = row
    shown = [_member(CommandType, kind), str(order_id)]
    if side:
        shown.append(f"side={_member(Side, side)}")
    shown += [f"{name}={value}" for name, value in (("price", price), ("quantity", quantity)) if value]
    if symbol:
        shown.append(f"symbol={symbol}")
    if time_in_force:
        shown.append(f"time_in_force={_member(TimeInForce, time_in_force)}")
    if flags:
        shown.append(f"flags={_flags(flags)}")
    *amounts, self_trade = terms or (0,)
    names = ("trigger", "expiry", "display_quantity", "participant_id")
    shown += [f"{name}={value}" for name, value in zip(names, amounts, strict=False) if value]
    if self_trade:
        shown.append(f"self_trade={_member(SelfTradePrevention, self_trade)}")
    return f"{'extended_' if wide else ''}command({', '.join(shown)})"


def _flags(flags: int) -> str:
    """`ExecInst.POST_ONLY | ExecInst.PRICE_SLIDE`; the plain number if it has other bits."""
    if flags & ~sum(ExecInst):
        return str(flags)
    return " | ".join(_member(ExecInst, flag) for flag in ExecInst if flags & flag)


def _member(enumeration: type[IntEnum], value: int) -> str:
    """`CommandType.LIMIT`; the plain number of a value that the enumeration lacks."""
    known = {member.value: member.name for member in enumeration}
    return f"{enumeration.__name__}.{known[value]}" if value in known else str(value)
