"""Tells by its first bytes how a file holds ITCH messages, and names what is no ITCH 5.0."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lowlat import units
from lowlat.engine._core import ItchFraming, itch_messages
from lowlat.errors import InputError

LENGTHS: Final = {ord(kind): length for kind, length, _ in itch_messages()}
"""Bytes of a message, by its type."""
NAMES: Final = {ord(kind): f"{name} ({kind})" for kind, _, name in itch_messages()}
"""What a message says, by its type."""

CAPTURES: Final = {bytes.fromhex(magic) for magic in ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1")}
PCAPNG: Final = bytes.fromhex("0a0d0d0a")
"""How captures begin."""
_EXAMINED: Final = 16
"""Messages that are looked at."""
_SECONDS: Final = ord("T")
"""The type of the messages with which ITCH 2 to 4.1 tells each second."""


def framing_of(path: Path, start: bytes) -> ItchFraming:
    """How the file that begins with `start` holds messages. Raises `InputError`, naming the path, if it holds none."""
    if start[:4] in CAPTURES:
        return ItchFraming.PCAP
    if start[:4] == PCAPNG:
        return ItchFraming.PCAPNG
    if _fit_prefixed(start):
        return ItchFraming.PREFIXED
    if _fit_bare(start):
        return ItchFraming.BARE
    raise InputError(f"{path}: {_refusal(start)}")


def _fit_prefixed(start: bytes) -> bool:
    """Whether the first messages behind lengths fit their types, and one of them is known."""
    at, known = 0, False
    for _ in range(_EXAMINED):
        length, kind = int.from_bytes(start[at : at + 2], "big"), start[at + 2 : at + 3]
        if not kind or length == 0:
            return known or start == bytes(2)
        if kind[0] in LENGTHS:
            if LENGTHS[kind[0]] != length:
                return False
            known = True
        at += 2 + length
    return known


def _fit_bare(start: bytes) -> bool:
    """Whether the first messages, as long as their types say, follow one another."""
    at = 0
    for _ in range(_EXAMINED):
        if at >= len(start):
            break
        if start[at] not in LENGTHS:
            return False
        at += LENGTHS[start[at]]
    return at > 0


def _refusal(start: bytes) -> str:
    """Why this is no ITCH 5.0, and what to do."""
    if not start:
        return "the file is empty; expected ITCH messages"
    if start[:1] == b"T" or (start[:2] == b"\0\5" and start[2:3] == b"T"):
        return "it begins with a message of seconds (type T): ITCH 4.1 or older. Only ITCH 5.0 is read"
    right = LENGTHS.get(start[2]) if len(start) > 2 else None
    if right is not None and int.from_bytes(start[:2], "little") == right:
        return "the lengths of its messages are little-endian, and those of ITCH are big-endian; fetch the original"
    if right is not None and start[0] == 0:
        told = f"its first message, {NAMES[start[2]]}, has {units.counted(start[1], 'byte')}"
        return f"{told}, and in ITCH 5.0 {right}: it is another version, or damaged"
    shown = start[:8].hex(" ")
    return f"it begins with {shown}: neither ITCH 5.0 messages, with their length or without, nor a capture of packets"
