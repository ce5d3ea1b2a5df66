"""The memory document of what the probes measure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from lowlat.errors import UsageError
from lowlat.probes.host.virtualization import virtualization
from lowlat.probes.memory.bandwidth import MemoryWork, ThreadRates, cores_first, measure_by_threads
from lowlat.probes.memory.chase import data_caches, line_bytes_of
from lowlat.probes.memory.ladder import LadderPlan, LadderTimes, measure_ladder
from lowlat.probes.memory.node_access import AccessTimes, measure_nodes
from lowlat.probes.memory.region import PageChoice, Pages
from lowlat.probes.memory.sites import Limit, Site, sites_of
from lowlat.probes.topology import Topology
from lowlat.probes.topology.model import Cache
from lowlat.reports.model.memory import Bandwidth, Memory, NodeAccess
from lowlat.reports.model.memory_ladder import LadderPoint, LatencyLadder, ReportedCache

LADDER_SHARE: Final = 0.6
"""Of the duration; bandwidth takes a quarter, and access between nodes the rest where there are several."""
BANDWIDTH_SHARE: Final = 0.25
_KINDS: Final[tuple[Pages, ...]] = ("huge", "base")

Progress: TypeAlias = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """What is measured, and for how long."""

    topology: Topology
    cpus: tuple[int, ...]
    limit: Limit
    duration_s: float
    clock_hz: float


def measured(plan: MemoryPlan, progress: Progress) -> Memory:
    """Everything, or what was there when Ctrl-C came.

    Raises `UsageError` if there was no memory to measure, `AffinityError` if a thread cannot run on its CPU.
    """
    sites = sites_of(plan.topology, plan.cpus)
    caches = data_caches(plan.topology, sites[0].cpu)
    parts = _Parts([], [], [])
    try:
        parts.measure(plan, sites, line_bytes_of(caches), progress)
        interrupted = any(ladder.status == "interrupted" for ladder in parts.ladders)
    except KeyboardInterrupt:
        interrupted = True
    if not interrupted and not any(ladder.points for ladder in parts.ladders):
        raise UsageError(f"no memory could be measured: {parts.ladders[-1].reason}; try a smaller --limit")
    platform = virtualization()
    return Memory(
        status="interrupted" if interrupted else "ok",
        platform=platform.text,
        guest=platform.guest_view,
        clock_hz=plan.clock_hz,
        duration_s=plan.duration_s,
        limit_bytes=plan.limit.size_bytes,
        limit_reason=plan.limit.reason,
        cpus=plan.cpus,
        caches=tuple(map(_reported, caches)),
        ladders=tuple(parts.ladders),
        bandwidth=tuple(parts.bandwidth),
        nodes=tuple(parts.nodes),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is there so far: Ctrl-C keeps it."""

    ladders: list[LatencyLadder]
    bandwidth: list[Bandwidth]
    nodes: list[NodeAccess]

    def measure(self, plan: MemoryPlan, sites: tuple[Site, ...], line_bytes: int, progress: Progress) -> None:
        """Ladders, bandwidth, access between nodes, in this order."""
        limit_bytes = plan.limit.size_bytes
        whole_ns = round(1e9 * plan.duration_s)
        ladders = [(site, pages) for site in sites for pages in _KINDS]
        each_ns = round(whole_ns * LADDER_SHARE / len(ladders))
        ladder = LadderPlan(limit_bytes, line_bytes, each_ns, plan.clock_hz)
        for at, (site, pages) in enumerate(ladders):
            told = _part_of(progress, LADDER_SHARE * at / len(ladders), LADDER_SHARE / len(ladders))
            self.ladders.append(_ladder(measure_ladder(site, pages, ladder, told)))
            if self.ladders[-1].status == "interrupted":
                return
        order = cores_first(plan.topology, plan.cpus, sites[0].node)
        told = _part_of(progress, LADDER_SHARE, BANDWIDTH_SHARE)
        bandwidth_ns = round(whole_ns * BANDWIDTH_SHARE)
        for rates in measure_by_threads(plan.topology, order, sites, limit_bytes, bandwidth_ns, told):
            self.bandwidth.append(_bandwidth(rates))
        rest = 1 - LADDER_SHARE - BANDWIDTH_SHARE
        access = dataclasses.replace(ladder, duration_ns=round(whole_ns * rest))
        told = _part_of(progress, 1 - rest, rest)
        self.nodes.extend(map(_access, measure_nodes(plan.topology, order, sites, access, told)))


def _part_of(progress: Progress, start: float, share: float) -> Progress:
    return lambda text, done: progress(text, start + share * done)


def _reported(cache: Cache) -> ReportedCache:
    return ReportedCache(name=cache.name, size_bytes=cache.size_bytes or 0)


def _ladder(found: LadderTimes) -> LatencyLadder:
    region = found.region.value
    return LatencyLadder(
        node=found.site.node,
        cpu=found.site.cpu,
        pages=found.pages,
        page_bytes=None if region is None else region.page_bytes,
        reserved=region is not None and region.choice is PageChoice.RESERVED,
        status="interrupted" if found.interrupted else "ok" if region is not None else "not measured",
        reason=found.region.reason,
        points=tuple(LadderPoint(**dataclasses.asdict(load)) for load in found.points),
    )


def _bandwidth(found: ThreadRates) -> Bandwidth:
    return Bandwidth(
        cpus=tuple(each.cpu for each in found.threads),
        bytes_of_thread=min(each.size_bytes for each in found.threads),
        read_bytes_per_s=found.bytes_per_s[MemoryWork.READ],
        write_bytes_per_s=found.bytes_per_s[MemoryWork.WRITE],
        copy_bytes_per_s=found.bytes_per_s[MemoryWork.COPY],
    )


def _access(found: AccessTimes) -> NodeAccess:
    return NodeAccess(
        cpu_node=found.cpu_node,
        memory_node=found.memory_node,
        cpus=found.cpus,
        min_ns=found.load.min_ns,
        median_ns=found.load.median_ns,
        read_bytes_per_s=found.read_bytes_per_s,
    )
