"""Turn options into the plan of a measured run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lowlat_cli.command import full_command
from lowlat_cli.console import is_terminal
from lowlat_cli.options.shared import ExhaustionPolicy
from lowlat_cli.stdio import note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import typer

    from lowlat.engine.bench.protocol import Load
    from lowlat.engine.bench.run import RunPlan


def plan_of(
    ctx: typer.Context,
    *,
    engine: str,
    runs: int,
    cpu: str | None,
    orders: int | None,
    trades: int | None,
    full: ExhaustionPolicy | None,
    load: Load,
    books: Path | None,
    log: Path | None,
) -> RunPlan:
    """The plan that a verb's options describe. Checks that the CPUs exist, are online and available to this process,
    and that a library or a process answers: before a wait for another measurement.

    Raises `FormatError`, `AffinityError` and what `EngineEntry.told` does.
    """
    from lowlat.engine.bench.engines import engine_entry
    from lowlat.engine.bench.run import RunPlan
    from lowlat.engine.matching.records import PoolPolicy

    _ = engine_entry(engine).told
    return RunPlan(
        engine=engine,
        runs=runs,
        cpus=cpus_of(cpu),
        orders=orders,
        trades=trades,
        on_exhaustion=None if full is None else PoolPolicy[full.upper()],
        load=load,
        books=books,
        log=log,
        command=full_command(ctx, sys.argv[1:]),
    )


def cpus_of(cpu: str | None) -> tuple[int, ...] | None:
    """The CPUs that --cpu names; None lets the placement plan choose. Raises what `plan_of` does."""
    from lowlat.probes.cpu.affinity import requested_cpus

    return None if cpu is None or cpu.strip().lower() == "auto" else requested_cpus(cpu)


def tell_of_books(names: Sequence[str], folder: Path | None, *, verbose: bool) -> None:
    """Print on stderr how to watch the books of a pipeline that is about to run, if progress is shown there."""
    if not (verbose or is_terminal(sys.stderr)):
        return
    where = "" if folder is None else f" --dir {folder}"
    note(f"to watch the book in another terminal: lowlat book {names[0]}{where} --watch")
