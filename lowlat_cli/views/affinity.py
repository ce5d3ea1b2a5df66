"""Threads and their allowed CPUs; and a placement plan with reasons for and against each CPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.probes.cpu.cpu_sets import CpuSets
from lowlat.probes.cpu.placement import Plan
from lowlat.probes.cpu.threads import ThreadAffinity
from lowlat.probes.topology import Topology
from lowlat.text import plain_text
from lowlat_cli.views import layout


def threads_view(pid: int, threads: Sequence[ThreadAffinity], sets: CpuSets) -> Iterator[RenderableType]:
    """Every thread of a process, and the CPUs to choose from."""
    made = layout.table(
        "thread", "name", "CPUs", "last CPU", "scheduler", "memory", right=("last CPU",), wrap=("CPUs",)
    )
    for thread in threads:
        made.add_row(
            str(thread.tid),
            plain_text(thread.name),
            layout.cpus(thread.cpus),
            "?" if thread.last_cpu is None else str(thread.last_cpu),
            plain_text(_scheduler(thread)),
            f"node {layout.cpus(thread.memory_nodes)}",
        )
    yield made
    isolated = sets.isolated.value
    yield layout.spaced(
        layout.facts(
            [
                ("process", f"{pid} · {units.plural(len(threads), 'thread')}"),
                ("online", layout.cpus(sets.online.value or ())),
                ("isolated", layout.missing(sets.isolated) if isolated is None else layout.cpus(isolated)),
                (
                    "cpuset",
                    layout.missing(sets.cpuset) if sets.cpuset.value is None else layout.cpus(sets.cpuset.value),
                ),
                ("allowed", f"{layout.cpus(sets.allowed)} for a command started here"),
            ]
        )
    )


def _scheduler(thread: ThreadAffinity) -> str:
    if thread.scheduler is None:
        return "?"
    return f"{thread.scheduler} {thread.realtime_priority}" if thread.realtime_priority else thread.scheduler


def plan_view(proposal: Plan, topology: Topology) -> Iterator[RenderableType]:
    """One row per thread with its reasons, then notes that apply to all."""
    made: Table = layout.table("thread", "CPU", "node", "core", "why", right=("CPU", "node"), wrap=("why",))
    for at in proposal.assignments:
        why = plain_text("; ".join(at.reasons))
        if at.compromises:
            but = f"{'; ' if at.reasons else ''}but {'; '.join(at.compromises)}"
            why.append_text(plain_text(but, style="yellow"))
        node = "-" if at.node is None else str(at.node)
        made.add_row(
            plain_text(at.thread),
            plain_text(str(at.cpu), style="bold"),
            node,
            layout.cpus(topology.siblings_of(at.cpu)),
            why,
        )
    yield made
    memory = (
        layout.missing(topology.nodes)
        if topology.nodes.value is None
        else f"node {proposal.memory_node}" + (", the only one" if len(topology.nodes.value) == 1 else "")
    )
    rows: list[tuple[str, str | Text]] = [("memory", memory)]
    rows += [("allowed", units.cpus(layout.cpus(topology.cpu_sets.allowed)))]
    rows += [("warning" if not at else "", plain_text(w, style="yellow")) for at, w in enumerate(proposal.warnings)]
    yield layout.spaced(layout.facts(rows))
