"""How the latencies of another program are written, and the reader for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Literal, TypeAlias

from lowlat.errors import FormatError
from lowlat.limits import LATENCY_LINE_BYTES_MAX
from lowlat.reports.histogram.hlog_reader import is_log
from lowlat.reports.recording.recorder import LatencyRecorder
from lowlat.reports.recording.row_reader import FIELD, OP_FIELD, CsvReader, NdjsonReader
from lowlat.reports.recording.text_reader import LineReader, TextReader, Unit

Format: TypeAlias = Literal["lines", "ndjson", "csv", "hlog"]


@dataclass(frozen=True, slots=True)
class Layout:
    """What the user says of the text. `column` makes it CSV, `field` NDJSON; otherwise its first character tells."""

    unit: Unit = "ns"
    op: str = "all"
    """The operation of latencies that name none."""
    field: str | None = None
    column: str | None = None
    op_field: str = OP_FIELD
    skip: int = 0
    ignore_others: bool = False

    def format_of(self, first: bytes) -> Format:
        """The format of text that begins with this block."""
        if self.column is not None:
            return "csv"
        if self.field is not None or first.lstrip()[:1] == b"{":
            return "ndjson"
        return "lines"

    def read(self, blocks: Iterable[bytes]) -> tuple[Format, TextReader]:
        """Read all blocks. Raises `FormatError`, naming the line."""
        each = iter(blocks)
        first = next(each, b"")
        while not first.strip() and len(first) <= LATENCY_LINE_BYTES_MAX and (more := next(each, b"")):
            first += more
        found = self.format_of(first)
        if found == "lines" and is_log(first):
            raise FormatError("an interval log is read from a file: lowlat record FILE.hlog")
        reader = self._reader(found)
        for block in chain((first,), each):
            reader.feed(block)
        reader.finish()
        return found, reader

    def _reader(self, found: Format) -> TextReader:
        recorder = LatencyRecorder(self.op, self.skip)
        match found:
            case "csv":
                return CsvReader(
                    recorder,
                    self.unit,
                    column=self.column or "",
                    op_column=self.op_field,
                    ignore_others=self.ignore_others,
                )
            case "ndjson":
                return NdjsonReader(
                    recorder,
                    self.unit,
                    field=self.field or FIELD,
                    op_field=self.op_field,
                    ignore_others=self.ignore_others,
                )
            case _:
                return LineReader(recorder, self.unit, ignore_others=self.ignore_others)
