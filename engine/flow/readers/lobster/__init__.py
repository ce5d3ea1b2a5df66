"""LOBSTER message files as order flow: what was added, cut, deleted and executed, as commands for an engine.

The format (https://lobsterdata.com/info/DataStructure.php): time in seconds after midnight, type, order id, size,
price in 10^-4 dollar, direction. Direction is 1 for a buy, -1 for a sell; of an execution, the *resting* order's.

Prices stay the file's integers; the tick is 100 of them, a cent: `RecordedFlow.instrument()` says so to the engine.

What becomes of a row
---------------------
1 add             LIMIT, GTC
2 partial cancel  REDUCE (CANCEL where nothing is left)
3 delete          CANCEL, whatever the size says
4 visible execution: rows of one time and one direction, with nothing but left-out rows between, are one *burst*: one
                  aggressive order of the other side, LIMIT and IOC, with their summed size and the worst price among
                  them. Its id is new: above all ids of the file. The rows are its expected fills; neighboring rows
                  of one resting order and price count as one fill.
5 hidden execution, 6 cross trade, 7 halt: left out and counted, for none of them touches the visible book.
Rows of types 1 to 4 that contradict the book described so far are left out and counted: they name an order that is
not there (any more), add one that is, differ in price or direction from the order's, or take more than it has.

Orders that the file does not show arriving
-------------------------------------------
Venues number orders as they arrive and queue them in that order, so an id tells when an order came.

*Never added* (named by types 2 to 4, no row of type 1): the quantity is the sum of what later rows take, price and
direction are those of the first such row. If the id is below that of the file's first add, the order is *seeded*:
entered before the first row. Otherwise it is entered just before the first add with a larger id, or its own first
row if that comes sooner.

*Late rows* (type 1, with an id below that of an order already queued at that price): the order is *moved up*, to just
before the earliest of the orders with larger ids was entered. That order held the price all the while, so the best
price never differs from the file's. If the level traded in between, the row stays where it is.

Departures
----------
Where the venue fills another order than price-time priority would, on the book that the file describes, an
engine must differ. So that it counts once and does not spoil all that follows, commands after such a burst (origin
RESTORED) put the level back to what the file says: CANCEL or REDUCE in place, and from the first order on that
has to be entered again, CANCEL and LIMIT for the rest of the queue.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from lowlat.engine.flow.readers.lobster.file import COMPRESSED, read_best_states, read_messages
from lowlat.engine.flow.readers.lobster.flow import LobsterFlow
from lowlat.engine.flow.recording import RecordedFlow
from lowlat.engine.flow.registry import Reader


def read_lobster(path: str | Path) -> RecordedFlow:
    """The order flow of a LOBSTER message file: plain, `.xz`, `.gz` or `.bz2`.

    Raises `LobsterError`, which names file, row and column: see `read_messages`; and where the sizes of a burst, or of
    an order never added, sum to more than one order can hold.
    """
    return LobsterFlow(read_messages(Path(path))).build()


READER: Final = Reader(
    name="lobster",
    noun="LOBSTER file",
    sentence=f"a LOBSTER message file, .csv, plain or {', '.join(COMPRESSED)}",
    read=read_lobster,
    begins=re.compile(rb"\d+(\.\d+)?,[1-7],\d+,\d+,-?\d+,-?1\s"),
    suffixes=(".csv", *(f".csv{suffix}" for suffix in COMPRESSED)),
    read_best=read_best_states,
)
