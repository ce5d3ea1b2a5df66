"""Markdown for a pull request or `$GITHUB_STEP_SUMMARY` (at most 1 MiB): headings start at the third level."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from lowlat import units
from lowlat.reports.histogram.histogram import FEW_BEYOND
from lowlat.reports.model.cores import Cores
from lowlat.reports.model.jitter import Jitter
from lowlat.reports.model.memory import Memory
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import PercentileValue, SummarySeries
from lowlat.reports.model.sweep import Sweep, response, typical, verdict
from lowlat.reports.terminal import (
    cores_lines,
    counter_lines,
    foreign_lines,
    jitter_lines,
    memory_lines,
    recording_lines,
    sweep_lines,
    text_lines,
)
from lowlat.text import printable

ROWS_MAX: Final = 400
"""Rows of a table. With `TEXT_MAX` they keep the whole below 1 MiB, beyond which GitHub drops a summary."""
TEXT_MAX: Final = 300
"""Characters of a cell or a line."""

_PERCENTS: Final = ("50", "90", "99", "99.9", "99.99")
_MEANS_SOMETHING: Final = re.compile(r"([\\`*_{}\[\]<>#|~!&])")


def of_report(report: Report) -> str:
    """Latencies by operation, throughput, and host facts."""
    return _text(
        [
            f"### lowlat: {_plain(report.workload.profile)}",
            "",
            *_status(report.status, report.status_reasons),
            _measured(report),
            "",
            *_latencies(report.summary),
            "",
            *_facts(report),
        ]
    )


_MEANINGS: Final = {
    "invalid": "INVALID: discard these results",
    "interrupted": "INTERRUPTED: partial results",
    "inconclusive": "INCONCLUSIVE",
}


def _measured(report: Report) -> str:
    """What was measured, in a sentence."""
    work, runs = report.workload, units.plural(len(report.runs), "run")
    if report.recording is not None:
        operations = units.plural(report.load.sent, "operation")
        return f"{runs}, {operations}, recorded: {_plain(recording_lines.source(report.recording))}"
    seed = f", seed {work.seed}" if work.seed is not None else ""
    engine = _plain(report.engine.name if report.engine else "unknown")
    commands = units.plural(work.commands or 0, "command")
    return f"{runs} of {commands}{seed}, {engine} engine, git {_plain(report.tool.git or 'unknown')}"


def of_sweep(sweep: Sweep) -> str:
    """Response times by rate, and the highest rate that meets the objectives."""
    first = sweep.points[0]
    rows = [_point(point, verdict(sweep, point)) for point in sweep.points[:ROWS_MAX]]
    return _text(
        [
            f"### lowlat: {_plain(first.workload.profile)}, by rate",
            "",
            *_status(sweep.status, sweep.status_reasons),
            f"Highest rate: **{_plain(sweep_lines.answer(sweep))}**; {_plain(sweep_lines.objectives(sweep))}",
            "",
            f"{sweep_lines.what(sweep).capitalize()}:",
            "",
            *_table(["target", "achieved", "p50", "p99", "p99.9", "max", "objective (runs)"], rows, len(sweep.points)),
            "",
            f"- runs: {_plain(sweep_lines.runs(sweep))}",
            f"- host: {_plain(text_lines.host(first.host))}",
        ]
    )


def of_jitter(found: Jitter) -> str:
    """What each CPU lost, and to what."""
    cpus = list(jitter_lines.cpu_rows(jitter_lines.worst_first(found.cpus)[:ROWS_MAX]))
    causes = [[_plain(cause), *figures] for cause, *figures in jitter_lines.cause_rows(found)]
    by_cause = ["", *_table(jitter_lines.CAUSE_COLUMNS, causes[:ROWS_MAX], len(causes), left=1)] if causes else []
    return _text(
        [
            "### lowlat: jitter",
            "",
            *_status(found.status, ["Ctrl-C ended it early"]),
            *_table(jitter_lines.cpu_columns(found), cpus, len(found.cpus)),
            *by_cause,
            "",
            *(f"- {label}: {_plain(line)}" for label, line in jitter_lines.facts(found)),
            *(f"- note: {_plain(line)}" for line in jitter_lines.notes(found)),
        ]
    )


def of_cores(found: Cores) -> str:
    """The matrix of one-way times."""
    head = ["CPU", *map(str, found.cpus)]
    rows = [[str(cpu), *(cell.text for cell in cells)] for cpu, cells in cores_lines.matrix(found)]
    return _text(
        [
            "### lowlat: cores",
            "",
            *_status(found.status, ["Ctrl-C ended it early"]),
            *_table(head, rows[:ROWS_MAX], len(rows)),
            "",
            *(f"- {label}: {_plain(line)}" for label, line in cores_lines.facts(found)),
            *(f"- note: {_plain(line)}" for line in cores_lines.notes(found)),
        ]
    )


def of_memory(found: Memory) -> str:
    """The levels, what pages cost, and bandwidth."""
    tables = (
        (memory_lines.LEVEL_COLUMNS, memory_lines.level_rows(found)),
        (memory_lines.effect_columns(found), memory_lines.effect_rows(memory_lines.few_effects(found))),
        (memory_lines.BANDWIDTH_COLUMNS, memory_lines.bandwidth_rows(found.bandwidth)),
    )
    made = ((columns, [[_plain(cell) for cell in row] for row in rows]) for columns, rows in tables)
    return _text(
        [
            "### lowlat: memory",
            "",
            *_status(found.status, ["Ctrl-C ended it early"]),
            *(line for columns, rows in made if rows for line in (*_table(columns, rows, len(rows), left=1), "")),
            *(f"- {label}: {_plain(line)}" for label, line in memory_lines.facts(found)),
            *(f"- note: {_plain(line)}" for line in memory_lines.notes(found)),
        ]
    )


def _status(status: str, reasons: Sequence[str]) -> list[str]:
    if status == "ok":
        return []
    return [f"> **{_MEANINGS[status]}**: {_plain('; '.join(reasons) or 'no reason given')}", ""]


def _latencies(summary: Sequence[SummarySeries]) -> list[str]:
    head = ["measure", "operation", "count", *(f"p{percent}" for percent in _PERCENTS), "max"]
    rows = [
        [
            _plain(series.measure),
            _plain(series.op),
            units.short(series.count),
            *(_percentile(series.percentiles.get(percent)) for percent in _PERCENTS),
            units.time(series.max),
        ]
        for series in summary[:ROWS_MAX]
    ]
    few = any(row[column].endswith("\\*") for row in rows for column in range(3, 8))
    note = ["", f"\\* fewer than {FEW_BEYOND} samples in the tail: not significant"] if few else []
    return [*_table(head, rows, len(summary), left=2), *note]


def _point(point: Report, outcome: str) -> list[str]:
    series = response(point)
    return [
        *("-" if rate is None else units.rate(rate) for rate in (point.load.target_rate, point.load.achieved_rate)),
        *(_percentile(typical(point, percent)) for percent in ("50", "99", "99.9")),
        units.time(series.max) if series else "-",
        outcome,
    ]


def _facts(report: Report) -> Iterator[str]:
    """The facts, one item each, as in the terminal table."""
    facts: dict[str, str | None] = {}
    if report.recording is not None:
        facts = {"host": recording_lines.host(report.host)}
    else:
        facts = {
            **text_lines.passes(report.runs, report.load.model),
            "processor": (counter_lines.counted(report) or "").replace("\n", "; "),
            **dict(foreign_lines.facts(report)),
            "load": text_lines.load(report.load),
            "host": text_lines.host(report.host),
            "os_noise": text_lines.os_noise(report.runs, report.load.model),
            "verified": text_lines.verification(report),
        }
    yield from (f"- {name}: {_plain(line)}" for name, line in facts.items() if line)


def _percentile(percentile: PercentileValue | None) -> str:
    if percentile is None:
        return "-"
    return units.time(percentile.value) + ("\\*" if percentile.beyond < FEW_BEYOND else "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], whole: int, left: int = 0) -> Iterator[str]:
    """The rows, with the first `left` columns left-aligned, and how many of the `whole` rows are missing."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join(' --- ' if column < left else ' ---: ' for column in range(len(head)))}|"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    if whole > len(rows):
        yield from ("", f"and {whole - len(rows):,} more")


def _plain(text: str) -> str:
    """Text on one line, with markup escaped, truncated if long."""
    line = printable(" ".join(text.split()))
    return _MEANS_SOMETHING.sub(r"\\\1", line if len(line) <= TEXT_MAX else line[: TEXT_MAX - 3] + "...")


def _text(parts: Iterable[str]) -> str:
    return "\n".join(parts) + "\n"
