"""A report as an interval log: every run an interval, every series a line of it, tagged `measure/operation`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lowlat.errors import UsageError
from lowlat.reports.histogram.hlog_writer import head, interval
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Run
from lowlat.reports.model.series import histogram_of
from lowlat.reports.model.timestamps import started_at

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def of_report(report: Report) -> str:
    """The log; its base time is the start of the first run. Raises `UsageError` if there is no run."""
    if not report.runs:
        raise UsageError("the report has no runs, so it has no intervals")
    base_ns = min(_since_epoch_ns(run) for run in report.runs)
    return head(base_ns) + "".join(_lines(run, base_ns) for run in report.runs)


def _lines(run: Run, base_ns: int) -> str:
    begin_ns = _since_epoch_ns(run) - base_ns
    recorded = ((f"{series.measure}/{series.op}", histogram_of(series)) for series in run.series)
    return interval(begin_ns, begin_ns + round((run.duration_s or 0.0) * 1e9), recorded)


def _since_epoch_ns(run: Run) -> int:
    return (started_at(run) - _EPOCH) // timedelta(microseconds=1) * 1_000
