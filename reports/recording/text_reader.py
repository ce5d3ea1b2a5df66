"""Reads text with a latency on each line, block by block, and names the line that has none."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

from lowlat import units
from lowlat.errors import FormatError
from lowlat.limits import LATENCY_LINE_BYTES_MAX
from lowlat.reports._core import record_lines
from lowlat.reports.histogram import buckets
from lowlat.reports.recording.recorder import LatencyRecorder
from lowlat.text import cut, printable

Unit: TypeAlias = Literal["ns", "us", "ms", "s"]
POWERS: Final[dict[Unit, int]] = {"ns": 0, "us": 3, "ms": 6, "s": 9}
"""The power of ten that makes nanoseconds of a unit."""
_SHOWN_MAX: Final = 60


class TextReader(abc.ABC):
    """Passes the latencies of whole lines to a recorder. With `ignore_others`, lines without one are only counted."""

    wanted = "each line must be a number such as 1234 or 12.5"
    """What a line must be, in messages."""

    def __init__(self, recorder: LatencyRecorder, unit: Unit = "ns", *, ignore_others: bool = False) -> None:
        self.recorder = recorder
        self.unit = unit
        self.power = POWERS[unit]
        self.ignore_others = ignore_others
        self.other_lines = 0
        self._lines = 0
        self._rest = b""

    def feed(self, block: bytes) -> None:
        """Read a block, whose last line may be incomplete. Raises `FormatError`, naming the line."""
        text = self._rest + block if self._rest else block
        end = text.rfind(b"\n") + 1
        self._rest = text[end:]
        if end:
            self._read(text[:end])
        if len(self._rest) > LATENCY_LINE_BYTES_MAX:
            raise FormatError(
                f"line {self._lines + 1} is longer than {units.whole_size(LATENCY_LINE_BYTES_MAX)}, the limit; "
                f"{self.wanted}"
            )

    def finish(self) -> None:
        """Read the last line, which may lack its line feed."""
        if self._rest:
            self.feed(b"\n")

    @abc.abstractmethod
    def _read(self, text: bytes) -> None:
        """Read whole lines, and count them."""

    def _other(self, line: bytes, problem: str | None) -> None:
        """A line without a latency: the one after those counted. One with a `problem` is never ignored, since it would
        be missing among the latencies.
        """
        shown = text_of(line)
        if problem is None and self.ignore_others:
            self.other_lines += 1
            self._lines += 1
            return
        found = f"line {self._lines + 1}: {cut(printable(shown), _SHOWN_MAX)!r}"
        if problem is not None:
            raise FormatError(f"{found} {problem}")
        raise FormatError(f"{found} has no latency; {self.wanted}, or pass --ignore-other-lines")


class LineReader(TextReader):
    """A decimal number on each line, all of the same operation."""

    def _read(self, text: bytes) -> None:
        recorder, start = self.recorder, 0
        while start < len(text):
            left = recorder.skip - recorder.skipped
            start, lines, skipped = record_lines(recorder.of(recorder.op), text, start, self.power, left)
            recorder.skipped += skipped
            self._lines += lines
            if start < len(text):
                feed = text.index(b"\n", start)
                line = text[start:feed]
                self._other(line, number_problem(text_of(line), self.unit))
                start = feed + 1


def number_problem(text: str, unit: Unit) -> str | None:
    """What is wrong with a number that is no latency; None for other text."""
    try:
        value = float(text)
    except ValueError:
        return None
    if value < 0:
        return "is negative: a latency cannot be; check how the program subtracts its timestamps"
    if value * 10.0 ** POWERS[unit] > buckets.HIGHEST_NS:
        return f"{unit} is above 73 minutes, the largest latency of a histogram; check the unit (--unit)"
    return "is not a plain decimal number"


def text_of(line: bytes) -> str:
    """A line for messages."""
    return line.strip().decode(errors="replace")


def lines_of(text: bytes) -> Iterator[bytes]:
    """The lines of text that ends with a line feed."""
    yield from text[:-1].split(b"\n")
