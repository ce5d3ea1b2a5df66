"""A report for a terminal: context, latencies, throughput, and how to interpret them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.reports.model.jitter import Jitter
from lowlat.reports.model.report import BudgetPart, Report
from lowlat.reports.model.series import whole
from lowlat.reports.terminal import (
    collector_lines,
    counter_lines,
    foreign_lines,
    headline,
    jitter_lines,
    jitter_table,
    latency_table,
    library_lines,
    recording_lines,
    text_lines,
)
from lowlat.reports.terminal.wide_console import uncut
from lowlat.text import plain_text

Fact: TypeAlias = tuple[str, str | Text | None]
"""A label and its line."""


def render(report: Report, console: Console, *, verbose: bool = False) -> None:
    """Print a report: what fits a screen, or with `verbose` everything. The console handles color and NO_COLOR.

    Output that does not go to a terminal is not cut to 80 columns.
    """
    with uncut(console):
        console.print(Group(*_parts(report, console, verbose)), highlight=False, soft_wrap=False)


def _parts(report: Report, console: Console, verbose: bool) -> Iterator[RenderableType]:
    if status := text_lines.status(report):
        yield plain_text(status, style="bold red")
    yield title(report)
    yield facts(list(_where(report))) if verbose else plain_text(headline.host(report), style="dim")
    latencies = list(latency_table.tables(report.summary, len(report.runs), console))
    if latency_table.has_marks(report.summary):
        latencies.append(plain_text(latency_table.FOOTNOTE, style="dim"))
    yield from latencies
    if not (latencies and isinstance(latencies[-1], Table)):  # a table ends with an empty line of its own
        yield Text()
    yield facts(list(_found(report) if verbose else _brief(report)))
    if verbose and report.jitter:
        yield from _jitter(report.jitter)
    if report.budget and (verbose or headline.whole_path(report)):
        yield Padding(_budget(report), (1, 0, 0, 0))
        yield facts([("budget class", text_lines.budget_class(report))])
    if not verbose and report.recording is None:
        yield plain_text(headline.VERBOSE, style="dim")


def _brief(report: Report) -> Iterator[Fact]:
    """The results besides latencies, and what weakens them."""
    if report.recording is not None:
        yield "recorded", recording_lines.source(report.recording)
        return
    yield from headline.passes(report)
    yield "processor", counter_lines.counted(report)
    yield from _foreign(report)
    yield "collector", collector_lines.collector(report)
    yield "journal", text_lines.journal(report.journal) if report.journal else None
    yield "load", text_lines.load(report.load)
    yield "placement", _warning(headline.placement(report))
    yield "hot path", _warning(headline.hot_path(report))
    yield "noise", plain_text(*headline.noise(report)) if report.runs else None
    yield from (("note", note) for note in headline.notes(report))
    yield "verified", headline.verified(report)


def _foreign(report: Report) -> Iterator[Fact]:
    yield from foreign_lines.facts(report)
    yield "leak", _warning(library_lines.leak(report))


def _warning(text: str | None) -> Text | None:
    return plain_text(text, style="yellow") if text else None


def _where(report: Report) -> Iterator[Fact]:
    """What the report was measured on."""
    yield "host", recording_lines.host(report.host) if report.recording else text_lines.host(report.host)
    if report.recording is not None:
        return
    yield "topology", text_lines.topology(report.topology) if report.topology else None
    yield "placement", text_lines.placement(report.placement) if report.placement else None
    yield "clock", text_lines.clock(report.clock)


def _found(report: Report) -> Iterator[Fact]:
    """The results besides latencies, and the workload."""
    if report.recording is not None:
        yield "recorded", recording_lines.source(report.recording)
        yield from (("", note) for note in report.workload.notes)
        yield "bands", _bands(report)
        return
    model, baselines = report.load.model, report.baselines
    yield from text_lines.passes(report.runs, model).items()
    yield "processor", counter_lines.counted(report) or counter_lines.why_not(report)
    yield from _foreign(report)
    yield "collector", collector_lines.collector(report)
    yield "baselines", text_lines.baselines(baselines, report.runs, model) if baselines else None
    yield "journal", text_lines.journal(report.journal) if report.journal else None
    yield "load", text_lines.load(report.load)
    yield "hot path", text_lines.hot_path(report.hot_path)
    yield "OS noise", text_lines.os_noise(report.runs, model)
    yield "workload", text_lines.workload(report.workload)
    yield from (("", note) for note in report.workload.notes)
    yield "verified", text_lines.verification(report)
    yield "bands", _bands(report)


def title(report: Report) -> Text:
    """What ran: profile, engine, commands, seed, runs."""
    line = text_lines.join([headline.subject(report), f"lowlat {report.tool.version}"])
    return Text.assemble(plain_text(report.workload.profile, "bold"), "  ", plain_text(line))


def facts(rows: Sequence[Fact]) -> Table:
    """Labels and lines, with lines wrapped next to their label; omits rows without a line."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="cyan", no_wrap=True, min_width=12)
    grid.add_column(overflow="fold")
    for label, line in rows:
        if line:
            grid.add_row(plain_text(label), plain_text(line) if isinstance(line, str) else line)
    return grid


def _bands(report: Report) -> str | None:
    series = whole(report.summary)
    beyond_first = series and any(band.count for band in series.bands[1:])
    return text_lines.bands(series) if series and beyond_first else None


def _jitter(found: Jitter) -> Iterator[RenderableType]:
    """What took the measured CPUs from a thread that never sleeps."""
    yield Padding(facts([("jitter", jitter_lines.after_runs(found))]), (1, 0, 0, 0))
    yield Padding(jitter_table.by_cpu(found), (1, 0, 0, 0))
    yield Padding(jitter_table.by_cause(found), (1, 0, 0, 0))


def _budget(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="cyan")
    table.add_column("budget", no_wrap=True, min_width=12)
    table.add_column("reference", justify="right", no_wrap=True)
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("")
    for row in report.budget:
        measured = (
            plain_text("not measured", style="dim")
            if row.measured_ns is None
            else plain_text(units.time(row.measured_ns))
        )
        table.add_row(
            plain_text(row.stage),
            plain_text(units.time(row.reference_ns)),
            measured,
            plain_text(row.basis, style="dim"),
        )
        for part in row.parts:
            table.add_row(plain_text(f"  {part.name}"), "", *_part(part))
    return table


def _part(part: BudgetPart) -> tuple[Text, Text]:
    """The percentile used for stages, then the median."""
    if part.p50_ns is None or part.p99_ns is None:
        return plain_text("not measured", style="dim"), plain_text(part.basis, style="dim")
    text = f"p99 (p50 {units.time(part.p50_ns)}): {part.basis}, {units.plural(part.samples, 'sample')}"
    return plain_text(units.time(part.p99_ns)), plain_text(text, style="dim")
