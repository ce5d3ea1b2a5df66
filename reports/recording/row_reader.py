"""Reads latencies with the name of their operation: NDJSON objects, and columns of CSV."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from lowlat.errors import FormatError, UsageError
from lowlat.reports.histogram import buckets
from lowlat.reports.recording.recorder import LatencyRecorder
from lowlat.reports.recording.text_reader import TextReader, Unit, lines_of, number_problem
from lowlat.text import cut, printable

FIELD: Final = "ns"
OP_FIELD: Final = "op"
_NAMES_SHOWN: Final = 300
_UNREADABLE: Final = re.compile(r'["\\\x00-\x1f\ud800-\udfff]')
"""What the JSON library takes in no name of a field."""
_PLAIN: Final = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""The numbers that lines may have, too."""


def _check_fields(field: str, op_field: str) -> None:
    if field == op_field:
        raise UsageError(f"--field and --op-field are both {field!r}; a field has the latency or the operation")
    for option, name in (("--field", field), ("--op-field", op_field)):
        if _UNREADABLE.search(name):
            raise UsageError(
                f"{option}: {name!r} has a quote, a backslash or a control character, and no such field is read; "
                "give it another name"
            )


class NdjsonReader(TextReader):
    """A JSON object on each line: `field` holds the latency, `op_field`, if it is there, the operation."""

    def __init__(
        self,
        recorder: LatencyRecorder,
        unit: Unit = "ns",
        *,
        field: str = FIELD,
        op_field: str = OP_FIELD,
        ignore_others: bool = False,
    ) -> None:
        """Raises `UsageError` for names of fields that cannot be read."""
        super().__init__(recorder, unit, ignore_others=ignore_others)
        self._named = json.dumps(field).encode()
        self.wanted = f'each line must be an object such as {{"{field}": 1234}}'
        _check_fields(field, op_field)
        row = msgspec.defstruct(
            "Row", [("latency", float), ("op", str, recorder.op)], rename={"latency": field, "op": op_field}
        )
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(row)

    def _read(self, text: bytes) -> None:
        try:
            rows = self._decoder.decode_lines(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._line_by_line(text)
            return
        latencies = np.fromiter((row.latency for row in rows), dtype=np.float64, count=len(rows))
        if len(in_range := _nanoseconds(latencies, self.power)) < len(rows):
            self._line_by_line(text)
            return
        self.recorder.record([row.op for row in rows], in_range)
        self._lines += text.count(b"\n")

    def _line_by_line(self, text: bytes) -> None:
        """Find the lines that have no latency; those between them are recorded."""
        ops: list[str] = []
        latencies: list[float] = []
        for line in lines_of(text):
            if line.strip():
                try:
                    row = self._decoder.decode(line)
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                    broken = self._named in line
                    self._other(line, f"has no number as {self._named.decode()}" if broken else None)
                    continue
                if not _fits(row.latency, self.power):
                    self._other(line, number_problem(repr(row.latency), self.unit))
                ops.append(row.op)
                latencies.append(row.latency)
            self._lines += 1
        self.recorder.record(ops, _nanoseconds(np.array(latencies, dtype=np.float64), self.power))


class CsvReader(TextReader):
    """A table with a header: the column `column` holds the latency, `op_column`, if it is there, the operation."""

    def __init__(
        self,
        recorder: LatencyRecorder,
        unit: Unit = "ns",
        *,
        column: str,
        op_column: str = OP_FIELD,
        ignore_others: bool = False,
    ) -> None:
        super().__init__(recorder, unit, ignore_others=ignore_others)
        self._column, self._op_column = column, op_column
        self.wanted = f"each row must have a number such as 1234 in the column {column}"
        self._places: tuple[int, int | None] | None = None

    def _read(self, text: bytes) -> None:
        ops: list[str] = []
        latencies: list[float] = []
        for row, line in self._rows(text):
            if row and self._places is None:
                self._places = self._header(row)
            elif row:
                cell, op = self._cells(row)
                latency = float(cell) if _PLAIN.fullmatch(cell) else -1.0
                if not _fits(latency, self.power):
                    problem = number_problem(cell, self.unit)
                    self._other(line if problem is None else cell.encode(), problem)
                    continue
                latencies.append(latency)
                ops.append(op)
            self._lines += 1
        self.recorder.record(ops, _nanoseconds(np.array(latencies, dtype=np.float64), self.power))

    def _rows(self, text: bytes) -> Iterator[tuple[list[str], bytes]]:
        """The cells of each line. A quoted line break ends the reading: rows are lines here."""
        listed = [line.removesuffix(b"\r") for line in lines_of(text)]
        try:
            lines = [line.decode() for line in listed]
        except UnicodeDecodeError as error:
            raise FormatError(f"after line {self._lines}: not UTF-8: {error.reason}") from error
        rows = csv.reader(lines, strict=True)
        try:
            for number, (row, raw) in enumerate(zip(rows, listed, strict=False), 1):
                if rows.line_num != number:
                    raise FormatError(f"line {self._lines + 1}: a cell has a line break; write a row on each line")
                yield row, raw
        except csv.Error as error:
            raise FormatError(f"line {self._lines + 1} is not CSV: {error}") from error

    def _header(self, row: Sequence[str]) -> tuple[int, int | None]:
        names = [name.strip().removeprefix("\ufeff") for name in row]
        if names.count(self._column) != 1:
            many = "several columns are" if self._column in names else "no column is"
            there = cut(printable(", ".join(names)), _NAMES_SHOWN)
            raise FormatError(f"{many} named {self._column!r} (--column); the header has {there or 'none'}")
        return names.index(self._column), names.index(self._op_column) if self._op_column in names else None

    def _cells(self, row: Sequence[str]) -> tuple[str, str]:
        """The text of the latency and the operation; empty text where the row is too short."""
        assert self._places is not None, "the header comes first"
        column, op_column = self._places
        cell = row[column].strip() if column < len(row) else ""
        if op_column is None:
            return cell, self.recorder.op
        return cell, row[op_column] if op_column < len(row) else ""


def _fits(latency: float, power: int) -> bool:
    """Whether it is a latency that a histogram holds; NaN is none."""
    return 0 <= latency <= buckets.HIGHEST_NS / 10.0**power


def _nanoseconds(latencies: NDArray[np.float64], power: int) -> NDArray[np.int64]:
    """The latencies in range in whole nanoseconds, halves up. Exact for the range of a histogram: 42 of 53 bits."""
    fits = (latencies >= 0) & (latencies <= buckets.HIGHEST_NS / 10.0**power)
    whole: NDArray[np.int64] = np.floor(latencies[fits] * 10.0**power + 0.5).astype(np.int64)
    return whole
