"""`lowlat replay` of several recordings, by partition: here, or on a cluster."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lowlat.errors import ExitCode
from lowlat_cli.cluster_workers import place_of, workers_of
from lowlat_cli.command import full_command
from lowlat_cli.destination import Destination, exit_code_of, tell_status
from lowlat_cli.options.lock import alone
from lowlat_cli.options.partitions import PartitionBy, check_several
from lowlat_cli.options.replay_mode import ReplayMode, check_rebuild
from lowlat_cli.options.shared import ExhaustionPolicy
from lowlat_cli.progress import shown_progress
from lowlat_cli.session import color_of
from lowlat_cli.signals import interrupted_exit_code
from lowlat_cli.stdio import note

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.fleet.partition_job import ReplayPlan
    from lowlat.reports.model.replays import Division, Mode, Replays
    from lowlat_cli.options.recording import Selection


@dataclass(frozen=True, slots=True)
class PartitionOptions:
    """Options of a replay that every partition has."""

    mode: str
    engine: str
    runs: int
    orders: int | None
    trades: int | None
    on_exhaustion: ExhaustionPolicy | None


def plan_of_partitions(
    ctx: typer.Context, options: PartitionOptions, selection: Selection, formats: list[str] | None
) -> ReplayPlan:
    """How each partition is replayed: once, unless --runs says otherwise. Raises `UsageError`."""
    from lowlat.engine.bench.engines import engine_entry, is_library
    from lowlat.fleet.identity import identity_of_library
    from lowlat.fleet.partition_job import ReplayPlan
    from lowlat.fleet.survey import ReplayedPart

    check_several(ctx)
    mode: Mode = "match"
    if options.mode == ReplayMode.REBUILD:
        check_rebuild(ctx)
        mode = "rebuild"
    default, engine = ctx.get_parameter_source("runs"), engine_entry(options.engine).name
    read = selection.read_options()
    named = [name for name in formats or () if name not in ("table", "json")]
    return ReplayPlan(
        mode=mode,
        part=ReplayedPart(
            symbols=tuple(sorted(read.symbols)),
            begin_ns=selection.begin_ns,
            until_ns=read.until_ns,
            time_base=read.time_base,
            columns=_found_by_workers(read.columns),
            format=named[-1] if named else "columns" if read.columns is not None else None,
        ),
        engine=engine,
        library=identity_of_library(Path(engine)) if is_library(engine) else None,
        runs=1 if default is not None and default.name == "DEFAULT" else options.runs,
        orders=options.orders,
        trades=options.trades,
        grow=None if options.on_exhaustion is None else options.on_exhaustion == "grow",
    )


def _found_by_workers(columns: str | None) -> str | None:
    """A mapping in a file by its absolute path: workers have other current folders."""
    return str(Path(columns).absolute()) if columns is not None and columns.endswith(".toml") else columns


def replay_several(
    ctx: typer.Context,
    files: list[Path],
    plan: ReplayPlan,
    by: PartitionBy | None,
    cluster: object,
    destination: Destination,
    wait_s: float,
    *,
    no_lock: bool,
) -> int:
    """Replay them, write the document, and return the exit code for its status. `cluster`: of a `ClusterOption`."""
    from lowlat.fleet.replay import replay_by_partition

    destination.check()
    paths = [str(file.absolute()) for file in files]
    place = place_of(cluster)
    elsewhere = place is not None and place.local is None
    command = full_command(ctx, sys.argv[1:])
    division: Division = "symbol" if by == PartitionBy.SYMBOL else "file"
    turn = nullcontext() if elsewhere else alone(ctx, wait_s, no_lock=no_lock)
    with (
        workers_of(place) as workers,
        shown_progress(color_of(ctx), verbose=destination.verbose) as progress,
    ):
        found = replay_by_partition(paths, plan, division, workers, command, note, progress, turn)
    return _delivered(found, destination)


def _delivered(found: Replays, destination: Destination) -> ExitCode:
    def document() -> str:
        from lowlat.documents import text

        return text(found)

    def draw(on: Console) -> None:
        from lowlat_cli.views.replays import replays_view

        for part in replays_view(found, verbose=destination.verbose):
            on.print(part)

    destination.write(document, draw)
    tell_status(found)
    return interrupted_exit_code() if found.status == "interrupted" else exit_code_of(found)
