"""`lowlat report`: show, merge, check and convert saved reports, and follow them over time."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lowlat import units
from lowlat.errors import ExitCode, UsageError
from lowlat_cli.command import full_command
from lowlat_cli.destination import Destination, exit_code_of, tell_status
from lowlat_cli.listings import output_names
from lowlat_cli.options.shared import (
    ColorOption,
    DebugOption,
    PlotOption,
    QuietOption,
    ReportOutputOption,
    VerboseOption,
)
from lowlat_cli.session import color_of
from lowlat_cli.stdio import note

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.reports.io.loader import Document
    from lowlat.reports.model.report import Report


def _output(value: Any) -> str:
    if value == "table":  # the default, known without an import
        return "table"

    from lowlat.reports.outputs.registry import OUTPUTS

    names = ("table", *OUTPUTS)
    if value not in names:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(repr(name) for name in names)}")
    return str(value)


def report(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE...", help="Reports of the same workload, a sweep, or an interval log (.hlog)."),
    ] = None,
    output_format: Annotated[
        str,
        typer.Option(
            "--to",
            "--format",
            metavar="OUTPUT",
            parser=_output,
            autocompletion=output_names,
            help="table, or {outputs}; --json is short for --to json.",
        ),
    ] = "table",
    series: Annotated[
        str | None,
        typer.Option(
            "--series",
            metavar="NAME",
            help="Only these series: an operation such as cancel, a measure such as response or "
            "scheduling_delay, or response/cancel.",
        ),
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(
            "--history", metavar="DIR", help="Track p50 and p99 across all reports in a directory, by start time."
        ),
    ] = None,
    output: ReportOutputOption = None,
    plot: PlotOption = False,
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Show, check, merge and convert saved reports.

    Several reports of the same workload are merged exactly, by adding histograms. Every report is checked: its figures
    must match its histograms. A report that is marked as invalid gives exit code 3, an inconclusive sweep 4.

    \b
    Examples:
      lowlat report a.json                              the table again
      lowlat report a.json b.json -o both.json          all runs of both, as one document
      lowlat report a.json --to md >> $GITHUB_STEP_SUMMARY
      lowlat report a.json --to hgrm --series cancel    percentiles of one operation, for a plotter
      lowlat report a.json --plot -o a.html             with a chart here, and a page with charts
      lowlat report run.hlog --to csv                   the contents of an interval log
      lowlat report --history results/                  is performance drifting?
      lowlat report --history results/ -o drift.html    with a chart per workload
    """
    destination = Destination(output_format, output, color_of(ctx), verbose=verbose, plot=plot)
    if history is not None:
        if files or output_format not in ("table", "json", "html"):
            raise UsageError(
                "--history reads a directory and writes a table, json or html; remove FILE and other outputs"
            )
        destination.check(("html",))
        return _follow(history, series, destination, verbose=verbose)
    if not files:
        raise UsageError("no report given; name one, or a directory of reports with --history DIR")

    from lowlat.reports.histogram.hlog_reader import RecordedLog
    from lowlat.reports.io.selection import select
    from lowlat.reports.outputs.registry import convert, texts_of

    document = _read(ctx, files)
    if series is not None:
        document = select(document, series)
    texts = dict(texts_of(document))
    if not isinstance(document, RecordedLog):
        texts |= destination.page_of(document)
    if output_format != "table":  # refuses what the document does not support
        texts.setdefault(output_format, partial(convert, document, output_format))
    destination.check(texts)
    destination.write(lambda: convert(document, "json"), lambda on: _draw(document, destination, on), texts)
    return _verdict(document)


def _read(ctx: typer.Context, files: Sequence[Path]) -> Document:
    """The checked contents of the files; several are merged into one report."""
    from lowlat.errors import naming
    from lowlat.reports.io.loader import read
    from lowlat.reports.io.validation import check
    from lowlat.reports.model.report import Report
    from lowlat.reports.model.sweep import Sweep

    if len(files) > 1:
        return _merged(ctx, files)
    document = read(files[0])
    with naming(str(files[0])):
        for each in document.points if isinstance(document, Sweep) else (document,):
            if isinstance(each, Report):
                check(each)
    return document


def _merged(ctx: typer.Context, files: Sequence[Path]) -> Report:
    from lowlat.errors import naming
    from lowlat.reports.compare.compatibility import weaknesses
    from lowlat.reports.io.loader import read
    from lowlat.reports.io.validation import check
    from lowlat.reports.merge.merging import merge_reports
    from lowlat.reports.model.report import Report

    named = []
    for file in files:
        each = read(file)
        if not isinstance(each, Report):
            raise UsageError(f"{file}: only reports can be merged; show a sweep or an interval log by itself")
        with naming(str(file)):
            check(each)
        named.append((str(file), each))
    merged = merge_reports(named, full_command(ctx, sys.argv[1:]))
    for weakness in weaknesses([each for _, each in named]):
        note(f"warning: {weakness}")
    if len(revisions := dict.fromkeys(each.tool.git or "unknown" for _, each in named)) > 1:
        note(
            f"warning: merged from several builds, which 'lowlat compare' would keep apart: git {', '.join(revisions)}"
        )
    return merged


def _draw(document: Document, destination: Destination, on: Console) -> None:
    from lowlat.reports.histogram.hlog_reader import RecordedLog
    from lowlat.reports.terminal.hlog_table import render_log

    if isinstance(document, RecordedLog):
        render_log(document, on)
    else:
        destination.draw(document, on)


def _verdict(document: Document) -> ExitCode:
    """Print the document's status on stderr. A report of an interrupted run is not an error here."""
    from lowlat.reports.histogram.hlog_reader import RecordedLog

    if isinstance(document, RecordedLog):
        return ExitCode.OK
    tell_status(document)
    return exit_code_of(document)


def _follow(folder: Path, series: str | None, destination: Destination, *, verbose: bool) -> ExitCode:
    from lowlat.documents import text
    from lowlat.reports.compare.history import history_of
    from lowlat.reports.terminal.history_table import render_history

    found = history_of(folder, series)
    if verbose and found.skipped:
        note(f"skipped {units.plural(len(found.skipped), 'file')} without such a report; --json has the reasons")
    destination.write(
        lambda: text(found, ascii_only=False), lambda on: render_history(found, on), destination.page_of(found)
    )
    return ExitCode.OK
