"""Trends over saved reports: percentiles of the same work from report to report, to reveal a slow drift.

The files of a folder are the only storage. `History` is a `lowlat.history/1` document.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat import units
from lowlat.bounded import Amount, Count, Seed
from lowlat.errors import FormatError, InputError, NotValidError
from lowlat.limits import HISTORY_FILES_MAX
from lowlat.reports.io.loader import document_of, read_bytes
from lowlat.reports.io.selection import matching, whole
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Spread, SummarySeries
from lowlat.reports.model.timestamps import started_at

SCHEMA: Final = "lowlat.history/1"
PERCENTS: Final = ("50", "99")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A percentile of a report, beside those of the reports of the same work."""

    value_ns: Annotated[Count, Meta(description="Nanoseconds, over all runs of the report")]
    to_first: Annotated[Amount | None, Meta(description="Ratio to the first valid report; null without one above 0")]
    to_median: Annotated[
        Amount | None, Meta(description="Ratio to the median of the valid reports; null without one above 0")
    ]
    spread: Annotated[Spread | None, Meta(description="The values of the single runs; null in a report without them")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One saved report."""

    file: Annotated[str, Meta(description="File name in the directory")]
    started: Annotated[str, Meta(description="Start of its first run, UTC, RFC 3339")]
    status: Annotated[
        Literal["ok", "interrupted", "invalid"],
        Meta(description="Status of the report; invalid ones are excluded from the bases of ratios"),
    ]
    git: Annotated[str | None, Meta(description="Commit that lowlat was built from")]
    version: Annotated[str, Meta(description="Version of lowlat")]
    host: Annotated[str | None, Meta(description="Processor brand")]
    runs: Annotated[Count, Meta(description="Runs")]
    figures: Annotated[dict[str, Figure], Meta(description="By percent")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Reports of the same work, by start time: the same commands, rate and engine settings."""

    profile: Annotated[str, Meta(description="Name of the order flow profile, or of the file replayed")]
    seed: Annotated[Seed | None, Meta(description="Seed of the generator; null for recorded flow")]
    commands: Annotated[Count | None, Meta(description="Commands in one run; null for recordings")]
    hash: Annotated[str | None, Meta(description="Hash over the commands; null for recordings")]
    engine: Annotated[str | None, Meta(description="native or reference; null for recordings, of another program")]
    target_rate: Annotated[Amount | None, Meta(description="Commands per second requested; null in a closed loop")]
    op: Annotated[str, Meta(description="Operation of the figures")]
    measure: Annotated[str, Meta(description="Measure of the figures")]
    entries: Annotated[tuple[Entry, ...], Meta(min_length=1, description="The earliest first")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A file that is not a report with such a series."""

    file: Annotated[str, Meta(description="File name in the directory")]
    reason: Annotated[str, Meta(description="Why it was skipped")]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All reports of a folder."""

    schema: Annotated[Literal["lowlat.history/1"], Meta(description="Kind and version of the document")] = SCHEMA
    trends: Annotated[tuple[Trend, ...], Meta(description="One per workload, in the order of their first report")]
    skipped: Annotated[tuple[Skipped, ...], Meta(description="Other files in the directory")]

    def __repr__(self) -> str:
        from lowlat.reports.terminal.notebook import line_of

        trends, skipped = units.plural(len(self.trends), "trend"), units.plural(len(self.skipped), "other file")
        return line_of(self.schema, "of saved reports", trends, skipped)

    def _repr_html_(self) -> str:
        from lowlat.reports.terminal.history_table import render_history
        from lowlat.reports.terminal.notebook import html_of

        return html_of(lambda console: render_history(self, console))


def history_of(folder: str | Path, name: str | None = None) -> History:
    """The trends of a folder's reports, by the first series over all operations or by the series of this name.

    Skips folders, and files whose names begin with a dot. Uses the percentiles stored in a report, not its histograms.
    Raises `InputError` when the folder cannot be read or has more than `HISTORY_FILES_MAX` files.
    """
    by_work: dict[object, list[Trend]] = {}
    skipped: list[Skipped] = []
    for path in _files(Path(folder)):
        try:
            work, single = _single(path, name)
        except (InputError, FormatError, NotValidError) as error:
            skipped.append(Skipped(file=path.name, reason=str(error).removeprefix(f"{path}: ")))
        else:
            by_work.setdefault(work, []).append(single)
    trends = sorted((_joined(singles) for singles in by_work.values()), key=lambda trend: trend.entries[0].started)
    return History(trends=tuple(trends), skipped=tuple(skipped))


def _files(folder: Path) -> list[Path]:
    try:
        found = list(islice(folder.iterdir(), HISTORY_FILES_MAX + 1))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{folder}: cannot be read as a directory: {why}") from error
    if len(found) > HISTORY_FILES_MAX:
        raise InputError(f"{folder}: it has more than {HISTORY_FILES_MAX:,} entries, the limit")
    return sorted(path for path in found if path.is_file() and not path.name.startswith("."))


def _single(path: Path, name: str | None) -> tuple[object, Trend]:
    """A key of the report's work and series, and a trend of this report alone."""
    report = document_of(read_bytes(path))
    if not isinstance(report, Report):
        raise FormatError("a sweep, which has no single rate to track")
    if not report.runs:
        raise FormatError("a report without runs")
    series = whole(report.summary if name is None else matching(report.summary, name))
    if series is None:
        raise FormatError("a report without series" + (f" {name}" if name else ""))
    trend = Trend(
        profile=report.workload.profile,
        seed=report.workload.seed,
        commands=report.workload.commands,
        hash=report.workload.hash,
        engine=report.engine.name if report.engine else None,
        target_rate=report.load.target_rate,
        op=series.op,
        measure=series.measure,
        entries=(_entry(path.name, report, series),),
    )
    return (*_work(report), series.op, series.measure), trend


def _work(report: Report) -> tuple[object, ...]:
    """The values that `compatibility.py` compares: equal for the same commands, rate and engine settings."""
    work, load, engine = report.workload, report.load, report.engine
    commands = (work.profile, work.seed, work.commands, work.hash)
    pace = (load.model, load.target_rate, load.arrivals, load.producers)
    of_engine = (
        (engine.name, frozenset(engine.settings.items())) if engine else (report.recording and report.recording.skip,)
    )
    return (*commands, *pace, *of_engine)


def _entry(file: str, report: Report, series: SummarySeries) -> Entry:
    return Entry(
        file=file,
        started=min(started_at(run) for run in report.runs).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        status=report.status,
        git=report.tool.git,
        version=report.tool.version,
        host=report.host.cpu,
        runs=len(report.runs),
        figures={
            percent: Figure(value_ns=percentile.value, to_first=None, to_median=None, spread=series.spread.get(percent))
            for percent in PERCENTS
            if (percentile := series.percentiles.get(percent))
        },
    )


def _joined(singles: Sequence[Trend]) -> Trend:
    """Trends of the same work, joined into one."""
    entries = sorted((entry for single in singles for entry in single.entries), key=lambda entry: entry.started)
    return dataclasses.replace(singles[0], entries=tuple(_with_ratios(entry, entries) for entry in entries))


def _with_ratios(entry: Entry, entries: Sequence[Entry]) -> Entry:
    figures = {}
    for percent, figure in entry.figures.items():
        valid_ns = [
            each.figures[percent].value_ns for each in entries if each.status != "invalid" and percent in each.figures
        ]
        figures[percent] = dataclasses.replace(
            figure,
            to_first=_ratio(figure.value_ns, valid_ns[0] if valid_ns else 0),
            to_median=_ratio(figure.value_ns, statistics.median(valid_ns) if valid_ns else 0),
        )
    return dataclasses.replace(entry, figures=figures)


def _ratio(value_ns: int, base_ns: float) -> float | None:
    return round(value_ns / base_ns, 4) if base_ns else None
