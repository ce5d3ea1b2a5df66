"""The header of a mapped book."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np

from lowlat import units
from lowlat.arguments import checked_number, is_integer
from lowlat.engine import _core
from lowlat.engine.matching.instrument import PRICE_MAX
from lowlat.engine.matching.records import LEVEL
from lowlat.engine.shared_book.errors import BookLayoutError, NotABookError
from lowlat.engine.shared_book.records import BOOK_HEADER
from lowlat.errors import UsageError
from lowlat.text import shown

IDENTITY_BYTES: Final = 128
_CHECKED_BYTES: Final = 120
UNIT_EXPONENT_MAX: Final = 24
"""Beyond it a price would be shown with more digits than anybody reads."""


@dataclass(frozen=True, slots=True)
class BookIdentity:
    """The identity of a book. `depth`: levels per side, even, so that both sides start on a cache line."""

    symbol: str
    depth: int
    tick: int
    unit: Decimal

    def __post_init__(self) -> None:
        if not is_integer(self.depth) or not 2 <= self.depth <= _core.BOOK_DEPTH_MAX or self.depth % 2:
            raise UsageError(f"depth: {shown(self.depth)} is not an even number, 2..{_core.BOOK_DEPTH_MAX}")
        checked_number("tick", self.tick, 1, PRICE_MAX)
        unit: object = self.unit
        if (
            not isinstance(unit, Decimal)
            or not self.unit.is_finite()
            or self.unit <= 0
            or abs(self.unit.adjusted()) > UNIT_EXPONENT_MAX
        ):
            raise UsageError(
                f"the price unit {shown(self.unit)} is not a positive number from 1e-{UNIT_EXPONENT_MAX} to "
                f"1e{UNIT_EXPONENT_MAX}; use e.g. 0.01"
            )
        if len(str(self.unit)) > BOOK_HEADER["unit"].itemsize:
            raise UsageError(f"the price unit {self.unit} has more than {BOOK_HEADER['unit'].itemsize} characters")

    @property
    def file_bytes(self) -> int:
        """Length of the file."""
        return BOOK_HEADER.itemsize + 2 * self.depth * LEVEL.itemsize

    def side_offset(self, side: int) -> int:
        """Offset of a side's levels in the file."""
        return BOOK_HEADER.itemsize + side * self.depth * LEVEL.itemsize

    def to_bytes(self) -> bytes:
        """The first 128 bytes of the file."""
        header = np.zeros(1, BOOK_HEADER)
        header["magic"], header["version"] = _core.BOOK_MAGIC, _core.BOOK_VERSION
        header["header_bytes"], header["level_bytes"] = BOOK_HEADER.itemsize, LEVEL.itemsize
        header["depth"], header["file_bytes"] = self.depth, self.file_bytes
        header["tick"], header["unit"], header["symbol"] = self.tick, str(self.unit).encode(), self.symbol.encode()
        header["checksum"] = zlib.crc32(header.tobytes()[:_CHECKED_BYTES])
        return header.tobytes()[:IDENTITY_BYTES]


def is_blank(raw: bytes) -> bool:
    """Whether the file is unfinished: its magic, which is written last, is missing."""
    return not any(raw[:8])


def header_of(raw: bytes) -> Any:
    """One `BOOK_HEADER` record from the file's first 256 bytes. Raises `BookLayoutError`."""
    if len(raw) < BOOK_HEADER.itemsize:
        raise BookLayoutError(
            f"the file has {units.counted(len(raw), 'byte')}, a book's header {BOOK_HEADER.itemsize}; "
            "restart its writer"
        )
    return np.frombuffer(raw, BOOK_HEADER, count=1)[0]


def identity_of(raw: bytes, file_bytes: int) -> BookIdentity:
    """The identity in the file, checked for consistency; `raw` is the file's start, `file_bytes` its length.

    Raises `NotABookError`, `BookLayoutError`.
    """
    if len(raw) >= 8 and int.from_bytes(raw[:8], "little") != _core.BOOK_MAGIC:
        raise NotABookError(f"the file starts with {raw[:8]!r}, not like a book; remove it, or name another directory")
    header = header_of(raw)
    if header["version"] != _core.BOOK_VERSION:
        raise BookLayoutError(
            f"the book has layout version {header['version']}, this program reads {_core.BOOK_VERSION}; "
            "use the lowlat that writes it, or start its writer with this one"
        )
    if header["checksum"] != zlib.crc32(raw[:_CHECKED_BYTES]):
        raise NotABookError("the book's header does not match its checksum; restart its writer")
    symbol = header["symbol"].decode("ascii", "replace")
    try:
        identity = BookIdentity(symbol, int(header["depth"]), int(header["tick"]), _unit(header))
    except UsageError as error:
        raise NotABookError(f"the book's header says {error}; restart its writer") from None
    sizes = (int(header["header_bytes"]), int(header["level_bytes"]), int(header["file_bytes"]))
    if sizes != (BOOK_HEADER.itemsize, LEVEL.itemsize, identity.file_bytes):
        raise BookLayoutError(f"the book has sizes {sizes} (header, level, file), which its version does not")
    if file_bytes != identity.file_bytes:
        raise BookLayoutError(f"the file has {file_bytes} bytes, its book {identity.file_bytes}; restart its writer")
    return identity


def _unit(header: Any) -> Decimal:
    try:
        return Decimal(header["unit"].decode("ascii", "replace"))
    except ArithmeticError:
        raise NotABookError(f"the book's price unit is {header['unit']!r}, not a decimal number") from None
