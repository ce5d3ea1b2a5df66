"""The records that cross the border, and the numbers that their fields hold.

Each dtype is byte for byte the struct of `engine/native/matching/records.hpp`. Prices are integers in the symbol's
price unit, quantities integer lots. Records are 32 or 64 bytes long, so that none straddles a cache line.

Generated from `schema/records.toml` by `make stubs`; not to be edited.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Commands: TypeAlias = NDArray[np.void]
Events: TypeAlias = NDArray[np.void]
Trades: TypeAlias = NDArray[np.void]
Levels: TypeAlias = NDArray[np.void]
Orders: TypeAlias = NDArray[np.void]
Stops: TypeAlias = NDArray[np.void]

QUANTITY_MAX: Final = 4_294_967_295
"""Largest quantity of one order, in lots: sums over 2^31 orders still fit in 63 bits."""
SLICES_MAX: Final = 256
"""Most slices of an iceberg."""
BASIS_POINTS_MAX: Final = 10_000
"""Largest distance of a trailing stop in basis points, and how many of them make one."""
ORDERS_MAX: Final = 1_073_741_824
"""Most resting and waiting orders an engine has room for."""
TRADES_MAX: Final = 4_294_967_296
"""Most records on the trade tape."""
SYMBOLS_MAX: Final = 65_536
"""Most symbols of an engine."""


class CommandType(IntEnum):
    """What a command asks for. Zero is no kind: a record of zeros is rejected."""

    LIMIT = 1
    """Trades as far as its price reaches; what remains rests or is canceled."""
    MARKET = 2
    """Trades at any price; what remains is canceled."""
    CANCEL = 3
    """Takes a resting or waiting order out."""
    REDUCE = 4
    """Takes `quantity` off an order, which keeps its place."""
    REPLACE = 5
    """Gives an order a new price and a new remaining quantity."""
    STOP = 6
    """Waits; a trade at `trigger` or beyond makes it a market order."""
    STOP_LIMIT = 7
    """Waits; a trade at `trigger` or beyond makes it a limit order at `price`."""
    TRAILING_STOP = 8
    """A stop whose trigger follows the best trade price."""
    ADVANCE_TIME = 9
    """Sets the engine's clock to `quantity`; orders whose expiry has come are gone."""
    PHASE = 10
    """The symbol enters phase `quantity`."""


class Side(IntEnum):
    """Side of an order."""

    BUY = 0
    """Bids."""
    SELL = 1
    """Asks."""


class TimeInForce(IntEnum):
    """How long an order lives."""

    GTC = 0
    """Until canceled."""
    IOC = 1
    """Trades what it can at once; the remainder is canceled."""
    FOK = 2
    """Trades whole at once, or is rejected."""
    DAY = 3
    """Until the symbol's phase becomes `TradingPhase.CLOSED`."""
    GTD = 4
    """Until the clock reaches its expiry."""


class ExecInst(IntEnum):
    """Bits of the `flags` of commands and orders."""

    POST_ONLY = 1
    """A limit order that would trade on arrival is rejected."""
    PRICE_SLIDE = 2
    """With post-only: one tick behind the other side instead."""
    ALL_OR_NONE = 4
    """A limit order that rests until it can trade whole."""
    TRAIL_BASIS_POINTS = 8
    """A trailing stop's distance is in 1/10,000 of the price."""


class SelfTradePrevention(IntEnum):
    """What happens where an incoming order would trade with one of the same owner; the incoming one's policy counts."""

    NONE = 0
    """They trade."""
    CANCEL_RESTING = 1
    """The resting order is canceled; matching goes on."""
    CANCEL_AGGRESSING = 2
    """What remains of the incoming order is canceled."""
    CANCEL_BOTH = 3
    """Both are canceled, the resting one first."""
    DECREMENT = 4
    """Both lose the smaller of the two quantities, without a trade."""


class TradingPhase(IntEnum):
    """What a symbol does with commands: match them, collect them for an uncross, or take nothing new."""

    CONTINUOUS = 0
    """Accepts everything; entered with an uncross."""
    CALL = 1
    """Collects orders that rest; nothing trades."""
    HALTED = 2
    """Takes orders out only."""
    CLOSED = 3
    """Takes orders out only; on entry day orders are canceled."""


class ExecType(IntEnum):
    """What happened."""

    ACCEPTED = 1
    """The command passed every check."""
    REJECTED = 2
    """The command failed a check and changed nothing."""
    TRADE = 3
    """Two orders traded."""
    CANCELLED = 4
    """What an order had left is gone."""
    REDUCED = 5
    """An order has less left, without a trade."""
    REPLACED = 6
    """An order has a new price and quantity."""
    TRIGGERED = 7
    """A stop, or an all-or-none order, comes in."""
    REFILLED = 8
    """An iceberg shows its next slice."""


class Reason(IntEnum):
    """Why an order was rejected, or why (what remained of) it was canceled."""

    NONE = 0
    """Neither rejected nor canceled."""
    UNKNOWN_KIND = 1
    """There is no such kind of command."""
    UNKNOWN_SYMBOL = 2
    """The engine does not hold this symbol."""
    UNKNOWN_SIDE = 3
    """There is no such side."""
    UNKNOWN_TIME_IN_FORCE = 4
    """There is no such time in force, or a replace gives one."""
    UNKNOWN_FLAG = 5
    """There is no such flag, or a replace cannot have it."""
    QUANTITY_NOT_POSITIVE = 6
    """The quantity is zero or negative."""
    QUANTITY_TOO_LARGE = 7
    """The quantity does not fit 32 bits."""
    QUANTITY_OFF_LOT = 8
    """The quantity or the display is not a multiple of the lot."""
    PRICE_ON_MARKET_ORDER = 9
    """A kind without a price has one."""
    PRICE_OFF_TICK = 10
    """The price or the trigger is not a multiple of the tick."""
    PRICE_OUTSIDE_BAND = 11
    """The price or the trigger is outside the symbol's band."""
    DUPLICATE_ORDER_ID = 12
    """An order of this id rests or waits."""
    UNKNOWN_ORDER_ID = 13
    """No order of this id rests or waits."""
    REDUCE_EXCEEDS_REMAINING = 14
    """The order has less left than it is to lose."""
    POST_ONLY_CONFLICT = 15
    """Post-only on what is not a limit order that rests."""
    POST_ONLY_WOULD_TRADE = 16
    """A post-only order would trade on arrival."""
    FOK_NOT_FILLABLE = 17
    """A fill-or-kill order cannot trade whole."""
    ORDER_POOL_FULL = 18
    """There is no room for another order."""
    TRADE_POOL_FULL = 19
    """The trade tape has no room for the trades."""
    REQUESTED = 20
    """A cancel asked for it."""
    IOC_REMAINDER = 21
    """What an immediate-or-cancel order could not trade."""
    MARKET_REMAINDER = 22
    """What a market order could not trade."""
    UNKNOWN_SELF_TRADE = 23
    """There is no such self-trade policy."""
    TERM_NOT_FOR_KIND = 24
    """The kind, with this time in force, cannot have a term."""
    TERMS_CONFLICT = 25
    """Two terms exclude each other."""
    DISPLAY_TOO_LARGE = 26
    """The display is larger than the order."""
    DISPLAY_TOO_SMALL = 27
    """The order would have more than 256 slices."""
    EXPIRY_NOT_AHEAD = 28
    """The expiry is not after the clock."""
    TRAIL_OUT_OF_RANGE = 29
    """A trailing stop's distance is not one."""
    NOT_IN_THIS_PHASE = 30
    """The symbol's phase does not take this command."""
    STOP_THROUGH_MARKET = 31
    """The last price has reached the trigger."""
    NO_LAST_TRADE = 32
    """A trailing stop has no trade to follow yet."""
    STOP_STILL_WAITS = 33
    """A waiting stop cannot be replaced."""
    CLOCK_BACKWARDS = 34
    """The time is before the clock."""
    UNKNOWN_PHASE = 35
    """There is no such phase."""
    EXPIRED = 36
    """Its expiry, or the end of its day, has come."""
    SELF_TRADE = 37
    """Self-trade prevention."""


class MatchAlgorithm(IntEnum):
    """How the resting orders of one price share what comes in."""

    FIFO = 0
    """Oldest first."""
    PRO_RATA = 1
    """In proportion to their quantities."""


class TickRounding(IntEnum):
    """What becomes of a price that is not a multiple of the tick."""

    REJECT = 0
    """It is rejected."""
    NEAREST = 1
    """The nearest multiple; halfway, lower for a buyer, higher for a seller."""
    PASSIVE = 2
    """The next lower multiple for a buyer, the next higher for a seller."""


class PoolPolicy(IntEnum):
    """What a pool does that has no record left. Each time is counted."""

    REJECT = 0
    """The command is rejected; the book is untouched."""
    GROW = 1
    """The pool doubles, which takes memory."""
    RECYCLE = 2
    """The oldest record is overwritten (trade tape only)."""


STOP_KINDS: Final = frozenset({CommandType.STOP, CommandType.STOP_LIMIT, CommandType.TRAILING_STOP})
"""Orders that wait for their trigger."""
PRICED_KINDS: Final = frozenset({CommandType.LIMIT, CommandType.REPLACE, CommandType.STOP_LIMIT})
"""Commands that state a price; of the others it is 0."""
STATES: Final[Mapping[CommandType, frozenset[str]]] = {
    CommandType.LIMIT: frozenset({"order_id", "symbol", "side", "quantity", "price", "time_in_force"}),
    CommandType.MARKET: frozenset({"order_id", "symbol", "side", "quantity", "time_in_force"}),
    CommandType.CANCEL: frozenset({"order_id", "symbol"}),
    CommandType.REDUCE: frozenset({"order_id", "symbol", "quantity"}),
    CommandType.REPLACE: frozenset({"order_id", "symbol", "quantity", "price"}),
    CommandType.STOP: frozenset({"order_id", "symbol", "side", "quantity", "time_in_force", "trigger"}),
    CommandType.STOP_LIMIT: frozenset({"order_id", "symbol", "side", "quantity", "price", "time_in_force", "trigger"}),
    CommandType.TRAILING_STOP: frozenset({"order_id", "symbol", "side", "quantity", "time_in_force", "trigger"}),
    CommandType.ADVANCE_TIME: frozenset({"quantity"}),
    CommandType.PHASE: frozenset({"symbol", "quantity"}),
}
"""The fields that a command of a kind says something with, even where they are zero."""
MAY_SAY: Final[Mapping[CommandType, Mapping[TimeInForce, frozenset[str]]]] = {
    CommandType.LIMIT: {
        TimeInForce.GTC: frozenset({"display_quantity", "POST_ONLY", "PRICE_SLIDE", "ALL_OR_NONE"}),
        TimeInForce.DAY: frozenset({"display_quantity", "POST_ONLY", "PRICE_SLIDE", "ALL_OR_NONE"}),
        TimeInForce.GTD: frozenset({"expiry", "display_quantity", "POST_ONLY", "PRICE_SLIDE", "ALL_OR_NONE"}),
        TimeInForce.IOC: frozenset(),
        TimeInForce.FOK: frozenset(),
    },
    CommandType.MARKET: {
        TimeInForce.GTC: frozenset(),
        TimeInForce.IOC: frozenset(),
        TimeInForce.FOK: frozenset(),
    },
    CommandType.STOP: {
        TimeInForce.GTC: frozenset({"trigger"}),
        TimeInForce.DAY: frozenset({"trigger"}),
        TimeInForce.GTD: frozenset({"trigger", "expiry"}),
    },
    CommandType.STOP_LIMIT: {
        TimeInForce.GTC: frozenset({"trigger"}),
        TimeInForce.DAY: frozenset({"trigger"}),
        TimeInForce.GTD: frozenset({"trigger", "expiry"}),
    },
    CommandType.TRAILING_STOP: {
        TimeInForce.GTC: frozenset({"trigger", "TRAIL_BASIS_POINTS"}),
        TimeInForce.DAY: frozenset({"trigger", "TRAIL_BASIS_POINTS"}),
        TimeInForce.GTD: frozenset({"trigger", "expiry", "TRAIL_BASIS_POINTS"}),
    },
}
"""Of orders: the times in force that each takes, and the flags and further fields that it may have then."""

COMMAND: Final = np.dtype(
    {
        "names": ["order_id", "price", "quantity", "symbol", "kind", "side", "time_in_force", "flags"],
        "formats": ["<u8", "<i8", "<i8", "<u4", "u1", "u1", "u1", "u1"],
        "offsets": [0, 8, 16, 24, 28, 29, 30, 31],
        "itemsize": 32,
    }
)
"""32 bytes. One command. `quantity` is signed and wide so that what a caller got wrong is seen, not wrapped.

* `price`: In the symbol's price units.
* `quantity`: In lots; of a clock the time, of a phase the phase.
* `symbol`: Symbols are numbered from 0.
* `kind`: `CommandType`
* `side`: `Side`
* `time_in_force`: `TimeInForce`
* `flags`: Bits of `ExecInst`.
"""

EXTENDED_COMMAND: Final = np.dtype(
    {
        "names": [
            *["order_id", "price", "quantity", "symbol", "kind", "side", "time_in_force", "flags", "trigger"],
            *["expiry", "display_quantity", "participant_id", "self_trade"],
        ],
        "formats": ["<u8", "<i8", "<i8", "<u4", "u1", "u1", "u1", "u1", "<i8", "<u8", "<u4", "<u4", "u1"],
        "offsets": [0, 8, 16, 24, 28, 29, 30, 31, 32, 40, 48, 52, 56],
        "itemsize": 64,
    }
)
"""64 bytes. A command, and what few commands have to say. With all of that zero it is the `COMMAND`.

* `trigger`: A stop's price, or how far a trailing stop trails.
* `expiry`: Of a `TimeInForce.GTD` order, on the engine's clock.
* `display_quantity`: An iceberg's slice.
* `participant_id`: Who is not to trade with itself; 0: nobody.
* `self_trade`: `SelfTradePrevention`
"""

EVENT: Final = np.dtype(
    {
        "names": [
            *["sequence", "order_id", "maker_id", "price", "quantity", "remaining", "maker_remaining", "symbol"],
            *["trade_id", "kind", "side", "reason", "command"],
        ],
        "formats": ["<u8", "<u8", "<u8", "<i8", "<u4", "<u4", "<u4", "<u4", "<u8", "u1", "u1", "u1", "u1"],
        "offsets": [0, 8, 16, 24, 32, 36, 40, 44, 48, 56, 57, 58, 59],
        "itemsize": 64,
    }
)
"""64 bytes. One event.

* `sequence`: Ordinal of the command since the engine was made, from 0.
* `order_id`: The order it is about; of a trade, the aggressor.
* `maker_id`: Of a trade, the resting order.
* `price`: Of a trade, the print.
* `quantity`: Of a trade, what was executed.
* `remaining`: What the order has left afterward.
* `maker_remaining`: Of a trade, the same of the resting order.
* `trade_id`: Of a trade, its ordinal from 1.
* `kind`: `ExecType`
* `side`: `Side` of the order.
* `reason`: `Reason`
* `command`: `CommandType` of the command under way.
"""

TRADE: Final = np.dtype(
    {
        "names": ["maker_id", "taker_id", "price", "quantity", "symbol"],
        "formats": ["<u8", "<u8", "<i8", "<u4", "<u4"],
        "offsets": [0, 8, 16, 24, 28],
        "itemsize": 32,
    }
)
"""32 bytes. One record of the trade tape.

* `maker_id`: The order that rested.
* `taker_id`: The order that came in.
"""

LEVEL: Final = np.dtype(
    {
        "names": ["price", "quantity", "order_count"],
        "formats": ["<i8", "<u8", "<u8"],
        "offsets": [0, 8, 16],
        "itemsize": 32,
    }
)
"""32 bytes. One price level of a book.

* `quantity`: The sum of what its orders show.
* `order_count`: How many they are.
"""

ORDER: Final = np.dtype(
    {
        "names": ["order_id", "price", "quantity", "symbol", "side", "flags", "reserve_quantity"],
        "formats": ["<u8", "<i8", "<u4", "<u4", "u1", "u1", "<u4"],
        "offsets": [0, 8, 16, 20, 24, 25, 28],
        "itemsize": 32,
    }
)
"""32 bytes. One resting order of a level-3 listing.

* `price`: Its limit.
* `quantity`: What it shows.
* `side`: `Side`
* `flags`: `ExecInst.ALL_OR_NONE`, or 0.
* `reserve_quantity`: What an iceberg has behind its slice.
"""

STOP: Final = np.dtype(
    {
        "names": ["order_id", "price", "trigger", "quantity", "symbol", "kind", "side"],
        "formats": ["<u8", "<i8", "<i8", "<u4", "<u4", "u1", "u1"],
        "offsets": [0, 8, 16, 24, 28, 32, 33],
        "itemsize": 64,
    }
)
"""64 bytes. One waiting stop.

* `price`: Its limit; 0: it becomes a market order.
* `trigger`: Where it now triggers.
* `quantity`: What it brings.
* `kind`: `CommandType`
* `side`: `Side`
"""
