"""An interval log: every run of a report an interval, every series a line of it, tagged `measure/operation`.

Of jitter, the whole watch is one interval, and every CPU a line of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from lowlat.errors import UsageError
from lowlat.reports.histogram.hlog_writer import head, interval
from lowlat.reports.model.jitter import Jitter
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Run, Series
from lowlat.reports.model.series import histogram_of
from lowlat.reports.model.timestamps import started_at

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def of_report(report: Report) -> str:
    """The log; its base time is the start of the first run. Raises `UsageError` if there is no run."""
    if not report.runs:
        raise UsageError("the report has no runs, so it has no intervals")
    base_ns = min(_since_epoch_ns(started_at(run)) for run in report.runs)
    return head(base_ns) + "".join(_lines(run, base_ns) for run in report.runs)


def of_jitter(found: Jitter) -> str:
    """The log; its base time is the start of the watch."""
    head_lines = head(_since_epoch_ns(datetime.fromisoformat(found.started)))
    every = (cpu.series for cpu in found.cpus if cpu.series)
    return head_lines + _interval(0, found.duration_s, every)


def _lines(run: Run, base_ns: int) -> str:
    return _interval(_since_epoch_ns(started_at(run)) - base_ns, run.duration_s or 0.0, run.series)


def _interval(begin_ns: int, duration_s: float, every: Iterable[Series]) -> str:
    recorded = ((f"{series.measure}/{series.op}", histogram_of(series)) for series in every)
    return interval(begin_ns, begin_ns + round(duration_s * 1e9), recorded)


def _since_epoch_ns(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
