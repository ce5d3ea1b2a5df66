"""Writes DBN files of schema MBO, as Databento specifies them, byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

LAST, TOB, SNAPSHOT, BAD_TS_RECV, MAYBE_BAD_BOOK = 128, 64, 32, 8, 4
UNDEF_PRICE = 2**63 - 1
DAY_NS = 1_767_603_600 * 10**9  # 2026-01-05 09:00 UTC
DOLLAR = 10**9


def text(value: str, width: int) -> bytes:
    return value.encode().ljust(width, b"\0")


def metadata(
    version: int = 3,
    *,
    schema: int = 0,
    mappings: Sequence[tuple[str, Sequence[tuple[int, int, str]]]] = (),
    stype_in: int = 1,
    ts_out: bool = False,
) -> bytes:
    """The head of a file. Mappings: symbol asked for, and (first day, day after, instrument id as text) of each."""
    width = 22 if version == 1 else 71
    body = text("XNAS.ITCH", 16) + struct.pack("<HQQQ", schema, DAY_NS, DAY_NS + 10**13, 0)
    body += struct.pack("<Q", 2**64 - 1) if version == 1 else b""
    body += bytes([stype_in, 0, ts_out])
    body += bytes(47) if version == 1 else struct.pack("<H", width) + bytes(53)
    body += struct.pack("<I", 0)  # no description of the schema
    for names in ([name for name, _ in mappings], [], []):
        body += struct.pack("<I", len(names)) + b"".join(text(name, width) for name in names)
    body += struct.pack("<I", len(mappings))
    for name, days in mappings:
        body += text(name, width) + struct.pack("<I", len(days))
        body += b"".join(struct.pack("<II", first, end) + text(number, width) for first, end, number in days)
    body += bytes(-len(body) % 8) if version >= 3 else b""
    return b"DBN" + bytes([version]) + struct.pack("<I", len(body)) + body


def record(
    action: str,
    order_id: int = 0,
    side: str = "N",
    price: int = UNDEF_PRICE,
    size: int = 0,
    *,
    flags: int = LAST,
    at: int = 0,
    instrument: int = 1,
    publisher: int = 2,
    sequence: int = 0,
    ts_event: int | None = None,
    ts_out: int | None = None,
) -> bytes:
    """One MBO record; `at`: nanoseconds after `DAY_NS`."""
    time = DAY_NS + at
    body = struct.pack("<BBHIQ", 14 if ts_out is None else 16, 160, publisher, instrument, ts_event or time)
    body += struct.pack("<QqIBBcc", order_id, price, size, flags, 0, action.encode(), side.encode())
    body += struct.pack("<QiI", time, 0, sequence)
    return body + (b"" if ts_out is None else struct.pack("<Q", ts_out))


def other_record(rtype: int, body: bytes, instrument: int = 1) -> bytes:
    """A record of another type."""
    body += bytes(-len(body) % 4)
    return struct.pack("<BBHIQ", (16 + len(body)) // 4, rtype, 2, instrument, DAY_NS) + body


def symbol_mapping(version: int, instrument: int, symbol: str) -> bytes:
    """As a live stream has it in front of an instrument's records."""
    if version == 1:
        return other_record(22, text("asked", 22) + text(symbol, 22) + bytes(4 + 16), instrument)
    return other_record(22, b"\1" + text("asked", 71) + b"\1" + text(symbol, 71) + bytes(16), instrument)


def dbn(records: Iterable[bytes], version: int = 3, **head: Any) -> bytes:
    return metadata(version, **head) + b"".join(records)
