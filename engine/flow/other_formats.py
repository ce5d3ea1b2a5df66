"""Files that are often taken for recorded orders and are not: named by their first bytes, with what to do."""

from __future__ import annotations

import re
from typing import Final

BEGINNING_BYTES: Final = 4096
"""As many first bytes as show what a file is: a whole line of an order book of fifty levels."""

_AS_TABLE: Final = "write its rows as Parquet or CSV, and name their columns with --columns"
_UNPACK: Final = "unpack it, and name the file in it"
_LEVEL: Final = rb"-?\d+,\d+,-?\d+,\d+"

_FORMATS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (rb"[\x50-\x5f]\x2a\x4d\x18....DBZ", "a DBZ file, which came before DBN", "convert it with Databento's dbn tool"),
    (rb"\x89HDF\r\n", "an HDF5 file", _AS_TABLE),
    (rb"\x93NUMPY", "an array of numpy", _AS_TABLE),
    (rb"FEA1", "a Feather file of version 1", "write it as Feather version 2, which is an Arrow file"),
    (rb"\xff\xff\xff\xff.{3}\0", "an Arrow stream", "write it as an Arrow file (pyarrow.ipc.new_file)"),
    (rb"ORC", "an ORC file", _AS_TABLE),
    (rb"Obj\x01", "an Avro file", _AS_TABLE),
    (rb"SQLite format 3\0", "an SQLite database", _AS_TABLE),
    (rb"\x80[\x02-\x05][\x80-\xff\]}cK(]", "a Python pickle", _AS_TABLE),
    (rb"\x04\x22\x4d\x18", "compressed by LZ4", "unpack it, or compress it as .zst"),
    (rb"\x1f[\x9d\xa0]", "compressed as .Z", "unpack it, or compress it as .gz"),
    (rb"LZIP", "compressed by lzip", "unpack it, or compress it as .xz"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (rb"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (rb".{257}ustar", "a tar archive", _UNPACK),
    (rb"\xff\xfe|\xfe\xff", "text in UTF-16", "write it in UTF-8"),
    (rb"%PDF-", "a PDF", "name the recording"),
    (rb"\s*<(?i:!doctype|html|\?xml)", "a web page or XML", "look at what was downloaded, and fetch the recording"),
    (rb"\s*(?:\{\s*\"|\[\s*[\[{\"])", "JSON", _AS_TABLE),
    (
        _LEVEL + rb"(?:," + _LEVEL + rb")*\r?\n",
        "an order book file of LOBSTER",
        "name the message file, and give this one to --expect",
    ),
    (
        rb"(?:\xef\xbb\xbf)?(?i:exchange,symbol,timestamp,local_timestamp,)",
        "a CSV file of Tardis, which tells of price levels or trades, not of orders",
        "order flow needs market by order",
    ),
)
_PATTERNS: Final = [(re.compile(pattern, re.DOTALL), what, remedy) for pattern, what, remedy in _FORMATS]


def other_format(start: bytes) -> str | None:
    """What a file that, unpacked, begins so is, and what to do; None if it is none of these."""
    return next((f"{what}: {remedy}" for pattern, what, remedy in _PATTERNS if pattern.match(start)), None)
