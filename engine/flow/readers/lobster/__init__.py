"""LOBSTER message files as order flow: additions, reductions, deletions and executions as commands for an engine.

The format (https://lobsterdata.com/info/DataStructure.php): time in seconds after midnight, type, order id, size,
price in 10^-4 dollar, direction. Direction is 1 for a buy, -1 for a sell; for an execution, the *resting* order's.

Prices keep the file's integers; the tick is 100 units, a cent. `RecordedFlow.instrument()` tells the engine so.

How each row is converted
-------------------------
1 add             LIMIT, GTC
2 partial cancel  REDUCE (CANCEL if nothing is left)
3 delete          CANCEL, whatever the size
4 visible execution: rows with the same time and direction, with only skipped rows between them, form one *burst*: one
                  aggressive order on the other side, LIMIT and IOC, with their summed size and the worst price among
                  them. It gets a new id, above all ids of the file. The rows are its expected fills; adjacent rows
                  with the same resting order and price count as one fill.
5 hidden execution, 6 cross trade, 7 halt: skipped and counted, because they do not change the visible book.
Rows of types 1 to 4 that contradict the book so far are skipped and counted: they name an order that is not in the
book, add one that already is, differ from the order in price or direction, or take more than it has.

Orders whose arrival is not in the file
---------------------------------------
Venues number orders as they arrive and queue them in that order, so an id shows when an order arrived.

*Never added* (named by types 2 to 4, no row of type 1): the quantity is the sum that later rows take; price and
direction are those of the first such row. If the id is below that of the file's first add, the order is *seeded*:
entered before the first row. Otherwise it is entered just before the first add with a larger id, or just before its own
first row, whichever comes first.

*Late rows* (type 1, with an id below that of an order already queued at that price): the order is *moved up* to just
before the earliest entry of an order with a larger id. That order held the price throughout, so the best price never
differs from the file's. If the level traded in between, the row stays where it is.

Departures
----------
If the venue fills a different order than price-time priority would on the book that the file describes, an engine must
differ. To count this once and keep it from affecting the rest, commands after such a burst (origin RESTORED) restore
the level to the file's state: CANCEL or REDUCE in place, and from the first order that has to be entered again, CANCEL
and LIMIT for the rest of the queue.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from lowlat.compression import COMPRESSED
from lowlat.engine.flow.readers.lobster.file import book_blocks, read_best_states, read_messages
from lowlat.engine.flow.readers.lobster.flow import LobsterFlow
from lowlat.engine.flow.recording import RecordedFlow
from lowlat.engine.flow.registry import Reader


def read_lobster(path: str | Path) -> RecordedFlow:
    """The order flow of a LOBSTER message file: plain, `.xz`, `.gz` or `.bz2`.

    Raises `LobsterError`, which names file, row and column, as `read_messages` does, and if the sizes of a burst or of
    an order never added sum to more than one order can hold.
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
    open_book=book_blocks,
)
