"""The header of a mapped book.

Generated from `schema/records.toml` by `make stubs`; not to be edited.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np


class BookState(IntEnum):
    """What the writer of a mapped book last said of itself."""

    BLANK = 0
    """Nothing yet."""
    LIVE = 1
    """It writes; a killed writer leaves this."""
    CLOSED = 2
    """It has closed the book."""
    REPLACED = 3
    """A book with another layout has taken its place."""


BOOK_HEADER: Final = np.dtype(
    {
        "names": [
            *["magic", "version", "header_bytes", "level_bytes", "depth", "file_bytes", "tick", "unit", "symbol"],
            *["checksum", "pid", "start", "generation", "state", "sequence", "bids", "asks", "command", "heartbeat"],
        ],
        "formats": [
            *["<u8", "<u4", "<u4", "<u4", "<u4", "<u8", "<i8", "S24", "S32", "<u8", "<u8", "<u8", "<u8", "<u8", "<u8"],
            *["<u8", "<u8", "<u8", "<u8"],
        ],
        "offsets": [0, 8, 12, 16, 20, 24, 32, 40, 64, 120, 128, 136, 144, 152, 192, 200, 208, 216, 224],
        "itemsize": 256,
    }
)
"""256 bytes. The header of a mapped book: identity, which never changes, writer, sequence and counts.

* `magic`: Written last: also tells the byte order.
* `depth`: Levels a side, even: both sides start on a cache line.
* `unit`: Decimal worth of one price unit, as text.
* `symbol`: No terminator when all 32 are used.
* `checksum`: CRC-32 of the 120 bytes before.
* `start`: Of that process, in clock ticks since boot: tells a reused pid.
* `generation`: Writers so far.
* `state`: `BookState`
* `sequence`: Odd while an update is under way.
* `bids`: Levels shown on each side.
* `command`: The source's command after which the book first looked so.
* `heartbeat`: When the writer last published or said that it lives, in nanoseconds since 1970.
"""
