"""Reads interval logs: the samples of each tag over the whole log.

Accepts the logs of `hlog_writer.py` and those of HdrHistogram for other languages, versions 1.2 and 1.3, if their
histograms have three digits and count from 1. The unit is assumed to be the nanosecond, since a log does not name it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote

from lowlat.errors import FormatError
from lowlat.limits import INTERVALS_MAX, LOG_LINES_MAX, TAGS_MAX
from lowlat.reports.histogram.hdr_codec import decode
from lowlat.reports.histogram.histogram import TOTAL_END, Histogram, merge
from lowlat.reports.model.recording import RECORDED
from lowlat.reports.model.results import Series
from lowlat.reports.model.series import series_of

_NUMBER: Final = r"[0-9]{1,12}(?:\.[0-9]{0,9})?"
_LINE: Final = re.compile(
    rf"(?:Tag=(?P<tag>[^,\s]{{1,400}}),)?(?P<begin>{_NUMBER}),(?P<length>{_NUMBER}),{_NUMBER},(?P<blob>\S+)"
)
_TIME: Final = re.compile(rf"#\[(?P<name>StartTime|BaseTime): (?P<seconds>{_NUMBER})\b.*")
_START: Final = re.compile(rb"""(?:#[^\n]*\n)*(?:#\[|"StartTimestamp"|Tag=)""")
"""Not any `#`, with which Markdown and scripts begin too: what writers of logs put first, behind comments of a user."""
START_BYTES: Final = 4 << 10
"""Of a file, to tell what it is."""
_OURS: Final = re.compile(r"response|service|scheduling_delay|recorded|stage:.+")
_EPOCH_S: Final = 1e9
"""Begins count from the base time or since 1970, a log does not say which: none runs for 30 years."""


@dataclass(frozen=True, slots=True)
class RecordedSeries:
    """All samples of one tag in a log."""

    series: Series
    intervals: int


@dataclass(frozen=True, slots=True)
class RecordedLog:
    """A log: its series in order of appearance, and the time span of its intervals."""

    series: tuple[RecordedSeries, ...]
    begin: datetime
    end: datetime


def is_log(data: bytes) -> bool:
    """Whether a file looks like an interval log, by its first `START_BYTES`."""
    return _START.match(data, 0, START_BYTES) is not None


def read_log(data: bytes) -> RecordedLog:
    """The series of an interval log, histograms of the same tag added.

    A tag `measure/operation`, as written by `lowlat`, becomes measure and operation; any other tag becomes the
    operation. Raises `FormatError`, naming the line, for a file that is not a log, and for a log without samples.
    """
    if data.count(b"\n") > LOG_LINES_MAX:
        raise FormatError(f"not an interval log: it has more than {LOG_LINES_MAX:,} lines, the limit")
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise FormatError(f"not an interval log: {error}") from error
    base_s = _base_s(lines)
    sums: dict[str, Histogram] = {}
    counts: Counter[str] = Counter()
    spans: list[tuple[float, float]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith(("#", '"StartTimestamp"')):
            continue
        tag, span, histogram = _interval(number, line, base_s)
        sums[tag] = merge([sums[tag], histogram]) if tag in sums else histogram
        spans.append(span)
        counts[tag] += 1
        if len(spans) > INTERVALS_MAX or len(sums) > TAGS_MAX:
            raise FormatError(f"more than {INTERVALS_MAX:,} intervals or {TAGS_MAX} tags; that is the limit")
        if sums[tag].total >= TOTAL_END:
            raise FormatError(f"line {number}: up to here the log has 2**63 samples or more")
    series = tuple(RecordedSeries(_series(tag, whole), counts[tag]) for tag, whole in sums.items() if whole.total)
    if not series:
        raise FormatError("an interval log without samples")
    begin_s, end_s = min(begin for begin, _ in spans), max(end for _, end in spans)
    return RecordedLog(series, _moment(begin_s), _moment(end_s))


def _base_s(lines: Sequence[str]) -> float:
    """The time that interval starts are relative to: the base time, else the start time, else 1970."""
    times = {found["name"]: float(found["seconds"]) for line in lines if (found := _TIME.fullmatch(line.rstrip()))}
    return times.get("BaseTime", times.get("StartTime", 0.0))


def _interval(number: int, line: str, base_s: float) -> tuple[str, tuple[float, float], Histogram]:
    """Tag, begin and end in seconds since 1970, and the samples of a line."""
    found = _LINE.fullmatch(line.rstrip())
    if found is None:
        raise FormatError(f"line {number} is not a log interval: {line[:40]!r}")
    begin_s = float(found["begin"])
    begin_s += 0 if begin_s > _EPOCH_S else base_s
    try:
        histogram = decode(found["blob"])
    except FormatError as error:
        raise FormatError(f"line {number}: {error}") from error
    return unquote(found["tag"] or ""), (begin_s, begin_s + float(found["length"])), histogram


def _series(name: str, whole: Histogram) -> Series:
    measure, separator, op = name.partition("/")
    if separator and op and _OURS.fullmatch(measure):
        return series_of(op, measure, whole)
    return series_of(name or "all", RECORDED, whole)


def _moment(since_1970_s: float) -> datetime:
    try:
        return datetime.fromtimestamp(since_1970_s, tz=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise FormatError(f"{since_1970_s} seconds since 1970: {error}") from error
