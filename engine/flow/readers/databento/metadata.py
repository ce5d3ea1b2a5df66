"""The head of a DBN file: its version, what it holds, and the symbols of its instrument ids.

```
 0  "DBN"  version u8  bytes u32        what follows, up to the first record
 8  dataset char[16]   schema u16       0: MBO; 65535: several
26  start u64  end u64  limit u64       version 1: also a record count u64
..  stype_in u8  stype_out u8  ts_out u8   versions 2 and 3: also the width of a symbol u16
108 u32 and as many bytes, reserved
    symbols, partial, not found: u32 and as many symbols each
    mappings: u32, and for each a symbol, u32 and as many (first day u32, day after u32, symbol)
```

Integers are little-endian, days are the digits YYYYMMDD, symbols have a fixed width (22 bytes in version 1).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from lowlat import units
from lowlat.errors import InputError
from lowlat.limits import DBN_METADATA_BYTES_MAX
from lowlat.text import is_digits, printable

PRELUDE_BYTES: Final = 8
VERSIONS: Final = (1, 2, 3)
_FIXED_BYTES: Final = 100
_SYMBOL_BYTES_V1: Final = 22
_SCHEMAS: Final = (
    "mbo", "mbp-1", "mbp-10", "tbbo", "trades", "ohlcv-1s", "ohlcv-1m", "ohlcv-1h", "ohlcv-1d", "definition",
    "statistics", "status", "imbalance", "ohlcv-eod", "cmbp-1", "cbbo-1s", "cbbo-1m", "tcbbo", "bbo-1s", "bbo-1m",
)  # fmt: skip
_MIXED: Final = 0xFFFF
_STYPE_INSTRUMENT_ID: Final = 0


class NamedDays(NamedTuple):
    """The symbol of an instrument id from a first day to the day after the last, as the digits YYYYMMDD."""

    first: int
    end: int
    symbol: str


@dataclass(frozen=True, slots=True)
class DbnMetadata:
    """What the head of a DBN file says. `record_tail_bytes`: bytes that a live stream adds to each record."""

    version: int
    record_tail_bytes: int
    symbol_bytes: int
    names: dict[int, list[NamedDays]]


def metadata_bytes(path: Path, prelude: bytes) -> int:
    """How many bytes follow the first eight. Raises `InputError` for another format or version."""
    if len(prelude) < PRELUDE_BYTES or not prelude.startswith(b"DBN"):
        raise InputError(f"{path}: it does not begin as a DBN file")
    version = prelude[3]
    if version not in VERSIONS:
        raise InputError(
            f"{path}: DBN version {version}; this lowlat reads 1 to 3: convert it with Databento's dbn tool"
        )
    (count,) = struct.unpack_from("<I", prelude, 4)
    if count > DBN_METADATA_BYTES_MAX:
        (swapped,) = struct.unpack_from(">I", prelude, 4)
        if _FIXED_BYTES <= swapped <= DBN_METADATA_BYTES_MAX:
            raise InputError(f"{path}: its integers are big-endian; DBN is little-endian: write the file again")
        most = units.whole_size(DBN_METADATA_BYTES_MAX)
        raise InputError(f"{path}, byte 4: {units.counted(count, 'byte')} of metadata; the limit is {most}")
    if count < _FIXED_BYTES:
        raise InputError(f"{path}, byte 4: {units.counted(count, 'byte')} of metadata; DBN has at least {_FIXED_BYTES}")
    return int(count)


def read_metadata(path: Path, version: int, body: bytes) -> DbnMetadata:
    """The metadata behind the first eight bytes. Raises `InputError`, naming the path, if it is damaged or not MBO."""
    wide = version > 1
    (schema,) = struct.unpack_from("<H", body, 16)
    if schema not in (0, _MIXED):
        found = _SCHEMAS[schema] if schema < len(_SCHEMAS) else f"number {schema}"
        raise InputError(f"{path}: it holds schema {found}; lowlat reads mbo: request that schema")
    stype_in, _, with_send_time = body[42 + 8 * (not wide) :][:3]
    symbol_bytes = struct.unpack_from("<H", body, 45)[0] if wide else _SYMBOL_BYTES_V1
    fields = _Fields(path, body, symbol_bytes)
    for _ in range(3):
        fields.skip(fields.count() * symbol_bytes)
    names: dict[int, list[NamedDays]] = {}
    for instrument, days in _mappings(fields, stype_in):
        names.setdefault(instrument, []).append(days)
    return DbnMetadata(version, 8 * bool(with_send_time), symbol_bytes, names)


class _Fields:
    """The part of the metadata that varies in length, read from front to back."""

    def __init__(self, path: Path, body: bytes, symbol_bytes: int) -> None:
        self._path, self._body, self._symbol_bytes = path, body, symbol_bytes
        self._at = _FIXED_BYTES
        self.skip(self.count())

    def skip(self, count: int) -> bytes:
        field = self._body[self._at : self._at + count]
        if len(field) < count:
            where = f"byte {PRELUDE_BYTES + self._at}"
            raise InputError(f"{self._path}, {where}: the metadata ends within a field; fetch the file again")
        self._at += count
        return field

    def count(self) -> int:
        return int.from_bytes(self.skip(4), "little")

    def symbol(self) -> str:
        return symbol_text(self.skip(self._symbol_bytes))


def symbol_text(field: bytes) -> str:
    """A symbol of fixed width, up to its first NUL, as it can be shown."""
    return printable(field.partition(b"\0")[0].decode("latin-1"))


def _mappings(fields: _Fields, stype_in: int) -> Iterator[tuple[int, NamedDays]]:
    """Instrument id and symbol: the mapping goes from what was asked for to what the records have, or back."""
    for _ in range(fields.count()):
        asked = fields.symbol()
        for _ in range(fields.count()):
            first, end, found = fields.count(), fields.count(), fields.symbol()
            number, name = (asked, found) if stype_in == _STYPE_INSTRUMENT_ID else (found, asked)
            if is_digits(number) and len(number) <= 10:
                yield int(number), NamedDays(first, end, name)
