"""`lowlat replay`: run recorded orders through the matching engine and check the fills against the venue's, or replay a
journal.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat.files import check_writable, write_atomically
from lowlat.reports.outputs.registry import outputs_of
from lowlat_cli.destination import Destination
from lowlat_cli.options.cluster import ClusterOption
from lowlat_cli.options.columns import ColumnsOption
from lowlat_cli.options.flow_file import FlowsArgument, FormatsOption, output_format
from lowlat_cli.options.load import (
    ArrivalsOption,
    BooksOption,
    LogOption,
    PipelineOption,
    RateOption,
    check_together,
    load_of,
)
from lowlat_cli.options.lock import WAIT_S, NoLockOption, WaitOption, alone
from lowlat_cli.options.partitions import ByOption, recordings_of
from lowlat_cli.options.recording import (
    FromOption,
    RecordedInput,
    SymbolsOption,
    ToOption,
    recorded_input,
    selection_of,
)
from lowlat_cli.options.replay_mode import ModeOption, ReplayMode, check_rebuild
from lowlat_cli.options.shared import (
    ColorOption,
    CpuOption,
    DebugOption,
    EngineOption,
    ExhaustionPolicy,
    NoKernelPathOption,
    OrdersOption,
    PlotOption,
    QuietOption,
    ReportOutputOption,
    RunsOption,
    TradesOption,
    VerboseOption,
)
from lowlat_cli.progress import Progress, shown_progress
from lowlat_cli.replay_rebuild import opened, rebuild
from lowlat_cli.replay_several import PartitionOptions, plan_of_partitions, replay_several
from lowlat_cli.run_plan import plan_of, tell_of_books
from lowlat_cli.session import color_of
from lowlat_cli.stdio import note

if TYPE_CHECKING:
    from lowlat.engine.bench.run import RunPlan
    from lowlat.engine.flow.order_flow import Flow
    from lowlat.engine.flow.recording import RecordedFlow, VenueBook
    from lowlat.reports.model.report import Report


def replay(
    ctx: typer.Context,
    files: FlowsArgument,
    formats: FormatsOption = None,
    columns: ColumnsOption = None,
    expect: Annotated[
        Path | None,
        typer.Option(
            "--expect", metavar="FILE", help="The venue's own order book file, to check best bid and ask against."
        ),
    ] = None,
    mode: ModeOption = ReplayMode.MATCH,
    symbols: SymbolsOption = None,
    begin: FromOption = None,
    end: ToOption = None,
    profile_out: Annotated[
        Path | None,
        typer.Option(
            "--profile-out",
            metavar="FILE",
            help="Also write the profile that 'lowlat profile fit' makes of the orders.",
        ),
    ] = None,
    pipeline: PipelineOption = False,
    rate: RateOption = None,
    arrivals: ArrivalsOption = None,
    books: BooksOption = None,
    log: LogOption = None,
    by: ByOption = None,
    cluster: ClusterOption = None,
    runs: RunsOption = 5,
    cpu: CpuOption = None,
    wait: WaitOption = WAIT_S,
    no_lock: NoLockOption = False,
    no_kernel_path: NoKernelPathOption = False,
    engine: EngineOption = "native",
    orders: OrdersOption = None,
    trades: TradesOption = None,
    on_exhaustion: Annotated[
        ExhaustionPolicy | None,
        typer.Option(
            "--on-exhaustion",
            help="On order pool exhaustion: reject the command, or grow the pool.  [default: reject]",
        ),
    ] = None,
    output: ReportOutputOption = None,
    plot: PlotOption = False,
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Measure the matching engine with recorded orders, and check the fills.

    Several recordings are replayed one by one, each in one run without --runs, or on the workers of a --cluster, and
    their results are added.

    The venue's executions are the expected result: each aggressive order must fill against the same resting orders.

    A journal is replayed with its engine's symbols, pools and policies, unless options override them.

    \b
    Examples:
      lowlat replay AAPL_message_50.csv.xz --format lobster
      lowlat replay AAPL_message_50.csv.xz -v                    also list the fills that differ
      lowlat replay day_message.csv --expect day_orderbook.csv   compare best bid and ask too
      lowlat replay day.NASDAQ_ITCH50.gz --symbols AAPL --from 09:30 --to 16:00
      lowlat replay day.csv --columns bitstamp                   a table of events, by what its columns mean
      lowlat replay day.journal                                  an engine's journal (see 'lowlat journal')
      lowlat replay day_message.csv --format lobster --json      the whole report as one document
      lowlat replay day_message.csv --rate 500k                  open loop, one command every two microseconds
      lowlat replay day_message.csv --mode rebuild               the venue's books from its own word; nothing is matched
      lowlat replay days/                                        a folder of days, a partition each
      lowlat replay days/ --cluster local:4                      the same, four partitions at a time
    """
    destination = Destination(output_format(formats), output, color_of(ctx), verbose=verbose, plot=plot)
    several = recordings_of(files, by, cluster)
    if several is not None:
        selection = selection_of(symbols, begin, end, columns)
        options = PartitionOptions(mode.value, engine, runs, orders, trades, on_exhaustion)
        partitioned = plan_of_partitions(ctx, options, selection, formats)
        return replay_several(ctx, several, partitioned, by, cluster, destination, wait, no_lock=no_lock)
    (file,) = files
    if mode == ReplayMode.REBUILD:
        check_rebuild(ctx)
        destination.check()
        recording = recorded_input(file, formats, expect, selection_of(symbols, begin, end, columns))
        stream, check = opened(recording)
        with alone(ctx, wait, no_lock=no_lock):
            return rebuild(ctx, stream, check, destination)
    destination.check(outputs_of("report"))
    check_together(ctx, output)
    load = load_of(producers=1 if pipeline else None, rate=rate, arrivals=arrivals)
    sizes = {"orders": orders, "trades": trades}
    plan = plan_of(ctx, engine=engine, runs=runs, cpu=cpu, **sizes, full=on_exhaustion, load=load, books=books, log=log)

    recording = recorded_input(file, formats, expect, selection_of(symbols, begin, end, columns))
    if profile_out is not None:
        check_writable(profile_out)
    # Before the wait for another measurement: a file that cannot be read is told at once.
    read = _read(ctx, recording, profile_out, verbose=verbose)
    with alone(ctx, wait, no_lock=no_lock):
        report = _measured(ctx, *read, replace(plan, kernel_path=not no_kernel_path), verbose=verbose)
    return destination.deliver(report)


def _read(
    ctx: typer.Context, recording: RecordedInput, profile_out: Path | None, *, verbose: bool
) -> tuple[RecordedFlow | Flow, VenueBook | None]:
    """The commands, and the venue's book if it is given. Writes the profile if it is asked for."""
    with shown_progress(color_of(ctx), verbose=verbose) as progress:
        progress(f"reading the {recording.reader.noun}", 0.0)
        book = recording.book()
        recorded = recording.flow(book, progress)
        if profile_out is not None:
            _write_profile(recorded, profile_out, progress)
    return recorded, book


def _measured(
    ctx: typer.Context, recorded: RecordedFlow | Flow, book: VenueBook | None, plan: RunPlan, *, verbose: bool
) -> Report:
    from lowlat.engine.bench.pipeline_placement import book_names
    from lowlat.engine.bench.protocol import Pipeline
    from lowlat.engine.bench.replay import replay as measure_replay
    from lowlat.engine.bench.run import measure
    from lowlat.engine.flow.order_flow import Flow

    flow = recorded if isinstance(recorded, Flow) else recorded.flow()
    if isinstance(plan.load, Pipeline):
        tell_of_books(book_names(flow.name, len(flow.instruments)), plan.books, verbose=verbose)
    with shown_progress(color_of(ctx), verbose=verbose) as progress:
        if isinstance(recorded, Flow):
            return measure(recorded, plan, progress)
        return measure_replay(recorded, plan, book, progress)


def _write_profile(recorded: RecordedFlow | Flow, path: Path, progress: Progress) -> None:
    from lowlat.engine.flow.statistics.recorded import recorded_profile

    text, notes = recorded_profile(recorded, progress)
    write_atomically(path, text)
    note(f"wrote {path}")
    for caveat in notes:
        note(caveat)
