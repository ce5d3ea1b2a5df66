"""From options to the plan of a measured run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lowlat_cli.options import DryPolicy, EngineName
from lowlat_cli.verb import full_command

if TYPE_CHECKING:
    import typer

    from engine.run import RunPlan


def plan_of(
    ctx: typer.Context,
    *,
    engine: EngineName,
    runs: int,
    cpu: str | None,
    orders: int | None,
    trades: int | None,
    when_dry: DryPolicy,
) -> RunPlan:
    """The plan that a verb's options describe. CPUs are checked: they exist, are online and left to this process.

    Raises `probes.cpulist.CpuListError` and `probes.affinity.AffinityError`.
    """
    from engine.run import RunPlan
    from engine.settings import WhenDry
    from probes.affinity import requested_cpus

    return RunPlan(
        engine=engine,
        runs=runs,
        cpus=None if cpu is None or cpu.strip().lower() == "auto" else requested_cpus(cpu),
        orders=orders,
        trades=trades,
        when_dry=WhenDry[when_dry.upper()],
        command=full_command(ctx, sys.argv[1:]),
    )
