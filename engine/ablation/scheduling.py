"""Runs of the whole engine where the system places it: CPU, priority, memory node."""

from __future__ import annotations

import os

from lowlat.engine.ablation.technique import VariantFigures, VariantRun
from lowlat.engine.ablation.whole_engine import one_at_a_time
from lowlat.engine.bench.numa import memory_bound_to
from lowlat.errors import UsageError
from lowlat.probes.memory.numa_memory import nearest_memory
from lowlat.probes.topology import read_topology


def pinned(run: VariantRun) -> VariantFigures:
    """On one CPU, or wherever the scheduler puts it."""
    if len(run.allowed) < 2:
        raise UsageError(f"CPU {run.cpu} is the only one, and there is nowhere to move to; allow two")
    if not run.with_it:
        os.sched_setaffinity(0, run.allowed)
    return one_at_a_time(run)


def real_time(run: VariantRun) -> VariantFigures:
    """At real-time priority (SCHED_FIFO), or as any other program."""
    if not hasattr(os, "sched_setscheduler"):
        raise UsageError("this platform has no real-time priority")
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError as error:
        raise UsageError(
            "this process has no right to real-time priority; raise its limit (ulimit -r 1), or grant CAP_SYS_NICE"
        ) from error
    try:
        if not run.with_it:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        return one_at_a_time(run)
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def near_memory(run: VariantRun) -> VariantFigures:
    """With memory on the NUMA node of the CPU, or on the farthest one."""
    topology = read_topology()
    nodes = topology.memory_nodes
    near = nearest_memory(topology, run.cpu, nodes).value
    if nodes.value is None or near is None:
        raise UsageError(f"the memory's nodes are not known: {nearest_memory(topology, run.cpu, nodes).text}")
    others = [node for node in nodes.value if node != near]
    if not others:
        raise UsageError("there is one NUMA node with memory, and none is farther away")
    distances = next((node.distances for node in topology.nodes.value or () if node.node == near), {})
    far = max(others, key=lambda node: distances.get(node, 0))
    with memory_bound_to(near if run.with_it else far) as bound:
        if bound.value is None:
            raise UsageError(f"memory cannot be bound to a node: {bound.text}")
        return one_at_a_time(run)
