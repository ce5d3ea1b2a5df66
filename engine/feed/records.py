"""One event of a level-3 feed, whatever format it came in.

Generated from `schema/records.toml` by `make stubs`; not to be edited.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

OrderEvents: TypeAlias = NDArray[np.void]


class OrderAction(IntEnum):
    """What a venue says happened to an order, or to a book. Zero is no action."""

    ADD = 1
    """The order enters, at the back of its price's queue."""
    REDUCE = 2
    """`quantity` is canceled; the rest keeps its place. Nothing left: it is gone."""
    CANCEL = 3
    """The order is gone, whatever it had left."""
    EXECUTE = 4
    """`quantity` of the order traded at `price`. Nothing left: it is gone."""
    REPLACE = 5
    """The order is gone; `other_id` enters at the back with its side, `price` and `quantity`."""
    UPSERT = 6
    """The order has this side, price and quantity; at a new price or with more, it goes to the back."""
    TRADE = 7
    """A trade that takes nothing off a displayed order, such as with a hidden one."""
    CROSS = 8
    """An auction's trades, all at `price`; those of displayed orders follow as `EXECUTE`."""
    CLEAR = 9
    """The symbol's book is empty."""
    PHASE = 10
    """The symbol enters the trading phase `quantity` (`TradingPhase`)."""
    BUST = 11
    """An earlier trade is undone; the book is not."""


class OrderEventFlag(IntEnum):
    """Bits of the `flags` of order events."""

    LAST = 1
    """The last of its group: now the book is the venue's."""
    SNAPSHOT = 2
    """Tells of an order that was there before."""
    BAD_TIME = 4
    """The vendor does not vouch for its time."""
    GAP = 8
    """Events before this one were lost."""
    AUCTION = 16
    """It traded in an auction, not against one aggressive order."""
    NO_SIDE = 32
    """The feed names only the order: the side is its own."""
    NO_PRICE = 64
    """The feed names only the order: the price is its own."""


class EventFault(IntEnum):
    """Why an event cannot be applied to a book."""

    NONE = 0
    """It can."""
    ACTION = 1
    """Its action is not an `OrderAction`."""
    SIDE = 2
    """It enters an order, and its side is not a `Side`."""
    SYMBOL = 3
    """Its symbol is above the largest that books have."""
    QUANTITY = 4
    """It enters an order, and its quantity is above the largest that an order has."""


class DepthMoment(IntEnum):
    """After which events a book's levels are recorded."""

    EVERY = 0
    """After every event."""
    CHANGE = 1
    """After those that change the levels that are recorded."""
    LAST = 2
    """After those with `OrderEventFlag.LAST`: when the book is the venue's."""


ORDER_EVENT: Final = np.dtype(
    {
        "names": ["time_ns", "row", "order_id", "other_id", "price", "quantity", "symbol", "action", "side", "flags"],
        "formats": ["<u8", "<u8", "<u8", "<u8", "<i8", "<u8", "<u4", "u1", "u1", "<u2"],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 52, 53, 54],
        "itemsize": 64,
    }
)
"""64 bytes. One event of a level-3 feed (market by order).

* `time_ns`: When, in nanoseconds since the epoch of the stream.
* `row`: Row or message of the file it came from, from 1.
* `order_id`: The order it is about; of an execution, the resting one. 0: none.
* `other_id`: Of `OrderAction.REPLACE`, the new id; of trades, the aggressive order, if told. 0: none.
* `price`: In the stream's price units; of trades, the print.
* `quantity`: As the action says.
* `symbol`: Number in the stream's symbols.
* `action`: `OrderAction`
* `side`: `Side` of the order it is about; need not be set if that order was told of before.
* `flags`: Bits of `OrderEventFlag`.
"""
