"""CSV for spreadsheets and data frames: a row for each series of each run, then one over all runs.

Of transfers between CPUs, a row for each pair, with columns of its own.

Text that a spreadsheet would take for a formula begins with a quote.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator, Sequence
from typing import Final

from lowlat.reports.histogram.hlog_reader import RecordedLog
from lowlat.reports.model.cores import Cores
from lowlat.reports.model.jitter import Jitter
from lowlat.reports.model.memory import Memory
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Series
from lowlat.reports.model.series import PERCENTS
from lowlat.text import spreadsheet_cell

COLUMNS: Final = (
    "profile",
    "seed",
    "target_rate",
    "git",
    "status",
    "run",
    "started",
    "op",
    "measure",
    "unit",
    "count",
    "min",
    "mean",
    "stddev",
    *(f"p{percent}" for percent in PERCENTS),
    "max",
)
"""`run` is its number, or `all`; a field that does not apply is empty."""
CORES_COLUMNS: Final = ("first", "second", "status", "blocks", "min_ns", "median_ns")


def of_reports(reports: Sequence[Report]) -> str:
    """The rows of each report, including invalid ones, which the column `status` marks."""
    return _text(row for report in reports for row in _rows(report))


def of_log(log: RecordedLog) -> str:
    """A row for each series; the columns that a log cannot fill are empty."""
    return _text([*["" for _ in range(5)], "all", "", *_figures(each.series)] for each in log.series)


def of_jitter(found: Jitter) -> str:
    """A row for each CPU that had a gap or a wake-up; its operation is the CPU."""
    about = ["", "", "", "", found.status, "all", found.started]
    return _text([*about, *_figures(cpu.series)] for cpu in found.cpus if cpu.series)


def of_cores(found: Cores) -> str:
    """A row for each pair of CPUs; without figures if it was not measured."""
    figures = ([getattr(pair, column) for column in CORES_COLUMNS] for pair in found.pairs)
    return _text((["" if cell is None else cell for cell in row] for row in figures), CORES_COLUMNS)


LADDER_COLUMNS: Final = ("status", "node", "cpu", "pages", "page_bytes", "size_bytes", "samples", "min_ns", "median_ns")


def of_memory(found: Memory) -> str:
    """A row for each size of each ladder."""
    return _text(
        (
            [ladder.status, ladder.node, ladder.cpu, ladder.pages, ladder.page_bytes, *dataclasses.astuple(point)]
            for ladder in found.ladders
            for point in ladder.points
        ),
        LADDER_COLUMNS,
    )


def _rows(report: Report) -> Iterator[list[object]]:
    work = report.workload
    about = [work.profile, work.seed, report.load.target_rate, report.tool.git, report.status]
    for run in report.runs:
        yield from ([*about, run.number, run.started, *_figures(series)] for series in run.series)
    yield from ([*about, "all", "", *_figures(series)] for series in report.summary)


def _figures(series: Series) -> list[object]:
    percentiles = [series.percentiles.get(percent) for percent in PERCENTS]
    return [
        series.op,
        series.measure,
        series.unit,
        series.count,
        series.min,
        series.mean,
        series.stddev,
        *("" if percentile is None else percentile.value for percentile in percentiles),
        series.max,
    ]


def _text(rows: Iterator[list[object]], columns: Sequence[str] = COLUMNS) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([spreadsheet_cell(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return stream.getvalue()
