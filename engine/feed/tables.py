"""Recordings that are tables: CSV, Parquet and Arrow files, read by pyarrow a block of rows at a time."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final

from lowlat import units
from lowlat.engine.feed import arrow_sizes, parquet_sizes
from lowlat.engine.feed.column_types import (
    dictionary_bytes,
    longest_in_dictionary,
    longest_view,
    stored,
    text_leaves,
    unreadable,
)
from lowlat.errors import InputError, UsageError
from lowlat.limits import (
    DICTIONARIES_BYTES_FREE,
    DICTIONARIES_RATIO_MAX,
    FLOW_BYTES_MAX,
    FLOW_LINE_BYTES_MAX,
    FLOW_RATIO_MAX,
    TABLE_CELL_BYTES_MAX,
    TABLE_ROWS_FREE,
    TABLE_ROWS_RATIO_MAX,
    UNPACKED_BYTES_FREE,
)
from lowlat.text import cut, printable

_BOM: Final = b"\xef\xbb\xbf"
SHOWN_CHARS: Final = 80
"""As many characters of what pyarrow says are shown."""
_BATCH_ROWS: Final = 1 << 15
_UNSUPPORTED: Final = "Not yet implemented: "
"""How pyarrow begins where a file may be right, but in an encoding that it does not read as asked."""


@dataclass(eq=False)
class TableBlock:
    """Consecutive rows: an arrow array of each column asked for, by name, and the number of the first row in its file
    (for CSV, its line). `called`: names that the file has for columns, where these have another here.
    """

    path: Path
    first_row: int
    columns: dict[str, Any]
    called: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def error(self, index: int, column: str, problem: str) -> InputError:
        """The error at a row of this block."""
        called = self.called.get(column, column)
        return InputError(f"{self.path}, row {self.first_row + index}, column {called}: {problem}")


def arrow(path: Path) -> Any:
    """The package pyarrow. Raises `UsageError`, which names what to install, where it is absent.

    Its allocator is told to start no thread, unless `JE_ARROW_MALLOC_CONF` says more: where it cannot start one, it
    writes to stderr.
    """
    os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
    try:
        import pyarrow
    except ImportError as error:
        raise UsageError(f"{path}: tables need pyarrow: pip install 'lowlat[arrow]'") from error
    return pyarrow


def column_of(path: Path, names: Sequence[str], column: str) -> str:
    """The column as the file spells it: case and blanks around it do not count. Raises `InputError` with what there is,
    the most similar first.
    """
    for name in names:
        if name.strip().casefold() == column.strip().casefold():
            return name
    from difflib import get_close_matches

    near = get_close_matches(column, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(map(repr, names))}"
    raise InputError(f"{path}: no column {column!r}; {cut(printable(hint), 400)}")


def columns_of(path: Path, names: Sequence[str], listed: Sequence[str]) -> tuple[str, ...]:
    """Those of the listed columns that the table has, as `column_of` finds each. Raises `InputError` if it has none."""
    found = []
    for column in listed:
        try:
            found.append(column_of(path, names, column))
        except InputError:
            if len(listed) == 1 or (column == listed[-1] and not found):
                raise
    return tuple(found)


class CsvTable:
    """A CSV file whose first line names the columns, as text."""

    def __init__(self, path: Path, pieces: Iterator[bytes]) -> None:
        """`pieces`: the file's bytes. Raises `InputError` for a file without a first line."""
        self._path = path
        self._arrow = arrow(path)
        head, self._rest = _first_line(path, pieces)
        text = head.removeprefix(_BOM).decode("utf-8", "replace").strip("\r")
        self._separator = "\t" if "\t" in text else ";" if ";" in text and "," not in text else ","
        self._fields = [name.strip().strip('"') for name in text.split(self._separator)]
        self.names = [printable(name) for name in self._fields]

    def blocks(self, columns: Sequence[str]) -> Iterator[TableBlock]:
        """The rows, with these columns. Raises `InputError`, which names the row, for one of another width."""
        row, rest = 2, b""
        for piece in self._rest:
            whole, ended, rest = (rest + piece).rpartition(b"\n")
            if len(rest) > FLOW_LINE_BYTES_MAX:
                row += whole.count(b"\n") + bool(ended)
                raise InputError(f"{self._path}, row {row}: more than {FLOW_LINE_BYTES_MAX:,} bytes, the limit")
            if ended:
                yield self._parsed(whole + ended, row, columns)
                row += whole.count(b"\n") + 1
        if rest.strip():
            yield self._parsed(rest, row, columns)

    def _parsed(self, lines: bytes, row: int, columns: Sequence[str]) -> TableBlock:
        from pyarrow import csv

        text = self._arrow.string()
        try:
            table = csv.read_csv(
                self._arrow.BufferReader(lines),
                csv.ReadOptions(use_threads=False, block_size=len(lines) + 1, column_names=self._unique()),
                csv.ParseOptions(delimiter=self._separator, ignore_empty_lines=False),
                csv.ConvertOptions(
                    column_types=dict.fromkeys(columns, text), include_columns=list(columns), check_utf8=True
                ),
            )
        except self._arrow.ArrowInvalid as error:
            raise self._unreadable(error, row) from error
        return TableBlock(self._path, row, {name: table[name].combine_chunks() for name in columns})

    def _unique(self) -> list[str]:
        """The names, with a number behind a second one that is the same."""
        return [f"{name} {at}" if name in self.names[:at] else name for at, name in enumerate(self.names)]

    def _unreadable(self, error: Exception, row: int) -> InputError:
        why = str(error).removeprefix("CSV parse error: ")
        found = re.match(r"Row #([0-9]+): (.*)", why, re.DOTALL)
        if found:
            row, why = row + int(found[1]) - 1, found[2]
            return InputError(f"{self._path}, row {row}: {cut(printable(why), SHOWN_CHARS)}")
        return InputError(f"{self._path}, rows from {row}: {cut(printable(why), SHOWN_CHARS)}")


def _first_line(path: Path, pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    start = b""
    for piece in pieces:
        start += piece
        if b"\n" in start or len(start) > FLOW_LINE_BYTES_MAX:
            break
    line, _, rest = start.partition(b"\n")
    if not line.strip() or len(line) > FLOW_LINE_BYTES_MAX:
        raise InputError(f"{path}: its first line does not name columns")
    return line, chain([rest], pieces)


class ArrowTable:
    """A Parquet or Arrow file, whose columns have types of their own."""

    def __init__(self, path: Path, stream: BinaryIO, *, parquet: bool) -> None:
        """Raises `InputError` for a file that is damaged, or that holds more than a file of its size may."""
        self._path, self._arrow = path, arrow(path)
        self._bytes, self._shared = stream.seek(0, os.SEEK_END), 0
        with self._readable():
            self._file = self._parquet_file(stream) if parquet else self._arrow_file(stream)
            schema = self._schema = self._file.schema_arrow if parquet else self._file.schema
            self.names: list[str] = list(schema.names)
            self.metadata: dict[bytes, bytes] = dict(schema.metadata or {})
            self._check_types(schema)
        self._parquet = parquet

    def blocks(self, columns: Sequence[str]) -> Iterator[TableBlock]:
        """The rows, with these columns. Raises `InputError` where the file is damaged, for columns of lists and other
        types that no value is made of, and for a text that is too long.
        """
        for name in columns:
            self._check_column(name)
        row = 1
        batches = self._batches(columns)
        while True:
            with self._readable():
                batch = next(batches, None)
                if batch is None:
                    return
                named = {name: self._plain(batch, name) for name in columns}
            yield TableBlock(self._path, row, named)
            row += len(batch)

    def _batches(self, columns: Sequence[str]) -> Iterator[Any]:
        if self._parquet:
            for batch in self._file.iter_batches(_BATCH_ROWS, columns=list(columns), use_threads=False):
                self._validate(batch)
                yield batch
            return
        rows = 0
        for number in range(self._file.num_record_batches):
            batch = self._file.get_batch(number)
            rows += len(batch)
            self._check_rows(rows)
            batch = batch.select([batch.schema.names.index(name) for name in columns])  # the first of each name
            self._validate(batch)
            for start in range(0, len(batch), _BATCH_ROWS):
                yield batch.slice(start, _BATCH_ROWS)

    def _validate(self, batch: Any) -> None:
        """Check what nothing does on reading: text may be no UTF-8, and a wrong length leads out of its memory."""
        batch.validate()
        self._shared += dictionary_bytes(batch)
        if self._shared > DICTIONARIES_BYTES_FREE + DICTIONARIES_RATIO_MAX * self._bytes:
            found = f"{units.size(self._bytes)} whose batches use {units.size(self._shared)} of dictionaries or more"
            raise InputError(f"{self._path}: {found}; write its text without them")
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            self._check_text(name, longest_view(column))  # many views can show one text: first, to read it once
        batch.validate(full=True)

    def _plain(self, batch: Any, name: str) -> Any:
        """A column of values: of one that stores each different text once, when none is too long to repeat."""
        column = batch.column(batch.schema.names.index(name))  # the first of those with this name
        if not self._arrow.types.is_dictionary(column.type):
            return column
        self._check_text(name, longest_in_dictionary(column))
        return column.dictionary_decode()

    def _parquet_file(self, stream: BinaryIO) -> Any:
        """The open file, which reads text as it is stored: each different one once."""
        from pyarrow import parquet

        about = parquet.read_metadata(stream)
        self._check_rows(about.num_rows)
        self._check_sizes(parquet_sizes.unpacked_sizes(stream, self._path))
        return parquet.ParquetFile(stream, metadata=about, read_dictionary=text_leaves(about.schema))

    def _arrow_file(self, stream: BinaryIO) -> Any:
        self._check_sizes(arrow_sizes.unpacked_sizes(stream))
        stream.seek(0)
        return self._arrow.ipc.open_file(stream)

    def _check_types(self, schema: Any) -> None:
        """Check what nothing has looked at yet: the names of time zones, and the decimals that pyarrow can rescale."""
        types = self._arrow.types
        for name, kind in zip(schema.names, map(stored, schema.types), strict=True):
            if types.is_timestamp(kind):
                _ = kind.tz  # which may be no UTF-8
            elif types.is_decimal(kind) and not 0 <= kind.scale <= kind.precision:
                raise ValueError(f"column {name}: {kind.scale} of its {kind.precision} digits are decimals")

    def _check_column(self, name: str) -> None:
        with self._readable():
            found = unreadable(self._schema, name, self._file.schema if self._parquet else None)
        if found is not None:
            found = cut(printable(found), SHOWN_CHARS)
            raise InputError(f"{self._path}, column {name}: {found} is not read; write numbers, times or short text")

    def _check_text(self, name: str, longest: int) -> None:
        if longest > TABLE_CELL_BYTES_MAX:
            size = units.counted(longest, "byte")
            raise InputError(f"{self._path}, column {name}: a text of {size}; the limit is {TABLE_CELL_BYTES_MAX:,}")

    def _check_sizes(self, sizes: Iterable[int]) -> None:
        """Check the unpacked bytes of groups of rows: each is held whole."""
        together, most = 0, UNPACKED_BYTES_FREE + FLOW_RATIO_MAX * self._bytes
        for number, size in enumerate(sizes):
            together += size
            if size > FLOW_BYTES_MAX:
                limit = units.whole_size(FLOW_BYTES_MAX)
                raise InputError(
                    f"{self._path}, group of rows {number}: {units.size(size)} unpacked; the limit is {limit}"
                )
            if together > most:
                raise InputError(
                    f"{self._path}: its {units.size(self._bytes)} unpack to {units.size(together)} or more: above "
                    f"{FLOW_RATIO_MAX} times as much is not order flow"
                )

    def _check_rows(self, rows: int) -> None:
        if rows > (most := TABLE_ROWS_FREE + TABLE_ROWS_RATIO_MAX * self._bytes):
            found = f"{units.size(self._bytes)} with {units.counted(rows, 'row')} or more"
            raise InputError(f"{self._path}: {found}; the limit is {most:,}: what repeats so often is not order flow")

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (self._arrow.ArrowException, OSError, ValueError) as error:
            why = cut(printable(str(error)), SHOWN_CHARS)
            if _UNSUPPORTED in str(error):
                raise InputError(
                    f"{self._path}: pyarrow cannot read it: {why}; write it with plain encoding"
                ) from error
            raise InputError(f"{self._path}: it is damaged: {why}; fetch it again") from error
