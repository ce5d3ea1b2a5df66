"""Builds commands from named arguments, and formats records as readable lines."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from lowlat.arguments import is_integer
from lowlat.engine import _core
from lowlat.engine.matching.records import (
    COMMAND,
    EVENT,
    EXTENDED_COMMAND,
    Commands,
    CommandType,
    ExecType,
    Reason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from lowlat.errors import ArrayError, UsageError
from lowlat.text import cut, shown

_KINDS: Final = frozenset(ExecType)
_REASONS: Final = frozenset(Reason)


def command(
    kind: CommandType,
    order_id: int,
    *,
    side: Side = Side.BUY,
    price: int = 0,
    quantity: int = 0,
    symbol: int = 0,
    time_in_force: TimeInForce = TimeInForce.GTC,
    flags: int = 0,
) -> tuple[int, ...]:
    """One command as the plain tuple that `np.array([...], COMMAND)` takes.

    Raises `UsageError` for a number that is not an integer: a decimal price or quantity would lose its fraction.
    """
    return _whole(COMMAND, (order_id, price, quantity, symbol, kind, side, time_in_force, flags))


def extended_command(
    kind: CommandType,
    order_id: int = 0,
    *,
    side: Side = Side.BUY,
    price: int = 0,
    quantity: int = 0,
    symbol: int = 0,
    time_in_force: TimeInForce = TimeInForce.GTC,
    flags: int = 0,
    trigger: int = 0,
    expiry: int = 0,
    display_quantity: int = 0,
    participant_id: int = 0,
    self_trade: SelfTradePrevention = SelfTradePrevention.NONE,
) -> tuple[int, ...]:
    """The same for `np.array([...], EXTENDED_COMMAND)`."""
    plain = (order_id, price, quantity, symbol, kind, side, time_in_force, flags)
    return _whole(EXTENDED_COMMAND, (*plain, trigger, expiry, display_quantity, participant_id, self_trade))


def _whole(dtype: np.dtype[np.void], row: tuple[object, ...]) -> tuple[int, ...]:
    whole = []
    for name, value in zip(dtype.names or (), row, strict=True):
        if not is_integer(value):
            raise UsageError(
                f"{name} {shown(value)} is not an integer; prices and quantities are whole ticks and lots (see "
                "Instrument.price)"
            )
        whole.append(int(value))
    return tuple(whole)


def one_command(row: tuple[object, ...]) -> Commands:
    """An array of one `EXTENDED_COMMAND` with these fields, in their order.

    Raises `UsageError` for a number that is not an integer, or does not fit its field.
    """
    made = _core.command_array(row)
    if made is not None:
        return made
    raise UsageError(
        f"a command's number does not fit its field: ({', '.join(map(shown, _whole(EXTENDED_COMMAND, row)))}) for "
        f"{EXTENDED_COMMAND.names}; ids are uint64, prices and quantities int64, symbols uint32"
    )


def commands(*rows: tuple[int, ...]) -> Commands:
    """An array of `COMMAND` from rows made by `command`: shape (n,).

    Raises `UsageError` for a number that is not an integer, or does not fit its field.
    """
    return _array(rows, COMMAND)


def extended_commands(*rows: tuple[int, ...]) -> Commands:
    """An array of `EXTENDED_COMMAND` from rows made by `extended_command`: shape (n,). Raises as `commands` does."""
    return _array(rows, EXTENDED_COMMAND)


def _array(rows: tuple[tuple[int, ...], ...], dtype: np.dtype[np.void]) -> Commands:
    """Zeros first: a record has bytes that belong to no field, and a journal holds those too."""
    array = np.zeros(len(rows), dtype)
    try:
        array[:] = list(rows)
    except (TypeError, ValueError, OverflowError) as error:
        why = cut(str(error), 200)
        raise UsageError(f"a row is none of a command, or a number does not fit its field: {why}") from error
    given: tuple[object, ...] = rows
    for row, stored in zip(given, array.tolist(), strict=True):
        fields = row.item() if isinstance(row, np.void) else row
        if not isinstance(fields, tuple) or fields != stored:  # numpy cuts fractions off
            raise UsageError(f"{shown(row)} is not a row of integers, as command() makes")
    return array


def describe(record: Any) -> str:
    """One event or command record as a readable line, e.g. `TRADE order 7 maker 3 5@100`.

    An event whose numbers stand for nothing has its fields by name. Raises `ArrayError` for what is not one record.
    """
    names = getattr(getattr(record, "dtype", None), "names", None)
    if names is None or record.shape:
        raise ArrayError(f"{shown(record)} is not one record; pass one of an array, as in events[0]")
    if names == EVENT.names and int(record["kind"]) in _KINDS and int(record["reason"]) in _REASONS:
        kind = ExecType(int(record["kind"]))
        line = f"#{record['sequence']} {kind.name} order {record['order_id']} {record['quantity']}@{record['price']}"
        if kind is ExecType.TRADE:
            return f"{line} maker {record['maker_id']} left {record['remaining']}/{record['maker_remaining']}"
        reason = Reason(int(record["reason"]))
        return f"{line} left {record['remaining']}" + (f" {reason.name}" if reason else "")
    return f"({', '.join(f'{name}={record[name]}' for name in names)})"
