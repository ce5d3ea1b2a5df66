"""Records the latencies of another program as a report."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

from lowlat import inputs, units
from lowlat.engine.bench import report_context
from lowlat.engine.bench.record_sources import Source, Stream
from lowlat.errors import FormatError, InputError, naming
from lowlat.reports.histogram.hlog_reader import START_BYTES, RecordedLog, is_log, read_log
from lowlat.reports.io.loader import check_named_once, read_bytes
from lowlat.reports.model.context import Host, Recording
from lowlat.reports.model.recording import RUN_PARTS, report_parts
from lowlat.reports.model.report import INTERRUPTED, Report
from lowlat.reports.model.results import Run, Series
from lowlat.reports.model.series import summarize
from lowlat.reports.recording.layout import Format, Layout
from lowlat.reports.recording.recorder import with_whole

_NOT_KNOWN: Final = ("engine", "workload.hash", "hot_path.page_faults", "verification", "budget_class")

Progress: TypeAlias = Callable[[str, float], None]
"""Called with the next step and the fraction done, 0 to 1."""


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """What to record. `name`: of the recording; those of the same name compare. `line`: the command line of lowlat."""

    source: Source
    layout: Layout
    name: str = "recorded"
    line: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """A run that was read. `duration_s`: None for a file."""

    started: datetime
    duration_s: float | None
    series: tuple[Series, ...]
    format: Format
    other_lines: int = 0


def record(plan: RecordPlan, progress: Progress = lambda _text, _share: None) -> Report:
    """Read every run, and return the report. Ctrl-C after the first run returns the runs that are complete.

    Raises `KeyboardInterrupt` before that; `CommandStartError`, `RunFailedError`; `InputError` for what is no latency.
    """
    check_named_once(plan.source.files)
    host, absent = report_context.recording_host(known=plan.source.kind in ("command", "pipe"))
    streams, done = plan.source.streams(), list[_Read]()
    several = len(streams) > 1 and plan.source.kind != "file"
    try:
        for number, stream in enumerate(streams, 1):
            progress(f"run {number} of {len(streams)}: {stream.name}", (number - 1) / len(streams))
            with naming(f"{stream.name}, run {number}" if several else stream.name):
                done.append(_read(stream, plan.layout))
                if done[-1].format != done[0].format:
                    raise FormatError(f"it holds {done[-1].format}, the first run {done[0].format}")
    except KeyboardInterrupt:
        if not done:
            raise
    progress("done", 1.0)
    return _report(plan, done, len(streams), host, absent)


def report_of_log(log: RecordedLog, path: Path) -> Report:
    """An interval log as a report of one run, to be compared with others."""
    plan = RecordPlan(Source(files=(path,)), Layout(), line=("lowlat", "record", str(path)))
    host, absent = report_context.recording_host(known=False)
    with naming(str(path)):
        return _report(plan, [_of_log(log)], 1, host, absent)


def _read(stream: Stream, layout: Layout) -> _Read:
    if stream.file is not None and _is_log(stream.file):
        if layout != Layout():
            raise FormatError(
                "it is an interval log, which holds histograms of nanoseconds by tag; remove the options that say how "
                "to read single latencies"
            )
        return _of_log(read_log(read_bytes(stream.file)))
    began, begin = datetime.now(UTC), time.perf_counter()
    with closing(stream.blocks()) as blocks:
        found, reader = layout.read(blocks)
    took_s = round(time.perf_counter() - begin, 6)
    if stream.file is not None:  # which was measured before, and does not tell for how long
        return _Read(_changed_at(stream.file), None, reader.recorder.series(), found, reader.other_lines)
    return _Read(began, took_s, reader.recorder.series(), found, reader.other_lines)


def _is_log(path: Path) -> bool:
    try:
        return is_log(inputs.beginning(path, START_BYTES))
    except OSError as error:
        raise InputError(f"{path}: {inputs.unreadable(error)}") from error


def _changed_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)


def _of_log(log: RecordedLog) -> _Read:
    series = with_whole(tuple(each.series for each in log.series))
    return _Read(log.begin, round((log.end - log.begin).total_seconds(), 6), series, "hlog")


def _report(plan: RecordPlan, done: Sequence[_Read], planned: int, host: Host, absent: dict[str, str]) -> Report:
    runs = tuple(_run(number, each) for number, each in enumerate(done, start=1))
    left = f"{INTERRUPTED}after {len(done)} of {units.plural(planned, 'run')}"
    source, layout = plan.source, plan.layout
    return Report(
        status="ok" if len(done) == planned else "interrupted",
        status_reasons=() if len(done) == planned else (left,),
        tool=report_context.tool(),
        command=plan.line,
        host=host,
        runs=runs,
        summary=summarize(runs),
        not_available=absent | dict.fromkeys(_NOT_KNOWN, "not available here, because another program was measured"),
        recording=Recording(
            source=source.kind,
            command=source.command,
            files=tuple(map(str, (source.pipe,) if source.pipe else source.files[: len(done)])),
            format=done[0].format,
            unit=layout.unit,
            skip=layout.skip,
            other_lines=sum(each.other_lines for each in done),
        ),
        **report_parts(plan.name, (), runs),
    )


def _run(number: int, each: _Read) -> Run:
    return Run(
        number=number,
        started=each.started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        duration_s=each.duration_s,
        series=each.series,
        **RUN_PARTS,
    )
