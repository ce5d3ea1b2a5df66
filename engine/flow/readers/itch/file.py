"""An ITCH file as a stream of events: pieces of bytes through the native decoder, and its counts in words."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

import numpy as np

from lowlat import units
from lowlat.engine._core import ITCH_EVENTS_MIN, ItchStream
from lowlat.engine.feed.records import ORDER_EVENT, OrderEvents
from lowlat.engine.feed.source import begun
from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.engine.flow.readers.itch.framing import NAMES, framing_of
from lowlat.errors import InputError

UNIT: Final = Decimal("0.0001")
"""Dollars per price unit."""
EVENTS_MAX: Final = 16_384
"""Events of a block, 1 MiB: it stays in a core's cache between its writer and its reader."""
assert EVENTS_MAX >= ITCH_EVENTS_MIN

_STEPS_COUNTED: Final = 64
"""Blocks after which the stream's counts are brought up to date."""
_BEGINNING_BYTES: Final = 4096
"""As many as show how messages are framed."""
_LEFT_OUT: Final = {
    "other_symbols": "of other symbols",
    "empty_crosses": "crosses of no shares",
    "other_halts": "operational halts of other markets",
    "other_packets": "packets that are not MoldUDP64 over IPv4",
    "other_sessions": "packets of another session",
    "heartbeats": "heartbeats",
    "session_ends": "ends of the session",
    "repeated": "repeated or late messages",
}
_FAULTS: Final = {
    "times_back": "times that go back",
    "renamed": "stock locate codes given to another symbol",
    "reordered": "late packets, put in order",
    "gaps": "gaps in the sequence",
    "lost": "messages lost in gaps",
    "cut_packets": "packets captured only in part",
    "fragments": "fragments of IP packets",
}
_EVENTLESS: Final = frozenset(b"SRYLVWKJINO")
"""Types of messages that are about no order, trade or phase."""


def open_itch(path: Path, options: ReadOptions) -> OrderEventStream:
    """The events of an ITCH 5.0 file, plain or compressed, or of a capture.

    Raises `InputError`, naming the file, if it is neither. Reading raises it for a message that cannot be, with its
    number, offset and field; for a file cut inside a message; for a symbol asked for that the file does not name.
    """
    start, pieces = begun(path, _BEGINNING_BYTES)
    decoder = ItchStream(framing_of(path, start), sorted(options.symbols), options.until_ns)
    stream = OrderEventStream(path, "NASDAQ ITCH file", UNIT, "midnight", iter(()))
    stream.blocks = _blocks(stream, decoder, options, pieces)
    return stream


def _blocks(
    stream: OrderEventStream, decoder: ItchStream, options: ReadOptions, pieces: Iterator[bytes]
) -> Iterator[OrderEvents]:
    events = np.empty(EVENTS_MAX, ORDER_EVENT)
    for step, count in enumerate(_decoded(decoder, pieces, events)):
        _check(stream.path, decoder)
        if count:
            stream.symbols += decoder.symbols_from(len(stream.symbols))
            if step % _STEPS_COUNTED == 0:
                _count(stream, decoder)
            yield events[:count]
    _finish(stream, decoder, options)


def _decoded(decoder: ItchStream, pieces: Iterator[bytes], events: OrderEvents) -> Iterator[int]:
    """How many events were written, after each step."""
    for piece in pieces:
        start = 0
        while start < len(piece) and not decoder.ended:
            used, count = decoder.decode(piece, start, events)
            start += used
            yield count
        if decoder.ended:
            return
    while count := decoder.finish(events):
        yield count
    yield 0


def _check(path: Path, decoder: ItchStream) -> None:
    """Raise for what ended the reading, if it was a fault."""
    if decoder.fault is not None:
        offset, row, field, problem = decoder.fault
        place, reason = (f"message {row:,} at ", "; the file is damaged or no ITCH 5.0") if row else ("", "")
        raise InputError(f"{path}, {place}byte {offset:,}, {field}: {problem}{reason}")


def _count(stream: OrderEventStream, decoder: ItchStream) -> None:
    """Bring the stream's counts up to those of the decoder."""
    messages, counts = decoder.messages(), decoder.counts()
    stream.messages.update({_name(kind): count - stream.messages[_name(kind)] for kind, count in messages.items()})
    left_out = {words: counts.get(name, 0) for name, words in _LEFT_OUT.items()}
    left_out["about no order"] = sum(count for kind, count in messages.items() if kind in _EVENTLESS)
    left_out["of unknown types"] = sum(count for kind, count in messages.items() if kind not in NAMES)
    faults = {words: counts.get(name, 0) for name, words in _FAULTS.items()}
    for counter, found in ((stream.left_out, left_out), (stream.faults, faults)):
        counter.update({words: count - counter[words] for words, count in found.items() if count})


def _name(kind: int) -> str:
    return NAMES.get(kind, f"unknown type {kind:#04x}")


def _finish(stream: OrderEventStream, decoder: ItchStream, options: ReadOptions) -> None:
    """What only the end of a file shows."""
    _count(stream, decoder)
    stream.symbols[:] = decoder.symbols_from(0)  # some may have got their name late
    if not decoder.rows:
        packets = stream.left_out["packets that are not MoldUDP64 over IPv4"]
        among = f" in {units.counted(packets, 'other packet')}" if packets else ""
        raise InputError(f"{stream.path}: it holds no ITCH message{among}")
    if missing := sorted(options.symbols - set(stream.symbols)):
        named = units.counted(decoder.symbols_named, "symbol")
        raise InputError(f"{stream.path}: it has no symbol {', '.join(missing)} among {named}; see --symbols")
    if not decoder.reached_until and not decoder.ended_messages:
        stream.faults["the end of messages (system event C) is missing"] = 1
