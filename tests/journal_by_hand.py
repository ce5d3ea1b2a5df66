"""A second reader of a journal's segment, written from docs/journal.md alone, with an independent checksum. It checks
that files match the format, not just our own reader. With a check disabled, it serves as a broken reader.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

import google_crc32c

HEAD = struct.Struct("<8sIII")
BLOCK = struct.Struct("<4sIQQIBBHII")
END = struct.Struct("<4sI")
SECTOR = 512


@dataclass(frozen=True)
class ByHand:
    """The contents of a segment: its head's JSON, the payloads of its blocks, and the end of the last valid batch."""

    said: dict[str, Any]
    payloads: list[tuple[int, bytes]]
    """Kind and bytes of each."""
    end: int


def zero_sectors(payload: bytes, offset: int) -> int:
    """How many whole sectors of a payload may be zeros, even with one flipped bit. `offset`: of it in the file."""
    first = -offset % SECTOR
    bits = [
        int.from_bytes(payload[at : at + SECTOR], "little").bit_count()
        for at in range(first, len(payload) - SECTOR + 1, SECTOR)
    ]
    return bits.count(0) + (1 in bits)


def read(data: bytes, *, chained: bool = True, checked: bool = True, atomic: bool = True) -> ByHand:
    """Read until the first invalid block. Not `chained`: ignore the chain. Not `checked`: ignore checksums. Not
    `atomic`: take the first blocks of a batch whose others are missing.
    """
    kind, version, size, checksum = HEAD.unpack_from(data)
    assert (kind, version) == (b"LOWLATJ\0", 2)
    assert size % 32 == 0 and google_crc32c.value(data[:16] + bytes(4) + data[20:size]) == checksum
    said = json.loads(data[HEAD.size : size])
    at, previous, next_sequence = size, checksum, said["sequence"]
    payloads: list[tuple[int, bytes]] = []
    whole, end_of_whole = 0, at
    while at + BLOCK.size + END.size <= len(data):
        magic, length, sequence, unsynced, before, block_kind, more, zeros, payload_sum, head_sum = BLOCK.unpack_from(
            data, at
        )
        payload = data[at + BLOCK.size : at + BLOCK.size + length]
        if magic != b"LLJB" or more > 1 or block_kind not in (1, 2, 3) or len(payload) != length:
            break
        sums = google_crc32c.value(payload) == payload_sum, google_crc32c.value(data[at : at + 36]) == head_sum
        if checked and not all(sums):
            break
        if chained and (before != previous or sequence != next_sequence):
            break
        end = data[at + BLOCK.size + length : at + BLOCK.size + length + END.size]
        if end != END.pack(b"LLJE", head_sum):
            break
        assert not checked or zeros == zero_sectors(payload, at + BLOCK.size)
        assert unsynced <= at - size
        payloads.append((block_kind, payload))
        next_sequence = sequence + {1: length // 32, 2: length // 64, 3: 0}[block_kind]
        previous = head_sum
        at += BLOCK.size + length + END.size
        if not more or not atomic:
            whole, end_of_whole = len(payloads), at
    return ByHand(said, payloads[:whole], end_of_whole)
