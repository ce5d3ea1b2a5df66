"""Writes HdrHistogram interval logs, version 1.3: the samples of each interval, appended during the recording.

    #[Histogram log format version 1.3]
    #[StartTime: 1795413600.250 (seconds since epoch), 2026-11-23T06:00:00.250+00:00]
    #[BaseTime: 1795413600.250 (seconds since epoch)]
    "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
    Tag=cancel,0.000,1.000,0.071003,HISTFAAAAEB4nJNpmS...
    Tag=take,0.000,1.000,0.183551,HISTFAAAAF14nJNpmS...

Times are seconds with whole milliseconds; an interval's start is relative to the base time. The maximum is in
milliseconds (nanoseconds / 1e6, as usual). The last field is `hdr_codec.encode`. The format is that of
`HistogramLogWriter` in HdrHistogram for Java. Readers differ in what they accept, so:

* tags contain no comma or white space (Java's reader splits there) and only ASCII (Java's uses another encoding);
* numbers have a decimal point and no exponent (for Python and C);
* no comment follows the legend, where the C reader expects only intervals, so out-of-range values cannot be recorded;
* no histogram is empty (for C) or has 2**32 samples or more (JavaScript's buckets have 32 bits by default).

A log may be read while it is written, for example with `tail -f`, so unlike results (`lowlat.files`) it cannot be
renamed into place when complete. Only its head is. After that, each interval is appended with a single write, so a
process killed between two writes leaves only complete intervals.
"""

from __future__ import annotations

import contextlib
import os
import string
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from lowlat.errors import OutputPathError
from lowlat.files import write_atomically
from lowlat.reports.histogram.hdr_codec import encode
from lowlat.reports.histogram.histogram import Histogram

if TYPE_CHECKING:
    from lowlat.reports._core import IntervalHistograms

TOTAL_END: Final = 2**32
"""Samples of one line stay below this; more are written as several lines of one interval and tag."""

_LEGEND: Final = '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"'
_IN_TAGS: Final = string.punctuation.replace(",", "").replace("%", "")


@dataclass(frozen=True, slots=True)
class IntervalLog:
    """An open log, made by `interval_log`. Another process can open the same log from its three values.

    One writer at a time. The descriptor was opened for appending; its opener must close it.
    """

    path: Path
    """What errors call it."""
    descriptor: int
    base_ns: int
    """Nanoseconds since the epoch of the moment from which intervals count."""

    def write(self, begin_ns: int, end_ns: int, recorded: Iterable[tuple[str, Histogram]]) -> None:
        """Append an interval, given in nanoseconds after the base: one line for each name with samples.

        Characters of a name that are not allowed in a tag are written as %XX, as in a URL; an empty name gives a line
        without a tag. Raises `OutputPathError` on an incomplete write; the log then ends with the previous interval.
        """
        self._append(interval(begin_ns, end_ns, recorded).encode("ascii"))

    def write_taken(
        self, intervals: IntervalHistograms, names: Sequence[str], after_base_ns: Callable[[int], int]
    ) -> None:
        """Append every complete interval not yet taken. Call only on the reading thread.

        `names` has one name for each histogram; `after_base_ns` converts a tick to nanoseconds after the base. Raises
        `OutputPathError`.
        """
        while taken := intervals.take():
            begin_ticks, end_ticks, recorders = taken
            histograms = [Histogram.from_native(recorder) for recorder in recorders]
            self.write(after_base_ns(begin_ticks), after_base_ns(end_ticks), zip(names, histograms, strict=True))

    def _append(self, lines: bytes) -> None:
        written = 0
        try:
            while written < len(lines):  # repeats only if the disk or a limit cut a write short
                written += os.write(self.descriptor, lines[written:])
        except OSError as error:
            with contextlib.suppress(OSError):  # a pipe cannot be truncated
                os.ftruncate(self.descriptor, os.fstat(self.descriptor).st_size - written)
            raise OutputPathError(
                f"cannot continue writing {self.path}: {error.strerror}; it ends with the previous interval"
            ) from error


@contextmanager
def interval_log(path: Path) -> Iterator[IntervalLog]:
    """Create a log whose base time is now; replaces an existing regular file.

    Readers of a replaced file keep the old one. Raises `OutputPathError` for a path that cannot be written, like
    `lowlat.files.write_atomically`, and then changes nothing.
    """
    base_ns = time.time_ns()
    write_atomically(path, head(base_ns))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    except OSError as error:
        raise OutputPathError(f"cannot write {path}: {error.strerror}") from error
    try:
        yield IntervalLog(path, descriptor, base_ns)
    finally:
        os.close(descriptor)


def head(base_ns: int) -> str:
    """The lines before the first interval; `base_ns`: the base time of intervals, in nanoseconds since the epoch."""
    seconds = _seconds(_whole_ms(base_ns))
    date = datetime.fromtimestamp(base_ns // 10**6 / 1000, tz=UTC).isoformat(timespec="milliseconds")
    return (
        "#[Histogram log format version 1.3]\n"
        f"#[StartTime: {seconds} (seconds since epoch), {date}]\n"
        f"#[BaseTime: {seconds} (seconds since epoch)]\n"
        f"{_LEGEND}\n"
    )


def interval(begin_ns: int, end_ns: int, recorded: Iterable[tuple[str, Histogram]]) -> str:
    """The lines of an interval in nanoseconds after the base: usually one for each name with samples."""
    return "".join(
        _line(name, begin_ns, end_ns, part) for name, histogram in recorded for part in _small_enough(histogram)
    )


def _line(name: str, begin_ns: int, end_ns: int, histogram: Histogram) -> str:
    tag = quote(name, safe=_IN_TAGS, errors="surrogatepass")
    # Computed from rounded times, so that an interval ends where the next one begins.
    begin_ms, end_ms = _whole_ms(begin_ns), _whole_ms(end_ns)
    maximum_ms = f"{histogram.max_ns // 10**6}.{histogram.max_ns % 10**6:06}"
    times = f"{_seconds(begin_ms)},{_seconds(end_ms - begin_ms)},{maximum_ms}"
    return f"{f'Tag={tag},' if tag else ''}{times},{encode(histogram)}\n"


def _whole_ms(ns: int) -> int:
    return (ns + 500_000) // 10**6


def _seconds(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03}"


def _small_enough(histogram: Histogram) -> Iterator[Histogram]:
    """Histograms that sum to this one, none of them empty, each with fewer than `TOTAL_END` samples."""
    if histogram.total >= TOTAL_END:
        half = histogram.counts // 2
        yield from _small_enough(Histogram.from_buckets(half))
        yield from _small_enough(Histogram.from_buckets(histogram.counts - half))
    elif histogram.total:
        yield histogram
