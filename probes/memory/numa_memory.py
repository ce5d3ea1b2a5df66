"""Memory on the NUMA node of the thread that uses it: bound by system call, and verified page by page.

Binding must be verified: pages touched earlier, or bound to a full node, stay where they are.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from lowlat import units
from lowlat.probes import _core
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.errors import NumaError
from lowlat.probes.host.host_tree import LIVE, HostTree
from lowlat.probes.reading import Reading, known, not_applicable, unknown
from lowlat.probes.topology import Topology
from lowlat.probes.topology.model import UNREACHABLE
from lowlat.probes.topology.nodes import memory_nodes


class Policy(IntEnum):
    """Where the kernel allocates pages; the values are those of `linux/mempolicy.h`."""

    DEFAULT = 0
    """The node of the CPU that first touches a page."""
    PREFERRED = 1
    """The node asked for, another when it is full."""
    BIND = 2
    """The node asked for and no other; out of memory when it is full."""


@dataclass(frozen=True, slots=True)
class PagePlacement:
    """Where the pages of a range are: pages by node, and pages without memory yet."""

    pages_by_node: dict[int, int]
    pages_untouched: int
    pages_unknown: int

    def on_node(self, node: int) -> bool:
        """Whether every page is on this node."""
        return set(self.pages_by_node) == {node} and not self.pages_untouched and not self.pages_unknown


def nearest_memory(topology: Topology, cpu: int, nodes: Reading[tuple[int, ...]]) -> Reading[int]:
    """Choose the node nearest to a CPU among `nodes` (with memory): its own if listed, else by distance."""
    if not nodes.value:
        return Reading(None, nodes.source, nodes.reason or "no node has memory for this process", nodes.applicable)
    home = topology.node_of(cpu)
    if home is None:
        return unknown(nodes.source, f"no NUMA node claims CPU {cpu}")
    by_number = {node.node: node for node in topology.nodes.value or ()}
    distances = by_number[home].distances
    return known(
        min(nodes.value, key=lambda node: (node != home, distances.get(node, UNREACHABLE), node)), nodes.source
    )


def check_node(node: int, tree: HostTree = LIVE) -> None:
    """Raise `NumaError` unless the node has memory that this process may use."""
    nodes = memory_nodes(tree)
    if nodes.value is None:
        raise NumaError(f"memory cannot be bound to node {node}: {nodes.reason}; omit the node")
    if node not in nodes.value:
        having = format_cpu_list(nodes.value)
        raise NumaError(f"node {node} has no memory that this process may use; choose from {having}")


@dataclass(frozen=True, slots=True)
class ThreadPolicy:
    """Memory policy of a thread, as read back from the kernel."""

    policy: int
    nodes: tuple[int, ...]


def thread_policy() -> Reading[ThreadPolicy]:
    """Read the calling thread's memory policy."""
    error, policy, nodes = _core.get_thread_memory_policy()
    if error:
        return _refused("get_mempolicy", error)
    return known(ThreadPolicy(policy, tuple(nodes)), "get_mempolicy")


def set_thread_policy(policy: Policy, node: int = 0) -> ThreadPolicy:
    """Allocate the calling thread's new pages on a node; the policy is read back and compared.

    Raises `NumaError` if the node cannot be used, or the kernel refuses or keeps another policy.
    """
    if policy is not Policy.DEFAULT:
        check_node(node)
    error = _core.set_thread_memory_policy(int(policy), [] if policy is Policy.DEFAULT else [node])
    if error:
        raise NumaError(_explain(f"memory of this thread cannot be bound to node {node}", error))
    got = thread_policy().value
    wanted = ThreadPolicy(int(policy), () if policy is Policy.DEFAULT else (node,))
    if got != wanted:
        raise NumaError(f"requested policy {wanted}, but the kernel kept {got}")
    return wanted


@contextlib.contextmanager
def thread_memory_on(node: int, policy: Policy = Policy.BIND) -> Iterator[ThreadPolicy]:
    """Allocate the calling thread's new pages on a node for a `with` block, then restore its policy."""
    before = thread_policy().value
    got = set_thread_policy(policy, node)
    try:
        yield got
    finally:
        if before is not None:
            _core.set_thread_memory_policy(before.policy, list(before.nodes))


def bind_memory(address: int, size_bytes: int, node: int, policy: Policy = Policy.BIND) -> PagePlacement:
    """Bind the pages of a range to a node, move those that are elsewhere, and return where they are now.

    The range is widened to whole pages. Raises `NumaError` if the node cannot be used, the range is not mapped, or the
    kernel refuses. Pages shared with another process are not moved; the result shows them.
    """
    check_node(node)
    if size_bytes < 1:
        raise NumaError(f"a range of {units.counted(size_bytes, 'byte')} cannot be bound")
    page_bytes = os.sysconf("SC_PAGESIZE")
    start = address // page_bytes * page_bytes
    length = -(-(address + size_bytes - start) // page_bytes) * page_bytes
    error = _core.bind_memory(start, length, int(policy), node)
    # EIO: some pages could not be moved; the placement shows how many.
    if error not in (0, errno.EIO):
        raise NumaError(_explain(f"{units.counted(size_bytes, 'byte')} cannot be bound to node {node}", error))
    placement = page_placement(address, size_bytes)
    if placement.value is None:
        raise NumaError(f"memory is bound to node {node}, but where it is, is {placement.text}")
    return placement.value


def page_placement(address: int, size_bytes: int) -> Reading[PagePlacement]:
    """Ask the kernel for the node of each page of a range (`move_pages`, used as a query)."""
    error, nodes = _core.query_page_nodes(address, size_bytes)
    if error:
        return _refused("move_pages", error)
    counts = Counter(nodes)
    untouched = counts.pop(-errno.ENOENT, 0) + counts.pop(-errno.EFAULT, 0)
    unreadable = sum(count for node, count in counts.items() if node < 0)
    by_node = {node: counts[node] for node in sorted(counts) if node >= 0}
    return known(PagePlacement(by_node, untouched, unreadable), "move_pages")


def _refused(source: str, error: int) -> Reading[Any]:
    if error == errno.ENOSYS:
        return not_applicable(source, "the kernel is built without NUMA")
    return unknown(source, _explain(source, error))


def _explain(what: str, error: int) -> str:
    causes = {
        errno.EPERM: "the container or a security module forbids it (CAP_SYS_NICE, seccomp)",
        errno.EINVAL: "the node is offline or outside the allowed set",
        errno.EFAULT: "the range is not mapped",
        errno.ENOSYS: "the kernel is built without NUMA",
        errno.ENOMEM: "the node has too little memory",
    }
    return f"{what}: {causes.get(error, os.strerror(error))}"
