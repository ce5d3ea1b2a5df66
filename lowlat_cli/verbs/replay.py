"""`lowlat replay`: recorded orders through the matching engine, checked against the venue's own executions; or the
commands of a journal.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat.errors import UsageError
from lowlat_cli.destination import Destination
from lowlat_cli.options.load import (
    ArrivalsOption,
    BooksOption,
    LogOption,
    PipelineOption,
    RateOption,
    check_together,
    load_of,
)
from lowlat_cli.options.shared import (
    ColorOption,
    CpuOption,
    DebugOption,
    DryPolicy,
    EngineOption,
    OrdersOption,
    OutputFormat,
    PlotOption,
    ReportOutputOption,
    RunsOption,
    TradesOption,
    VerboseOption,
)
from lowlat_cli.progress import shown_progress
from lowlat_cli.run_plan import plan_of, tell_of_books
from lowlat_cli.session import color_of

if TYPE_CHECKING:
    from lowlat.engine.bench.run import RunPlan
    from lowlat.reports.model.report import Report


class RecordingError(UsageError):
    """A file, or an option, that does not go with the kind of recording that was said or found."""


class Format(StrEnum):
    """How the recording is written, and what to print."""

    LOBSTER = "lobster"
    JOURNAL = "journal"
    TABLE = "table"
    JSON = "json"


def _after_settings(ctx: typer.Context, param: typer.CallbackParam, given: list[Format] | None) -> list[str]:
    """Put environment or settings file first: the flag may say how to read and leave to them what to print."""
    below = param.value_from_envvar(ctx) or ctx.lookup_default(param.name) or ()
    for name in below:
        if name not in list(Format):
            raise typer.BadParameter(f"{name!r} is not one of {', '.join(Format)}")
    return [*below, *(given or ())]


def replay(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Recorded orders: plain, .xz, .gz or .bz2; or a journal.")
    ],
    formats: Annotated[
        list[Format] | None,
        typer.Option(
            "--format",
            metavar="lobster|journal|table|json",
            callback=_after_settings,
            help="lobster, journal: how FILE is written (a LOBSTER message file, an engine's journal). table, json: "
            "what to print; --json means --format json. May be given once for each.  [default: as FILE begins, table]",
        ),
    ] = None,
    expect: Annotated[
        Path | None,
        typer.Option(
            "--expect", metavar="FILE", help="The venue's LOBSTER order book file, to compare best bid and ask."
        ),
    ] = None,
    pipeline: PipelineOption = False,
    rate: RateOption = None,
    arrivals: ArrivalsOption = None,
    books: BooksOption = None,
    log: LogOption = None,
    runs: RunsOption = 5,
    cpu: CpuOption = None,
    engine: EngineOption = "native",
    orders: OrdersOption = None,
    trades: TradesOption = None,
    when_dry: Annotated[
        DryPolicy | None,
        typer.Option(
            "--when-dry",
            help="When the pool of orders is empty: reject the command, or grow the pool.  [default: refuse]",
        ),
    ] = None,
    output: ReportOutputOption = None,
    plot: PlotOption = False,
    verbose: VerboseOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Measure the matching engine with recorded orders, and check the fills.

    The venue's executions are the expected answer: each aggressive order must hit the resting orders that it hit there.

    A journal's commands are measured with its engine's symbols, pools and policies, unless options say otherwise.

    \b
    Examples:
      lowlat replay AAPL_message_50.csv.xz --format lobster
      lowlat replay AAPL_message_50.csv.xz -v                    list the fills that differ
      lowlat replay day_message.csv --expect day_orderbook.csv   compare best bid and ask too
      lowlat replay day.journal                                  an engine's journal (see 'lowlat journal')
      lowlat replay day_message.csv --format lobster --json      the whole report as one document
      lowlat replay day_message.csv --rate 500k                  at planned times, one every two microseconds
    """
    destination = Destination(_output_format(formats or []), output, color_of(ctx), verbose=verbose, plot=plot)
    destination.check(page=True)
    check_together(ctx, output)
    load = load_of(producers=1 if pipeline else None, rate=rate, arrivals=arrivals)
    sizes = {"orders": orders, "trades": trades}
    plan = plan_of(ctx, engine=engine, runs=runs, cpu=cpu, **sizes, when_dry=when_dry, load=load, books=books, log=log)

    if _is_journal(file, formats or []):
        if expect is not None:
            raise RecordingError(f"--expect is for a venue's recording, and {file} is a journal; leave it out")
        return destination.deliver(_measured_journal(ctx, file, plan, verbose=verbose))

    from lowlat.engine.bench.pipeline_placement import book_names
    from lowlat.engine.bench.replay import replay as measure_replay
    from lowlat.engine.flow.readers.lobster import read_lobster

    if pipeline:
        tell_of_books(book_names(file.name, 1), books, verbose=verbose)
    with shown_progress(color_of(ctx), verbose=verbose) as progress:
        progress("reading the recording", 0.0)
        report = measure_replay(read_lobster(file), plan, expect, progress)
    return destination.deliver(report)


def _measured_journal(ctx: typer.Context, file: Path, plan: RunPlan, *, verbose: bool) -> Report:
    from lowlat.engine.bench.pipeline_placement import book_names
    from lowlat.engine.bench.protocol import Pipeline
    from lowlat.engine.bench.run import measure
    from lowlat.engine.flow.readers.journal import read_journal_flow

    with shown_progress(color_of(ctx), verbose=verbose) as progress:
        progress("reading the journal", 0.0)
        flow = read_journal_flow(file)
    if isinstance(plan.load, Pipeline):
        tell_of_books(book_names(flow.name, len(flow.instruments)), plan.books, verbose=verbose)
    with shown_progress(color_of(ctx), verbose=verbose) as progress:
        return measure(flow, plan, progress)


_OUTPUTS = (Format.TABLE, Format.JSON)


def _output_format(formats: list[Format]) -> OutputFormat:
    """What to print: the last that was said."""
    said = [name for name in formats if name in _OUTPUTS]
    return "json" if said and said[-1] == Format.JSON else "table"


def _is_journal(file: Path, formats: list[Format]) -> bool:
    """Whether to read the file as a journal: as was said last, else as it begins. Raises `RecordingError`."""
    from lowlat.engine.journal.file import is_journal

    said = [name for name in formats if name not in _OUTPUTS]
    found = is_journal(file)
    if said and said[-1] == Format.LOBSTER and found:
        raise RecordingError(f"{file} is a journal, not a LOBSTER file; leave out --format lobster")
    return found or (bool(said) and said[-1] == Format.JOURNAL)
