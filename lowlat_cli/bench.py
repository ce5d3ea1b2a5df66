"""`lowlat bench`: flood the matching engine with synthetic orders."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from lowlat_cli.options import (
    ColorOption,
    CpuOption,
    DebugOption,
    EngineOption,
    FormatOption,
    OrdersOption,
    OutputOption,
    RunsOption,
    TradesOption,
    VerboseOption,
    WhenDryOption,
    count,
)
from lowlat_cli.output import Destination
from lowlat_cli.peer_options import BindOption, ListenOption, PeerOption, listens, measured_peer
from lowlat_cli.plan import plan_of
from lowlat_cli.progress import shown_progress
from lowlat_cli.session import color_of

COMMANDS_MAX = 1 << 30
COMMANDS_DEFAULT = {"native": 2_000_000, "reference": 20_000}  # a run of either ends within seconds
SEED_MAX = 2**64 - 1


def bench(
    ctx: typer.Context,
    profile: Annotated[
        str,
        typer.Option(
            "--profile",
            "-p",
            metavar="NAME|FILE",
            help="Order flow: steady, deep, cancel-storm, sweep, flash-crash, many-symbols, or a TOML file.",
        ),
    ] = "steady",
    commands: Annotated[
        int | None,
        typer.Option(
            "--commands",
            "-n",
            metavar="N",
            parser=count(1, COMMANDS_MAX),
            help="Commands measured in each run.  [default: 2M; 20k with --engine reference]",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", metavar="S", parser=count(0, SEED_MAX), help="Equal seeds give equal commands.")
    ] = 1,
    runs: RunsOption = 5,
    cpu: CpuOption = None,
    engine: EngineOption = "native",
    orders: OrdersOption = None,
    trades: TradesOption = None,
    when_dry: WhenDryOption = "refuse",
    peer: PeerOption = None,
    listen: ListenOption = None,
    bind: BindOption = None,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    verbose: VerboseOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Measure the matching engine with a flood of synthetic orders.

    \b
    Examples:
      lowlat bench                            five runs of 2M commands each, steady flow
      lowlat bench -p deep -n 5M --cpu 3      100,000 live orders, measured on CPU 3
      lowlat bench --json > report.json       the whole report as one document
      lowlat bench -p mine.toml -o mine.json  your own mix; the table here, the document there
      lowlat bench --peer 10.0.0.2:9000       the network too, to a host that runs 'lowlat bench --listen 9000'
    """
    if listens(ctx, listen, bind):
        return 0
    destination = Destination(output_format, output, color_of(ctx), verbose=verbose)
    destination.check()
    plan = plan_of(ctx, engine=engine, runs=runs, cpu=cpu, orders=orders, trades=trades, when_dry=when_dry)

    from engine.flood import flood
    from engine.profile import load_profile
    from engine.run import measure

    chosen = load_profile(profile)
    with shown_progress(color_of(ctx), verbose=verbose) as progress:
        plan = replace(plan, peer=measured_peer(peer, progress))
        progress("making the order flow", 0.0)
        report = measure(flood(chosen, commands or COMMANDS_DEFAULT[engine], seed), plan, progress)
    return destination.deliver(report)
