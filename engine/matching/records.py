"""The records that cross the border: one command, one event, one trade, one level, one order.

Each dtype is byte for byte the C++ struct of `engine/native/matching/records.hpp`; `test_records.py`
compares every offset. Prices are integers in the symbol's price unit, quantities integer lots.
Records are 32 or 64 bytes long, so that none straddles a cache line.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat.errors import LowlatError

Commands: TypeAlias = NDArray[np.void]
Events: TypeAlias = NDArray[np.void]
Trades: TypeAlias = NDArray[np.void]
Levels: TypeAlias = NDArray[np.void]
Orders: TypeAlias = NDArray[np.void]
Stops: TypeAlias = NDArray[np.void]


class CommandValueError(LowlatError):
    """A command's number that is no integer, or does not fit its field."""


QUANTITY_MAX: Final = 2**32 - 1
"""Largest quantity of one order, in lots: sums over 2^31 orders still fit in 63 bits."""


class CommandType(IntEnum):
    """What a command asks for. Zero is no kind: a record of zeros is rejected."""

    LIMIT = 1
    MARKET = 2
    CANCEL = 3
    REDUCE = 4
    REPLACE = 5
    STOP = 6
    STOP_LIMIT = 7
    TRAILING_STOP = 8
    ADVANCE_TIME = 9
    PHASE = 10


class Side(IntEnum):
    """Side of an order."""

    BUY = 0
    SELL = 1


class TimeInForce(IntEnum):
    """How long an order lives: until cancelled, for this moment (what there is, or all of it), for the day, or until
    the clock reaches its expiry."""

    GTC = 0
    IOC = 1
    FOK = 2
    DAY = 3
    GTD = 4


class ExecInst(IntEnum):
    """Bits of a command's `flags`."""

    POST_ONLY = 1
    PRICE_SLIDE = 2
    ALL_OR_NONE = 4
    TRAIL_BASIS_POINTS = 8


class SelfTradePrevention(IntEnum):
    """What happens where an incoming order would trade with one of the same owner; the incoming one's policy counts."""

    NONE = 0
    CANCEL_RESTING = 1
    CANCEL_AGGRESSING = 2
    CANCEL_BOTH = 3
    DECREMENT = 4


class TradingPhase(IntEnum):
    """What a symbol does with commands: match them, collect them for an uncross, or take nothing new."""

    CONTINUOUS = 0
    CALL = 1
    HALTED = 2
    CLOSED = 3


class ExecType(IntEnum):
    """What happened."""

    ACCEPTED = 1
    REJECTED = 2
    TRADE = 3
    CANCELLED = 4
    REDUCED = 5
    REPLACED = 6
    TRIGGERED = 7
    REFILLED = 8


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
    UNKNOWN_SELF_TRADE = 23
    TERM_NOT_FOR_KIND = 24
    TERMS_CONFLICT = 25
    DISPLAY_TOO_LARGE = 26
    DISPLAY_TOO_SMALL = 27
    EXPIRY_NOT_AHEAD = 28
    TRAIL_OUT_OF_RANGE = 29
    NOT_IN_THIS_PHASE = 30
    STOP_THROUGH_MARKET = 31
    NO_LAST_TRADE = 32
    STOP_STILL_WAITS = 33
    CLOCK_BACKWARDS = 34
    UNKNOWN_PHASE = 35
    EXPIRED = 36
    SELF_TRADE = 37


COMMAND: Final = np.dtype(
    {
        "names": ["order_id", "price", "quantity", "symbol", "kind", "side", "time_in_force", "flags"],
        "formats": ["<u8", "<i8", "<i8", "<u4", "u1", "u1", "u1", "u1"],
        "offsets": [0, 8, 16, 24, 28, 29, 30, 31],
        "itemsize": 32,
    }
)
"""One command, 32 bytes. `quantity` is signed and wide so that what a caller got wrong is seen, not wrapped."""

EXTENDED_COMMAND: Final = np.dtype(
    {
        "names": [*(COMMAND.names or ()), "trigger", "expiry", "display_quantity", "participant_id", "self_trade"],
        "formats": ["<u8", "<i8", "<i8", "<u4", "u1", "u1", "u1", "u1", "<i8", "<u8", "<u4", "<u4", "u1"],
        "offsets": [0, 8, 16, 24, 28, 29, 30, 31, 32, 40, 48, 52, 56],
        "itemsize": 64,
    }
)
"""One command with terms, 64 bytes: a `COMMAND`, then what few have to say. The seven last bytes are not read.

`trigger`: a stop's price, or how far a trailing stop trails; `expiry`: of a GTD order, on the engine's clock;
`display_quantity`: an iceberg's slice; `participant_id`, 0 for nobody, and `self_trade` (`SelfTradePrevention`): see
`docs/matching.md`.
"""

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
"""One event, 64 bytes; the four last bytes are zero. See `docs/matching.md` for what each field holds."""

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
        "names": ["price", "quantity", "order_count"],
        "formats": ["<i8", "<u8", "<u8"],
        "offsets": [0, 8, 16],
        "itemsize": 32,
    }
)
"""One price level of a book: its price, the sum of its orders' quantities, their number."""

ORDER: Final = np.dtype(
    {
        "names": ["order_id", "price", "quantity", "symbol", "side", "flags", "reserve_quantity"],
        "formats": ["<u8", "<i8", "<u4", "<u4", "u1", "u1", "<u4"],
        "offsets": [0, 8, 16, 20, 24, 25, 28],
        "itemsize": 32,
    }
)
"""One resting order of a level-3 listing; `quantity` is what it shows, `reserve_quantity` what an iceberg
has behind that;
`flags`: `ExecInst.ALL_OR_NONE` where it is one."""

STOP: Final = np.dtype(
    {
        "names": ["order_id", "price", "trigger", "quantity", "symbol", "kind", "side"],
        "formats": ["<u8", "<i8", "<i8", "<u4", "<u4", "u1", "u1"],
        "offsets": [0, 8, 16, 24, 28, 32, 33],
        "itemsize": 64,
    }
)
"""One waiting stop; `price` is its limit (0: it becomes a market order), `trigger` where it now triggers."""


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

    Raises `CommandValueError` for a number that is no integer: a decimal price or quantity would lose its fraction.
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
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise CommandValueError(
                f"{name} {value!r} is no integer; prices and quantities are whole ticks and lots (see Instrument.price)"
            )
        whole.append(int(value))
    return tuple(whole)


def commands(*rows: tuple[int, ...]) -> Commands:
    """An array of `COMMAND` from rows made by `command`: shape (n,)."""
    return np.array(list(rows), dtype=COMMAND)


def extended_commands(*rows: tuple[int, ...]) -> Commands:
    """An array of `EXTENDED_COMMAND` from rows made by `extended_command`: shape (n,)."""
    return np.array(list(rows), dtype=EXTENDED_COMMAND)


def describe(record: Any) -> str:
    """A line a person can read for one event or command record, e.g. `TRADE order 7 maker 3 5@100`."""
    names = record.dtype.names
    if "sequence" in names:
        kind = ExecType(int(record["kind"]))
        line = f"#{record['sequence']} {kind.name} order {record['order_id']} {record['quantity']}@{record['price']}"
        if kind is ExecType.TRADE:
            return f"{line} maker {record['maker_id']} left {record['remaining']}/{record['maker_remaining']}"
        reason = Reason(int(record["reason"]))
        return f"{line} left {record['remaining']}" + (f" {reason.name}" if reason else "")
    fields = ", ".join(f"{name}={record[name]}" for name in names)
    return f"({fields})"
