"""A second journal reader, written from docs/journal.md alone, with an independent checksum. It checks that files match
the format, not just our own reader. With a check disabled, it serves as a broken reader.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

import google_crc32c

HEAD = struct.Struct("<8sIII")
BLOCK = struct.Struct("<4sIQIHHII")
END = struct.Struct("<4sI")


@dataclass(frozen=True)
class ByHand:
    """The contents of a journal: its head's JSON, the payloads of its blocks, and the end of the last valid one."""

    said: dict[str, Any]
    payloads: list[tuple[int, bytes]]
    """Kind and bytes of each."""
    end: int


def read(data: bytes, *, chained: bool = True, checked: bool = True) -> ByHand:
    """Read until the first invalid block. Not `chained`: ignore the chain. Not `checked`: ignore checksums."""
    kind, version, size, checksum = HEAD.unpack_from(data)
    assert (kind, version) == (b"LOWLATJ\0", 1)
    assert size % 32 == 0 and google_crc32c.value(data[:16] + bytes(4) + data[20:size]) == checksum
    at, previous, next_sequence = size, checksum, 0
    payloads = []
    while at + BLOCK.size + END.size <= len(data):
        magic, length, sequence, before, block_kind, zero, payload_sum, head_sum = BLOCK.unpack_from(data, at)
        payload = data[at + BLOCK.size : at + BLOCK.size + length]
        if magic != b"LLJB" or zero or block_kind not in (1, 2, 3) or len(payload) != length:
            break
        sums = google_crc32c.value(payload) == payload_sum, google_crc32c.value(data[at : at + 28]) == head_sum
        if checked and not all(sums):
            break
        if chained and (before != previous or sequence != next_sequence):
            break
        end = data[at + BLOCK.size + length : at + BLOCK.size + length + END.size]
        if end != END.pack(b"LLJE", head_sum):
            break
        payloads.append((block_kind, payload))
        next_sequence = sequence + {1: length // 32, 2: length // 64, 3: 0}[block_kind]
        previous = head_sum
        at += BLOCK.size + length + END.size
    return ByHand(json.loads(data[HEAD.size : size]), payloads, at)
