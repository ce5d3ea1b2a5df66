"""`lowlat replay`: recorded orders through the matching engine, checked against the venue's own executions."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lowlat_cli.load_options import (
    ArrivalsOption,
    BooksOption,
    LogOption,
    PipelineOption,
    RateOption,
    check_together,
    load_of,
)
from lowlat_cli.options import (
    ColorOption,
    CpuOption,
    DebugOption,
    EngineOption,
    OrdersOption,
    OutputFormat,
    PlotOption,
    ReportOutputOption,
    RunsOption,
    TradesOption,
    VerboseOption,
    WhenDryOption,
)
from lowlat_cli.output import Destination
from lowlat_cli.plan import plan_of, tell_of_books
from lowlat_cli.progress import shown_progress
from lowlat_cli.session import color_of


class Format(StrEnum):
    """How the recording is written, and what to print."""

    LOBSTER = "lobster"
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
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Recorded orders: plain, .xz, .gz or .bz2.")],
    formats: Annotated[
        list[Format] | None,
        typer.Option(
            "--format",
            metavar="lobster|table|json",
            callback=_after_settings,
            help="lobster: how FILE is written (a LOBSTER message file, the default). table, json: what to print; "
            "--json means --format json. May be given once for each.  [default: lobster, table]",
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
    when_dry: WhenDryOption = "refuse",
    output: ReportOutputOption = None,
    plot: PlotOption = False,
    verbose: VerboseOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Measure the matching engine with recorded orders, and check the fills.

    The venue's executions are the expected answer: each aggressive order must hit the resting orders that it hit there.

    \b
    Examples:
      lowlat replay AAPL_message_50.csv.xz --format lobster
      lowlat replay AAPL_message_50.csv.xz -v                    list the fills that differ
      lowlat replay day_message.csv --expect day_orderbook.csv   compare best bid and ask too
      lowlat replay day_message.csv --format lobster --json      the whole report as one document
      lowlat replay day_message.csv --rate 500k                  at planned times, one every two microseconds
    """
    destination = Destination(_output_format(formats or []), output, color_of(ctx), verbose=verbose, plot=plot)
    destination.check(page=True)
    check_together(ctx, output)
    load = load_of(producers=1 if pipeline else None, rate=rate, arrivals=arrivals)
    sizes = {"orders": orders, "trades": trades}
    plan = plan_of(ctx, engine=engine, runs=runs, cpu=cpu, **sizes, when_dry=when_dry, load=load, books=books, log=log)

    from engine.lobster import read_lobster
    from engine.path_place import book_names
    from engine.replay import replay as measure_replay

    if pipeline:
        tell_of_books(book_names(file.name, 1), books, verbose=verbose)
    with shown_progress(color_of(ctx), verbose=verbose) as progress:
        progress("reading the recording", 0.0)
        report = measure_replay(read_lobster(file), plan, expect, progress)
    return destination.deliver(report)


def _output_format(formats: list[Format]) -> OutputFormat:
    """What to print: the last that was said."""
    said = [name for name in formats if name != Format.LOBSTER]
    return "json" if said and said[-1] == Format.JSON else "table"
