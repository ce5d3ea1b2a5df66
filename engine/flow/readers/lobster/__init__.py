"""LOBSTER: message files as level-3 events (`messages.py`), order book files as what the venue displayed (`book.py`).

A message file tells of the displayed orders within a number of price levels of each side, which its name gives
(`..._message_10.csv`).

1 add, 2 partial cancel, 3 delete, 4 execution of a displayed order, 5 of a hidden one, 6 cross trade: as the events of
`OrderAction` say. Executions of displayed orders at the time of a cross trade belong to that auction. 7 halt: a phase.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from lowlat.compression import COMPRESSED
from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow.readers.lobster.book import open_book, read_book
from lowlat.engine.flow.readers.lobster.messages import open_messages
from lowlat.engine.flow.recording import RecordedFlow, recorded_flow
from lowlat.engine.flow.registry import Reader


def read_lobster(path: str | Path) -> RecordedFlow:
    """The order flow of a LOBSTER message file: plain, `.xz`, `.gz` or `.bz2`.

    Raises `LobsterError`, which names file, row and column, as `open_messages` says, and what `recorded_flow` raises.
    """
    return recorded_flow(open_messages(Path(path), ReadOptions()))


READER: Final = Reader(
    name="lobster",
    noun="LOBSTER file",
    sentence=f"a LOBSTER message file, .csv, plain or {', '.join(COMPRESSED)}",
    open=open_messages,
    begins=re.compile(
        rb"(?i:\xef\xbb\xbf)?(?i:time *, *type[^\n]*\n)?"
        rb"\d+(\.\d*)? *, *[1-7] *, *-?\d+ *, *\d+ *, *-?\d+ *, *-?1\s"
    ),
    suffixes=(".csv",),
    read_book=read_book,
    open_book=open_book,
)
