"""Which memory is measured from which CPU, and how much of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lowlat import units
from lowlat.errors import UsageError
from lowlat.probes.host.host_tree import LIVE, HostTree
from lowlat.probes.memory.available import available_memory
from lowlat.probes.memory.chase import data_caches
from lowlat.probes.topology import Topology
from lowlat.probes.topology.model import UNREACHABLE

LIMIT_MIN_BYTES: Final = 1 << 20
LIMIT_DEFAULT_MAX_BYTES: Final = 2 << 30
"""Larger ones take longer to prepare than to measure."""
CACHE_MULTIPLE: Final = 4
"""Of the last cache: three loads of four miss it."""
_WITHOUT_CACHES_BYTES: Final = 256 << 20
_SHARE_MAX: Final = 2
"""One part in so many of the memory that is available: other programs go on."""
_PAGE_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Site:
    """The memory of a node, and the CPU that loads from it."""

    node: int | None
    cpu: int
    bind: bool
    """Whether there are other nodes that the memory could be on."""
    bytes_max: int
    """Half of what the node has free, where there are others."""

    @property
    def node_to_bind(self) -> int | None:
        """The node that its memory is bound to, if any: with one node, the kernel may well refuse what is needless."""
        return self.node if self.bind else None


@dataclass(frozen=True, slots=True)
class Limit:
    """The largest memory of a ladder, and why it is no larger."""

    size_bytes: int
    reason: str


def choose_limit(topology: Topology, cpu: int, asked_bytes: int | None, tree: HostTree = LIVE) -> Limit:
    """What was asked for, or four times the last cache, within the memory that is available.

    Raises `UsageError` for more than half of the memory that is available, or less than `LIMIT_MIN_BYTES`.
    """
    available = available_memory(tree)
    usable = LIMIT_DEFAULT_MAX_BYTES if available.value is None else available.value // _SHARE_MAX
    if usable < LIMIT_MIN_BYTES:
        raise UsageError(
            f"only {units.size(available.value or 0)} of memory are available ({available.source}), and half of it is "
            f"less than the smallest limit, {units.whole_size(LIMIT_MIN_BYTES)}; end other programs"
        )
    if asked_bytes is not None:
        _check_asked(asked_bytes, usable, f"half of the memory that is available ({available.source})")
        return Limit(asked_bytes // _PAGE_BYTES * _PAGE_BYTES, "as asked for")
    limits = (
        _by_caches(topology, cpu),
        Limit(LIMIT_DEFAULT_MAX_BYTES, "more takes longer; ask for it with --limit"),
        Limit(usable // _PAGE_BYTES * _PAGE_BYTES, "half of the memory that is available"),
    )
    return min(limits, key=lambda limit: limit.size_bytes)


def _check_asked(asked_bytes: int, usable: int, what: str) -> None:
    asked = units.whole_size(asked_bytes)
    if asked_bytes < LIMIT_MIN_BYTES:
        raise UsageError(f"--limit {asked} is too small; the smallest is {units.whole_size(LIMIT_MIN_BYTES)}")
    if asked_bytes > usable:
        raise UsageError(f"--limit {asked} is more than {units.size(usable)}, {what}; choose less")


def _by_caches(topology: Topology, cpu: int) -> Limit:
    caches = data_caches(topology, cpu)
    if not caches:
        return Limit(_WITHOUT_CACHES_BYTES, "no cache is reported")
    last = caches[-1]
    size_bytes = max(CACHE_MULTIPLE * (last.size_bytes or 0), LIMIT_MIN_BYTES)
    return Limit(size_bytes, f"{CACHE_MULTIPLE} times the {last.name} as reported")


def sites_of(topology: Topology, cpus: Sequence[int]) -> tuple[Site, ...]:
    """A site for each node with memory, the node of the highest CPU first; one site where there are no nodes.

    The CPU is the highest of the node, since interrupts go to the lowest; for a node without one of `cpus`, the highest
    of the nearest.
    """
    home_cpu = max(cpus)
    home = topology.node_of(home_cpu)
    nodes = topology.memory_nodes.value or ()
    if len(nodes) < 2:
        return (Site(nodes[0] if nodes else None, home_cpu, bind=False, bytes_max=1 << 62),)
    ordered = sorted(nodes, key=lambda node: (node != home, node))
    return tuple(
        Site(node, _nearest(topology, node, cpus), bind=True, bytes_max=_half_free(topology, node)) for node in ordered
    )


def _nearest(topology: Topology, node: int, cpus: Sequence[int]) -> int:
    by_number = {each.node: each for each in topology.nodes.value or ()}

    def far(cpu: int) -> tuple[int, int]:
        home = by_number.get(topology.node_of(cpu) or 0)
        return (UNREACHABLE if home is None else home.distances.get(node, UNREACHABLE), -cpu)

    local = [cpu for cpu in cpus if topology.node_of(cpu) == node]
    return max(local) if local else min(cpus, key=far)


def _half_free(topology: Topology, node: int) -> int:
    free = next((each.memory_free_bytes for each in topology.nodes.value or () if each.node == node), None)
    return (free or 0) // _SHARE_MAX // _PAGE_BYTES * _PAGE_BYTES
