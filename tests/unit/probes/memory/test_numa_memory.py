"""Memory on another node slows every access unnoticed: binding is checked, then verified."""

from __future__ import annotations

import errno
import mmap
from collections.abc import Iterator
from pathlib import Path

import pytest

from lowlat.probes import _core
from lowlat.probes.errors import NumaError
from lowlat.probes.host.host_tree import FolderTree
from lowlat.probes.memory import numa_memory
from lowlat.probes.memory.numa_memory import PagePlacement, Policy, ThreadPolicy
from lowlat.probes.reading import Reading
from lowlat.probes.topology.nodes import memory_nodes

PAGE = mmap.PAGESIZE
PAGES = 8


def first_node() -> int:
    nodes = memory_nodes()
    if nodes.value is None:
        pytest.skip(nodes.text)
    return nodes.value[0]


@pytest.fixture
def buffer() -> Iterator[tuple[mmap.mmap, int]]:
    import ctypes

    memory = mmap.mmap(-1, PAGES * PAGE)
    view = ctypes.c_char.from_buffer(memory)
    address = ctypes.addressof(view)
    del view
    yield memory, address
    memory.close()


def test_touched_pages_are_found_and_untouched_ones_told(buffer: tuple[mmap.mmap, int]) -> None:
    first_node()
    memory, address = buffer
    for page in range(3):
        memory[page * PAGE] = 1
    placement = numa_memory.page_placement(address, PAGES * PAGE).value
    assert placement is not None
    assert sum(placement.pages_by_node.values()) == 3
    assert placement.pages_untouched == PAGES - 3


def test_bound_memory_is_on_its_node(buffer: tuple[mmap.mmap, int]) -> None:
    node = first_node()
    memory, address = buffer
    memory[:] = b"\1" * len(memory)
    placement = numa_memory.bind_memory(address, len(memory), node)
    assert placement.on_node(node)
    assert placement == PagePlacement({node: PAGES}, 0, 0)


def test_range_is_widened_to_whole_pages(buffer: tuple[mmap.mmap, int]) -> None:
    node = first_node()
    memory, address = buffer
    memory[:] = b"\1" * len(memory)
    assert numa_memory.bind_memory(address + PAGE - 1, 2, node) == PagePlacement({node: 2}, 0, 0)


def test_thread_policy_is_set_read_back_and_restored() -> None:
    node = first_node()
    before = numa_memory.thread_policy().value
    with numa_memory.thread_memory_on(node) as got:
        assert got == ThreadPolicy(int(Policy.BIND), (node,))
        assert numa_memory.thread_policy().value == got
        with numa_memory.thread_memory_on(node, Policy.PREFERRED) as inner:
            assert inner.policy == Policy.PREFERRED
        assert numa_memory.thread_policy().value == got
    assert numa_memory.thread_policy().value == before


def test_node_that_does_not_exist_is_named() -> None:
    first_node()
    with pytest.raises(NumaError, match="node 999 has no memory that this process may use; choose from 0"):
        numa_memory.set_thread_policy(Policy.BIND, 999)
    assert _core.set_thread_memory_policy(2, [5_000]) == errno.EINVAL


def test_range_that_is_not_mapped_is_refused() -> None:
    node = first_node()
    with pytest.raises(NumaError, match="the range is not mapped"):
        numa_memory.bind_memory(PAGE, PAGE, node)
    with pytest.raises(NumaError, match="a range of 0 bytes"):
        numa_memory.bind_memory(PAGE, 0, node)


def test_kernel_without_nodes_is_not_a_failure(tmp_path: Path) -> None:
    tree = FolderTree(tmp_path)
    assert memory_nodes(tree).status == "not applicable"
    with pytest.raises(NumaError, match="the kernel shows no NUMA nodes; omit the node"):
        numa_memory.check_node(0, tree)


def test_memory_outside_the_cpuset_is_not_offered(tmp_path: Path) -> None:
    for path, text in (
        ("sys/devices/system/node/has_memory", "0,8,250-251\n"),
        ("proc/self/status", "Mems_allowed:\t1\nMems_allowed_list:\t8-255\n"),
    ):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text)
    assert memory_nodes(FolderTree(tmp_path)).value == (8, 250, 251)


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [(errno.ENOSYS, "not applicable", "built without NUMA"), (errno.EPERM, "unknown", "container")],
)
def test_refused_question_has_a_reason(monkeypatch: pytest.MonkeyPatch, code: int, status: str, reason: str) -> None:
    monkeypatch.setattr(_core, "query_page_nodes", lambda address, size_bytes: (code, []))
    found: Reading[PagePlacement] = numa_memory.page_placement(0, PAGE)
    assert found.status == status
    assert reason in str(found.reason)


def test_policy_the_kernel_does_not_keep_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    node = first_node()
    monkeypatch.setattr(_core, "set_thread_memory_policy", lambda policy, nodes: 0)
    with pytest.raises(NumaError, match="the kernel kept ThreadPolicy"):
        numa_memory.set_thread_policy(Policy.BIND, node)
