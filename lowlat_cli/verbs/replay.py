"""`lowlat replay`: recorded orders through the matching engine, checked against the venue's own executions; or the
commands of a journal.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    from lowlat.engine.flow.registry import Reader
    from lowlat.reports.model.report import Report

_OUTPUTS = ("table", "json")


def _after_settings(ctx: typer.Context, param: typer.CallbackParam, given: list[str] | None) -> list[str]:
    """Put environment or settings file first: the flag may say how to read and leave to them what to print."""
    below = param.value_from_envvar(ctx) or ctx.lookup_default(param.name) or ()
    formats = [*below, *(given or ())]
    for name in formats:
        _check_format(name)
    return formats


def _check_format(name: str) -> None:
    if name in _OUTPUTS:  # nothing need be imported to know these
        return
    from lowlat.engine.flow.registry import READERS

    if name not in READERS:
        raise typer.BadParameter(READERS.refusal(name, _OUTPUTS))


def replay(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Recorded orders: plain, .xz, .gz or .bz2; or a journal.")
    ],
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="NAME",
            callback=_after_settings,
            help="How FILE is written, or what to print (table, json; --json means --format json). May be given once "
            "for each. Ways to write it: {readers}.  [default: as FILE begins or is called, table]",
        ),
    ] = None,
    expect: Annotated[
        Path | None,
        typer.Option("--expect", metavar="FILE", help="The venue's own order book file, to compare best bid and ask."),
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

    reader = _reader(file, formats or [], expect)
    return destination.deliver(_measured(ctx, file, reader, expect, plan, verbose=verbose))


def _output_format(formats: list[str]) -> OutputFormat:
    """What to print: the last that was said."""
    said = [name for name in formats if name in _OUTPUTS]
    return "json" if said and said[-1] == "json" else "table"


def _reader(file: Path, formats: list[str], expect: Path | None) -> Reader:
    """How to read the file: as was said last, else as it is recognized. Raises `RecordingError`."""
    from lowlat.engine.flow.registry import RecordingError, reader_of

    said = [name for name in formats if name not in _OUTPUTS]
    reader = reader_of(file, said[-1] if said else None)
    if expect is not None and reader.read_best is None:
        raise RecordingError(f"--expect is for a venue's recording, and {file} is a {reader.noun}; leave it out")
    return reader


def _measured(
    ctx: typer.Context, file: Path, reader: Reader, expect: Path | None, plan: RunPlan, *, verbose: bool
) -> Report:
    from lowlat.engine.bench.pipeline_placement import book_names
    from lowlat.engine.bench.protocol import Pipeline
    from lowlat.engine.bench.replay import replay as measure_replay
    from lowlat.engine.bench.run import measure
    from lowlat.engine.flow.order_flow import Flow

    with shown_progress(color_of(ctx), verbose=verbose) as progress:
        progress(f"reading the {reader.noun}", 0.0)
        recorded = reader.read(file)
        best = reader.read_best(expect) if expect is not None and reader.read_best is not None else None
    flow = recorded if isinstance(recorded, Flow) else recorded.flow()
    if isinstance(plan.load, Pipeline):
        tell_of_books(book_names(flow.name, len(flow.instruments)), plan.books, verbose=verbose)
    with shown_progress(color_of(ctx), verbose=verbose) as progress:
        if isinstance(recorded, Flow):
            return measure(recorded, plan, progress)
        return measure_replay(recorded, plan, best, progress)
