"""The records that cross the border: one command, one event, one trade, one level, one order.

Each dtype is byte for byte the C++ struct of `engine/native/records.hpp`; `tests/unit/test_records.py`
compares every offset. Prices are integers in the symbol's price unit, quantities integer lots.
Records are 32 or 64 bytes long, so that none straddles a cache line.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat_errors import LowlatError

Commands: TypeAlias = NDArray[np.void]
Events: TypeAlias = NDArray[np.void]
Trades: TypeAlias = NDArray[np.void]
Levels: TypeAlias = NDArray[np.void]
Orders: TypeAlias = NDArray[np.void]


class CommandValueError(LowlatError):
    """A command's number that is no integer, or does not fit its field."""


QUANTITY_MAX: Final = 2**32 - 1
"""Largest quantity of one order, in lots: sums over 2^31 orders still fit in 63 bits."""


class Kind(IntEnum):
    """What a command asks for. Zero is no kind: a record of zeros is rejected."""

    LIMIT = 1
    MARKET = 2
    CANCEL = 3
    REDUCE = 4
    REPLACE = 5


class Side(IntEnum):
    """Side of an order."""

    BUY = 0
    SELL = 1


class TimeInForce(IntEnum):
    """How long an order lives: until cancelled, or only for this moment (all of it, or what there is)."""

    GTC = 0
    IOC = 1
    FOK = 2


class Flag(IntEnum):
    """Bits of a command's `flags`."""

    POST_ONLY = 1


class EventKind(IntEnum):
    """What happened."""

    ACCEPTED = 1
    REJECTED = 2
    TRADE = 3
    CANCELLED = 4
    REDUCED = 5
    REPLACED = 6


class Reason(IntEnum):
    """Why an order was rejected, or why (what remained of) it was cancelled."""

    NONE = 0
    UNKNOWN_KIND = 1
    UNKNOWN_SYMBOL = 2
    UNKNOWN_SIDE = 3
    UNKNOWN_TIME_IN_FORCE = 4
    UNKNOWN_FLAG = 5
    QUANTITY_NOT_POSITIVE = 6
    QUANTITY_TOO_LARGE = 7
    QUANTITY_OFF_LOT = 8
    PRICE_ON_MARKET_ORDER = 9
    PRICE_OFF_TICK = 10
    PRICE_OUTSIDE_BAND = 11
    DUPLICATE_ORDER_ID = 12
    UNKNOWN_ORDER_ID = 13
    REDUCE_EXCEEDS_REMAINING = 14
    POST_ONLY_CONFLICT = 15
    POST_ONLY_WOULD_TRADE = 16
    FOK_NOT_FILLABLE = 17
    ORDER_POOL_FULL = 18
    TRADE_POOL_FULL = 19
    REQUESTED = 20
    IOC_REMAINDER = 21
    MARKET_REMAINDER = 22


COMMAND: Final = np.dtype(
    {
        "names": ["order_id", "price", "quantity", "symbol", "kind", "side", "time_in_force", "flags"],
        "formats": ["<u8", "<i8", "<i8", "<u4", "u1", "u1", "u1", "u1"],
        "offsets": [0, 8, 16, 24, 28, 29, 30, 31],
        "itemsize": 32,
    }
)
"""One command, 32 bytes. `quantity` is signed and wide so that what a caller got wrong is seen, not wrapped."""

EVENT: Final = np.dtype(
    {
        "names": [
            "sequence",
            "order_id",
            "maker_id",
            "price",
            "quantity",
            "remaining",
            "maker_remaining",
            "symbol",
            "trade_id",
            "kind",
            "side",
            "reason",
            "command",
        ],
        "formats": ["<u8", "<u8", "<u8", "<i8", "<u4", "<u4", "<u4", "<u4", "<u8", "u1", "u1", "u1", "u1"],
        "offsets": [0, 8, 16, 24, 32, 36, 40, 44, 48, 56, 57, 58, 59],
        "itemsize": 64,
    }
)
"""One event, 64 bytes; the four last bytes are zero. See `engine/reference.py` for what each field holds."""

TRADE: Final = np.dtype(
    {
        "names": ["maker_id", "taker_id", "price", "quantity", "symbol"],
        "formats": ["<u8", "<u8", "<i8", "<u4", "<u4"],
        "offsets": [0, 8, 16, 24, 28],
        "itemsize": 32,
    }
)
"""One record of the trade tape, 32 bytes."""

LEVEL: Final = np.dtype(
    {
        "names": ["price", "quantity", "orders"],
        "formats": ["<i8", "<u8", "<u8"],
        "offsets": [0, 8, 16],
        "itemsize": 32,
    }
)
"""One price level of a book: its price, the sum of its orders' quantities, their number."""

ORDER: Final = np.dtype(
    {
        "names": ["order_id", "price", "quantity", "symbol", "side"],
        "formats": ["<u8", "<i8", "<u4", "<u4", "u1"],
        "offsets": [0, 8, 16, 20, 24],
        "itemsize": 32,
    }
)
"""One resting order of a level-3 listing; `quantity` is what remains."""


def command(
    kind: Kind,
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

    Raises `CommandValueError` for a number that is no integer: a decimal price or quantity would lose its fraction.
    """
    row = (order_id, price, quantity, symbol, kind, side, time_in_force, flags)
    for name, value in zip(COMMAND.names or (), row, strict=True):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise CommandValueError(
                f"{name} {value!r} is no integer; prices and quantities are whole ticks and lots (see Instrument.price)"
            )
    return tuple(int(value) for value in row)


def commands(*rows: tuple[int, ...]) -> Commands:
    """An array of `COMMAND` from rows made by `command`: shape (n,)."""
    return np.array(list(rows), dtype=COMMAND)


def describe(record: Any) -> str:
    """A line a person can read for one event or command record, e.g. `TRADE order 7 maker 3 5@100`."""
    names = record.dtype.names
    if "sequence" in names:
        kind = EventKind(int(record["kind"]))
        line = f"#{record['sequence']} {kind.name} order {record['order_id']} {record['quantity']}@{record['price']}"
        if kind is EventKind.TRADE:
            return f"{line} maker {record['maker_id']} left {record['remaining']}/{record['maker_remaining']}"
        reason = Reason(int(record["reason"]))
        return f"{line} left {record['remaining']}" + (f" {reason.name}" if reason else "")
    fields = ", ".join(f"{name}={record[name]}" for name in names)
    return f"({fields})"
