"""Threads and where they may run; and a plan with what speaks for and against each CPU."""

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
from lowlat_cli.views import layout


def threads_view(pid: int, threads: Sequence[ThreadAffinity], sets: CpuSets) -> Iterator[RenderableType]:
    """Every thread of a process, and the CPUs that the choice is among."""
    made = layout.table("thread", "name", "CPUs", "ran on", "scheduler", "memory", right=("ran on",), wrap=("CPUs",))
    for thread in threads:
        made.add_row(
            str(thread.tid),
            Text(_printable(thread.name)),
            layout.cpus(thread.cpus),
            "?" if thread.last_cpu is None else str(thread.last_cpu),
            _scheduler(thread),
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
                ("allowed", f"{layout.cpus(sets.allowed)} to a command started from here"),
            ]
        )
    )


def _printable(name: str) -> str:
    """A thread may call itself anything, escape sequences too."""
    return "".join(c if c.isprintable() else "?" for c in name)


def _scheduler(thread: ThreadAffinity) -> str:
    if thread.scheduler is None:
        return "?"
    return f"{thread.scheduler} {thread.realtime_priority}" if thread.realtime_priority else thread.scheduler


def plan_view(proposal: Plan, topology: Topology) -> Iterator[RenderableType]:
    """One line a thread, its reasons beneath one another, and what holds for all."""
    made: Table = layout.table("thread", "CPU", "node", "core", "why", right=("CPU", "node"), wrap=("why",))
    for at in proposal.assignments:
        why = Text("; ".join(at.reasons))
        if at.compromises:
            why.append(f"{'; ' if at.reasons else ''}but {'; '.join(at.compromises)}", style="yellow")
        node = "-" if at.node is None else str(at.node)
        made.add_row(at.thread, Text(str(at.cpu), style="bold"), node, layout.cpus(topology.siblings_of(at.cpu)), why)
    yield made
    memory = (
        layout.missing(topology.nodes)
        if topology.nodes.value is None
        else f"node {proposal.memory_node}"
        + (", the only one: nothing to choose" if len(topology.nodes.value) == 1 else "")
    )
    rows: list[tuple[str, str | Text]] = [("memory", memory)]
    rows += [("allowed", f"CPU {layout.cpus(topology.cpu_sets.allowed)}")]
    rows += [("warning" if not at else "", Text(w, style="yellow")) for at, w in enumerate(proposal.warnings)]
    yield layout.spaced(layout.facts(rows))
