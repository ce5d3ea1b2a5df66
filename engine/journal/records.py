"""What a journal's blocks hold, and what may be wrong with them.

Generated from `schema/records.toml` by `make stubs`; not to be edited.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np


class SyncPolicy(IntEnum):
    """When a journal is made to reach the disk."""

    NONE = 0
    """When the kernel likes."""
    INTERVAL = 1
    """Every so often, by a thread."""
    BATCH = 2
    """Before a batch is executed."""


class BlockKind(IntEnum):
    """What a block of a journal holds."""

    COMMANDS = 1
    """Commands without terms, 32 bytes each."""
    EXTENDED_COMMANDS = 2
    """Commands with terms, 64 bytes each."""
    DRAIN = 3
    """Nothing: the trade tape was emptied there."""


class Fault(IntEnum):
    """Why reading a journal ended. All but `Fault.NONE` and `Fault.TORN` is damage."""

    NONE = 0
    """At the end: behind it is nothing, or zeros, which some file systems leave."""
    TORN = 1
    """Within a batch that was being written."""
    HEAD = 2
    """A block's head does not match its checksum."""
    PAYLOAD = 3
    """A block's commands do not match their checksum."""
    CHAIN = 4
    """A block does not follow the one before."""
    SEQUENCE = 5
    """A block's commands do not follow those before."""
    KIND = 6
    """A block is of no known kind or length."""
    END = 7
    """A block's end is not as it was written."""
    CUT = 8
    """A segment does not lead to the next one."""


BLOCK: Final = np.dtype(
    {
        "names": [
            *["magic", "bytes", "sequence", "unsynced", "previous", "kind", "more", "zero_sectors"],
            *["payload_checksum", "head_checksum"],
        ],
        "formats": ["<u4", "<u4", "<u8", "<u8", "<u4", "u1", "u1", "<u2", "<u4", "<u4"],
        "offsets": [0, 4, 8, 16, 24, 28, 29, 30, 32, 36],
        "itemsize": 40,
    }
)
"""40 bytes. What stands in front of a journal's commands (docs/journal.md).

* `magic`: `LLJB` in memory.
* `bytes`: Of the payload.
* `sequence`: Of the first command.
* `unsynced`: Bytes before the block that were not known to be on the disk when it was written.
* `previous`: `head_checksum` of the block before.
* `kind`: `BlockKind`
* `more`: 1: its batch continues in the next block.
* `zero_sectors`: How many whole sectors of its payload may be zeros, even with one flipped bit.
* `payload_checksum`: CRC-32C of the payload.
* `head_checksum`: CRC-32C of the 36 bytes before.
"""
