"""Memory that another process may have written: mapped books and rings."""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
import zlib
from pathlib import Path
from unittest import mock

import numpy as np

from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import COMMAND, Side
from lowlat.engine.rings import ring as ring_module
from lowlat.engine.rings.ring import MpscRing, SpscRing
from lowlat.engine.shared_book import header
from lowlat.engine.shared_book.reader import MappedBookReader
from lowlat.engine.shared_book.writer import MappedBookWriter
from tests.fuzz.parsers.target import Target, written

# -- mapped book -----------------------------------------------------------------------------------------------------


def _read_book(data: bytes, folder: Path) -> None:
    """The first byte: 0: the checksum is made right."""
    book = bytearray(data[1:])
    if data[:1] == b"\0" and len(book) >= header.IDENTITY_BYTES:
        book[120:128] = struct.pack("<Q", zlib.crc32(book[:120]))
    folder.chmod(0o700)
    written(folder, "AAPL.book", bytes(book))
    with MappedBookReader("AAPL", folder=folder, live_only=False) as reader:
        found = reader.snapshot(4, patience_s=0.001)
        assert len(found.bids) <= 4 and len(found.asks) <= 4, "no more levels than were asked for"
        for side in Side:
            assert len(reader.depth(side)) <= reader.identity.depth, "no more levels than the book has"


def _book_seeds() -> list[bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o700)
        engine = Engine([Instrument(tick=5)])
        engine.submit(1, Side.BUY, 5, 100)
        engine.submit(2, Side.SELL, 5, 105)
        with MappedBookWriter("AAPL", folder=folder, depth=2, instrument=Instrument(tick=5)) as writer:
            writer.publish(engine)
        return [b"\0" + (folder / "AAPL.book").read_bytes()]


def _plant_book() -> None:
    """A reader that does not expect a price unit that is no number."""
    mock.patch.object(header, "_unit", lambda head: header.Decimal(head["unit"].decode("ascii", "replace"))).start()


BOOK = Target(
    "book",
    _read_book,
    _book_seeds,
    _plant_book,
    ("engine/shared_book/header.py", "engine/shared_book/reader.py", "engine/shared_book/file.py"),
)

# -- ring ------------------------------------------------------------------------------------------------------------

_KINDS = (MpscRing, SpscRing)


def _read_ring(data: bytes, folder: Path) -> None:
    """The first byte: of which kind it is taken for."""
    path = written(folder, "orders.ring", data[1:])
    ring = _KINDS[data[0] % 2 if data else 0].attach(path, COMMAND)
    assert len(ring) <= ring.capacity, "no more records than there is room for"
    ring.try_push(np.zeros(3, COMMAND))
    assert len(ring.try_pop(5)) <= 5, "no more records than were asked for"


def _ring_seeds() -> list[bytes]:
    seeds = []
    with tempfile.TemporaryDirectory() as name:
        for number, kind in enumerate(_KINDS):
            path = Path(name) / str(number)
            ring = kind(4, COMMAND, path=path)
            ring.push(np.zeros(2, COMMAND))
            seeds.append(bytes([number]) + path.read_bytes())
    return seeds


def _plant_ring() -> None:
    """A ring that believes any header."""

    def believing(_shape: object, path: Path) -> tuple[int, mmap.mmap]:
        descriptor = os.open(path, os.O_RDWR)
        return descriptor, mmap.mmap(descriptor, 0)

    mock.patch.object(ring_module, "found", believing).start()


RING = Target("ring", _read_ring, _ring_seeds, _plant_ring, ("engine/rings/ring.py", "engine/rings/shared_memory.py"))
