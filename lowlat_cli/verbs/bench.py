"""`lowlat bench`: measure the matching engine under synthetic order flow."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat.reports.outputs.registry import outputs_of
from lowlat_cli.destination import Destination
from lowlat_cli.listings import profiles
from lowlat_cli.options.load import (
    PACED_S,
    SWEPT_MAX,
    SWEPT_S,
    ArrivalsOption,
    BatchOption,
    BooksOption,
    JournalOption,
    LogOption,
    ObjectiveOption,
    PipelineOption,
    ProducersOption,
    RateOption,
    Rates,
    SweepOption,
    check_together,
    commands_in,
    load_of,
    objectives_of,
    open_loop,
)
from lowlat_cli.options.lock import WAIT_S, NoLockOption, WaitOption, alone
from lowlat_cli.options.peer import BindOption, ListenOption, PeerOption, listens, measured_peer
from lowlat_cli.options.shared import (
    SEED_MAX,
    ColorOption,
    CpuOption,
    DebugOption,
    EngineOption,
    FormatOption,
    NoKernelPathOption,
    OrdersOption,
    PlotOption,
    PoolPolicyOption,
    QuietOption,
    ReportOutputOption,
    RunsOption,
    TradesOption,
    VerboseOption,
    count,
    is_given,
)
from lowlat_cli.progress import shown_progress
from lowlat_cli.run_plan import plan_of, tell_of_books
from lowlat_cli.session import color_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lowlat.engine.bench.protocol import OpenLoop
    from lowlat.engine.bench.run import Progress, RunPlan
    from lowlat.engine.flow.order_flow import Flow
    from lowlat.reports.model.report import Report
    from lowlat.reports.model.sweep import Sweep

COMMANDS_MAX = 1 << 30


def bench(
    ctx: typer.Context,
    profile: Annotated[
        str,
        typer.Option(
            "--profile",
            "-p",
            metavar="NAME|FILE",
            autocompletion=profiles,
            help="Order flow: {profiles}, or a TOML file.",
        ),
    ] = "equity",
    commands: Annotated[
        int | None,
        typer.Option(
            "--commands",
            "-n",
            metavar="N",
            parser=count(1, COMMANDS_MAX),
            help="Commands measured per run.  [default: 2M, at most 2 s worth at a --rate; 4M, at most 0.5 s worth, "
            "in a --sweep; 20k with an engine in Python]",
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", metavar="S", parser=count(0, SEED_MAX), help="Random seed; the same seed gives the same commands."
        ),
    ] = 1,
    pipeline: PipelineOption = False,
    producers: ProducersOption = None,
    rate: RateOption = None,
    arrivals: ArrivalsOption = None,
    sweep: SweepOption = None,
    objective: ObjectiveOption = None,
    books: BooksOption = None,
    log: LogOption = None,
    journal: JournalOption = None,
    batch: BatchOption = None,
    runs: RunsOption = 5,
    cpu: CpuOption = None,
    wait: WaitOption = WAIT_S,
    no_lock: NoLockOption = False,
    no_kernel_path: NoKernelPathOption = False,
    engine: EngineOption = "native",
    orders: OrdersOption = None,
    trades: TradesOption = None,
    on_exhaustion: PoolPolicyOption = "reject",
    peer: PeerOption = None,
    listen: ListenOption = None,
    bind: BindOption = None,
    output_format: FormatOption = "table",
    output: ReportOutputOption = None,
    plot: PlotOption = False,
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Measure the matching engine under synthetic order flow.

    \b
    Examples:
      lowlat bench                            five runs of 2M commands each, as a busy stock sends
      lowlat bench -p deep -n 5M --cpu 3      100,000 live orders, measured on CPU 3
      lowlat bench --rate 1M                  open loop: latency from the intended start time
      lowlat bench --sweep 100k:20M:8         latency vs. throughput, and the highest rate that keeps p99 low
      lowlat bench --pipeline --producers 2   end to end: queues, matcher, mapped book
      lowlat bench --journal day.journal      the cost of a journal, under each sync policy
      lowlat bench --json > report.json       the whole report as one document
      lowlat bench -o report.html             a page with charts, to keep or to send
      lowlat bench -p mine.toml -o mine.json  your own mix; the table here, the document there
      lowlat bench --peer 10.0.0.2:9000       the network too, to a host running 'lowlat bench --listen 9000'
    """
    if listens(ctx, listen, bind):
        return 0
    destination = Destination(output_format, output, color_of(ctx), verbose=verbose, plot=plot)
    destination.check(outputs_of("sweep" if sweep else "report"))
    check_together(ctx, output)

    from lowlat.engine.bench.engines import engine_entry
    from lowlat.engine.bench.pipeline_placement import book_names
    from lowlat.engine.bench.protocol import ClosedLoop
    from lowlat.engine.flow.profile import load_profile
    from lowlat.engine.flow.synthetic import synthetic_flow

    chosen = load_profile(profile)
    if sweep:  # environment and settings file may set these for other invocations
        pipeline, log, journal, rate = False, None, None, sweep.per_second[0]
    load = load_of(producers=(producers or 1) if pipeline else None, rate=rate, arrivals=arrivals, own=chosen.arrivals)
    sizes = {"orders": orders, "trades": trades}
    plan = plan_of(ctx, engine=engine, runs=runs, cpu=cpu, **sizes, full=on_exhaustion, load=load, books=books, log=log)
    if journal is not None and (is_given(ctx, "journal") or isinstance(load, ClosedLoop)):
        plan = replace(plan, journal=journal, batch=batch or plan.batch)

    generate = cache(lambda count: synthetic_flow(chosen, count, seed))
    if pipeline:
        tell_of_books(book_names(chosen.name, chosen.symbols), books, verbose=verbose)
    with alone(ctx, wait, no_lock=no_lock), shown_progress(color_of(ctx), verbose=verbose) as progress:
        plan = replace(plan, peer=measured_peer(peer, progress), kernel_path=not no_kernel_path)
        progress("generating the order flow", 0.0)
        if sweep:
            load_at = partial(open_loop, arrivals=arrivals, own=chosen.arrivals)
            report: Report | Sweep = _swept(sweep, load_at, generate, plan, objective, commands, seed, progress)
        else:
            default = commands_in(load, PACED_S, engine_entry(engine).commands)
            report = _measured(generate(commands or default), plan, progress, with_jitter=verbose)
    return destination.deliver(report)


def _measured(flow: Flow, plan: RunPlan, progress: Progress, *, with_jitter: bool) -> Report:
    from lowlat.engine.bench.jitter import watched_after
    from lowlat.engine.bench.run import measure

    report = measure(flow, plan, progress)
    return watched_after(report, progress) if with_jitter else report


def _swept(
    sweep: Rates,
    load_at: Callable[[int], OpenLoop],
    generate: Callable[[int], Flow],
    plan: RunPlan,
    objective: Sequence[str] | None,
    commands: int | None,
    seed: int,
    progress: Progress,
) -> Sweep:
    """The sweep; `generate` makes a flow of so many commands."""
    from lowlat.engine.bench.sweep import measure_sweep
    from lowlat.reports.model.objective import commands_needed

    objectives = objectives_of(objective, commands)
    least = commands_needed(objectives)

    def flow_of(load: OpenLoop) -> Flow:
        return generate(commands or max(commands_in(load, SWEPT_S, SWEPT_MAX), least))

    return measure_sweep(flow_of, load_at, sweep.per_second, plan, objectives, seed=seed, progress=progress)
