"""Machines print their topology in many odd ways; each one here occurred, and broke a naive parser.

The trees are the smallest that show it, so that every expected set can be checked by eye.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lowlat.documents import published, values
from lowlat.probes.host.host_tree import FolderTree
from lowlat.probes.topology import Topology, read_topology
from lowlat.probes.topology.caches import parse_size
from lowlat.probes.topology.document import TopologyDocument
from tests.effort import effort, read_files

CPU = "sys/devices/system/cpu"
NODE = "sys/devices/system/node"
VALIDATOR = jsonschema.Draft202012Validator(published("lowlat.topology/1"))


def document_of(topology: Topology) -> dict[str, Any]:
    document: dict[str, Any] = values(TopologyDocument.of(topology))
    return document


def mask_of(cpus: Iterable[int], groups: int = 1) -> str:
    number = sum(1 << cpu for cpu in cpus)
    words = [number >> 32 * index & 0xFFFFFFFF for index in range(max(groups, (number.bit_length() + 31) // 32))]
    return ",".join(f"{word:08x}" for word in reversed(words)) + "\n"


class Machine:
    """Writes the files of a small host."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def file(self, path: str, content: str | bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def online(self, text: str) -> None:
        for name in ("online", "present", "possible"):
            self.file(f"{CPU}/{name}", text + "\n")

    def cpu(self, cpu: int, ids: dict[str, int] | None = None, **groups: Iterable[int]) -> None:
        """One CPU: `core=(0, 1)` writes core_cpus; `ids` writes ids such as core_id."""
        self.file(f"{CPU}/cpu{cpu}/topology/core_id", f"{(ids or {}).get('core_id', cpu)}\n")
        for name, number in (ids or {}).items():
            self.file(f"{CPU}/cpu{cpu}/topology/{name}", f"{number}\n")
        for name, cpus in groups.items():
            self.file(f"{CPU}/cpu{cpu}/topology/{name}_cpus", mask_of(cpus))

    def cache(self, cpu: int, index: int, shared: Iterable[int], **fields: object) -> None:
        folder = f"{CPU}/cpu{cpu}/cache/index{index}"
        for name, value in fields.items():
            self.file(f"{folder}/{name}", f"{value}\n")
        self.file(f"{folder}/shared_cpu_map", mask_of(shared))

    def node(self, node: int, cpus: Iterable[int], memory_kb: int | None, distance: str = "") -> None:
        folder = f"{NODE}/node{node}"
        self.file(f"{folder}/cpumap", mask_of(cpus))
        if memory_kb is not None:
            text = f"Node {node} MemTotal:  {memory_kb} kB\nNode {node} MemFree:  {memory_kb // 2} kB\n"
            self.file(f"{folder}/meminfo", text)
        if distance:
            self.file(f"{folder}/distance", distance + "\n")

    def read(self) -> Topology:
        """Read it back; every document must satisfy the schema and hold no NaN."""
        topology = read_topology(FolderTree(self.root))
        VALIDATOR.validate(json.loads(json.dumps(document_of(topology), allow_nan=False)))
        return topology


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def cores(topology: Topology) -> list[tuple[int, ...]]:
    return [core.cpus for core in topology.cores]


def packages(topology: Topology) -> list[tuple[int, ...]]:
    return [package.cpus for package in topology.packages]


def warned(topology: Topology, text: str) -> bool:
    return any(text in warning for warning in topology.warnings)


# --- packages, dies, clusters, cores ---


def test_two_socket_smt_server_with_sub_numa_clusters(machine: Machine) -> None:
    machine.online("0-7")
    for cpu in range(8):
        socket = cpu // 2 % 2  # CPUs 0, 1 and their siblings 4, 5 on socket 0
        machine.cpu(
            cpu,
            ids={"physical_package_id": socket, "core_id": cpu % 2},
            core=(cpu % 4, cpu % 4 + 4),
            package=[c for c in range(8) if c // 2 % 2 == socket],
        )
    for node in range(4):
        machine.node(node, (node, node + 4), 1024, "10 12 21 21" if node < 2 else "21 21 10 12")
    topology = machine.read()
    assert packages(topology) == [(0, 1, 4, 5), (2, 3, 6, 7)]
    assert cores(topology) == [(0, 4), (1, 5), (2, 6), (3, 7)]
    assert [core.label for core in topology.cores] == [0, 1, 0, 1]
    assert topology.siblings_of(6) == (2, 6)
    nodes = topology.nodes.value
    assert nodes is not None
    assert [node.cpus for node in nodes] == [(0, 4), (1, 5), (2, 6), (3, 7)]
    assert nodes[0].distances == {0: 10, 1: 12, 2: 21, 3: 21}
    assert topology.node_of(7) == 3


def test_old_kernel_with_only_sibling_names(machine: Machine) -> None:
    machine.online("0-3")
    for cpu in range(4):
        folder = f"{CPU}/cpu{cpu}/topology"
        machine.file(f"{folder}/thread_siblings", mask_of((cpu // 2 * 2, cpu // 2 * 2 + 1)))
        machine.file(f"{folder}/core_siblings", "f\n")
    topology = machine.read()
    assert packages(topology) == [(0, 1, 2, 3)]
    assert cores(topology) == [(0, 1), (2, 3)]


def test_machine_with_lists_but_no_masks(machine: Machine) -> None:
    machine.online("0-1")
    for cpu in range(2):
        machine.file(f"{CPU}/cpu{cpu}/topology/core_cpus_list", "0-1\n")
    assert cores(machine.read()) == [(0, 1)]


def test_mask_that_contradicts_the_list_counts(machine: Machine) -> None:
    machine.online("0-1")
    for cpu in range(2):
        machine.cpu(cpu, core=(cpu,), package=(0, 1))
        machine.file(f"{CPU}/cpu{cpu}/topology/core_cpus_list", "0-1\n")
    topology = machine.read()
    assert cores(topology) == [(0,), (1,)]
    assert topology.warnings == (
        f"core_cpus and core_cpus_list disagree; the mask is used (/{CPU}/cpu0/topology and 1 more)",
    )


def test_mask_names_cpus_that_do_not_run(machine: Machine) -> None:
    machine.online("0")
    machine.cpu(0, core=(0, 1), package=range(8))
    topology = machine.read()
    assert cores(topology) == [(0,)]
    assert packages(topology) == [(0,)]


def test_board_without_package_numbers(machine: Machine) -> None:
    machine.online("0-1")
    for cpu in range(2):
        machine.cpu(cpu, ids={"physical_package_id": -1}, core=(cpu,), package=(0, 1))
    topology = machine.read()
    assert packages(topology) == [(0, 1)]
    assert topology.packages[0].label is None


def test_arm_server_with_huge_package_numbers(machine: Machine) -> None:
    machine.online("0-1")
    for cpu in range(2):
        machine.cpu(cpu, ids={"physical_package_id": 36 + 100_000 * cpu}, core=(cpu,), package=(cpu,))
    topology = machine.read()
    assert [package.label for package in topology.packages] == [36, 100_036]


def test_two_sockets_with_one_package_number(machine: Machine) -> None:
    machine.online("0-1")
    for cpu in range(2):
        machine.cpu(cpu, ids={"physical_package_id": 0}, core=(cpu,), package=(cpu,))
    assert packages(machine.read()) == [(0,), (1,)]


def test_core_numbers_that_repeat_inside_a_package(machine: Machine) -> None:
    machine.online("0-3")
    for cpu in range(4):
        die = (cpu // 2 * 2, cpu // 2 * 2 + 1)
        machine.cpu(cpu, ids={"core_id": cpu % 2}, core=(cpu,), package=range(4), die=die)
    topology = machine.read()
    assert cores(topology) == [(0,), (1,), (2,), (3,)]
    assert [die.cpus for die in topology.packages[0].dies] == [(0, 1), (2, 3)]


def test_server_with_clusters_and_no_cluster_number(machine: Machine) -> None:
    machine.online("0-3")
    for cpu in range(4):
        cluster = (cpu // 2 * 2, cpu // 2 * 2 + 1)
        ids = {"cluster_id": 65_535}
        machine.cpu(cpu, ids=ids, core=(cpu,), package=range(4), cluster=cluster)
    clusters = machine.read().packages[0].dies[0].clusters
    assert [cluster.cpus for cluster in clusters] == [(0, 1), (2, 3)]
    assert [cluster.label for cluster in clusters] == [None, None]


def test_processor_without_dies_prints_each_cpu_as_one(machine: Machine) -> None:
    """Kernels 5.2 to 5.16 on POWER, Arm and s390: die_id -1, and a die of each CPU, which would split SMT cores."""
    machine.online("0-7")
    for cpu in range(8):
        core = (cpu // 4 * 4 + at for at in range(4))
        ids = {"physical_package_id": 0, "die_id": -1, "cluster_id": -1}
        machine.cpu(cpu, ids=ids, core=core, package=range(8), die=(cpu,), cluster=(cpu,))
    topology = machine.read()
    assert cores(topology) == [(0, 1, 2, 3), (4, 5, 6, 7)]
    assert [die.cpus for die in topology.packages[0].dies] == [tuple(range(8))]
    assert [cluster.cpus for cluster in topology.packages[0].dies[0].clusters] == [tuple(range(8))]
    assert topology.warnings == ()


@pytest.mark.parametrize("level", ["die", "cluster"])
def test_level_that_would_split_a_core_is_left_out(machine: Machine, level: str) -> None:
    machine.online("0-3")
    for cpu in range(4):
        groups = {level: (cpu % 2, cpu % 2 + 2)}
        machine.cpu(
            cpu, ids={f"{level}_id": cpu % 2}, core=(cpu // 2 * 2, cpu // 2 * 2 + 1), package=range(4), **groups
        )
    topology = machine.read()
    assert cores(topology) == [(0, 1), (2, 3)]
    assert len(topology.packages[0].dies) == len(topology.packages[0].dies[0].clusters) == 1
    assert warned(topology, f"a {level} holds a part of a core only; {level}s are left out (CPU 0,2)")


@pytest.mark.parametrize(
    ("affinity", "online", "allowed"),
    [
        ("4-5", "0-1", (4, 5)),  # renumbered
        ("2-5", "2-3", (2, 3, 4, 5)),  # masked
        ("0-63", "0-5", (0, 1, 2, 3, 4, 5)),  # a mask as wide as the kernel allows is no contradiction
        ("0-7", "0-5", (0, 1, 2, 3, 4, 5)),  # nor are CPUs that are switched off
    ],
)
def test_affinity_wins_over_a_list_that_a_container_changed(
    machine: Machine, affinity: str, online: str, allowed: tuple[int, ...]
) -> None:
    machine.online(online)
    machine.file("proc/self/status", f"Cpus_allowed_list:\t{affinity}\n")
    for cpu in range(6):
        machine.cpu(cpu, core=(cpu,), package=range(6))
    for cpu in (6, 7):
        machine.file(f"{CPU}/cpu{cpu}/online", "0\n")
    topology = machine.read()
    assert topology.cpu_sets.allowed == allowed
    assert set(allowed) <= set(topology.cpu_sets.present.value or ())
    assert warned(topology, "the list of online CPUs lacks some that run") == (len(online) == 3 and online != "0-5")


def test_system_call_wins_even_where_sys_has_no_such_cpu(machine: Machine) -> None:
    machine.online("0-1")
    machine.file("lowlat/facts.json", '{"affinity": "6-7"}')
    machine.file("proc/self/cgroup", "0::/\n")
    machine.file("sys/fs/cgroup/cpuset.cpus.effective", "0-1\n")
    sets = machine.read().cpu_sets
    assert sets.allowed == (6, 7)
    assert "lacks CPU 6-7, which this process may use" in str(sets.cpuset.reason)


def test_half_isolated_core_is_told(machine: Machine) -> None:
    machine.online("0-3")
    machine.file(f"{CPU}/isolated", "1,2-3\n")
    for cpu in range(4):
        machine.cpu(cpu, core=(cpu // 2 * 2, cpu // 2 * 2 + 1), package=range(4))
    assert machine.read().warnings == (
        "an isolated CPU has an SMT sibling that is not isolated: the scheduler may run work on its core "
        "(CPU 1, sibling 0)",
    )


def test_offline_cpus_have_no_topology(machine: Machine) -> None:
    machine.online("0-3")
    machine.file(f"{CPU}/online", "0,2\n")
    for cpu in (0, 2):
        machine.cpu(cpu, core=(cpu,), package=(0, 2))
    for cpu in (1, 3):
        machine.file(f"{CPU}/cpu{cpu}/online", "0\n")
    topology = machine.read()
    assert topology.cpu_sets.offline == (1, 3)
    assert cores(topology) == [(0,), (2,)]


def test_kernel_without_sets_of_cpus(machine: Machine) -> None:
    machine.file(f"{CPU}/cpu0/topology/core_id", "0\n")  # CPU 0 cannot be switched off: no file online
    machine.file(f"{CPU}/cpu1/online", "0\n")
    machine.file(f"{CPU}/cpu2/online", "1\n")
    machine.file(f"{CPU}/cpu3/online", "\n")  # empty means online
    machine.file(f"{CPU}/cpufreq/boost", "1\n")
    sets = machine.read().cpu_sets
    assert sets.online.value == (0, 2, 3)
    assert sets.present.value == (0, 1, 2, 3)
    assert sets.offline == (1,)
    assert sets.online.source == f"derived from /{CPU}/cpuN/online"


def test_kernel_without_any_cpu_folder(machine: Machine) -> None:
    machine.file("sys/kernel/x", "")
    machine.file("proc/cpuinfo", "processor\t: 0\n\nprocessor\t: 1\n")
    topology = machine.read()
    assert topology.cpu_sets.online.value == (0, 1)
    assert cores(topology) == [(0,), (1,)]


def test_empty_host_is_unknown_not_a_crash(machine: Machine) -> None:
    topology = machine.read()
    assert topology.packages == ()
    assert topology.cpu_sets.online.status == "unknown"
    assert topology.nodes.status == "not applicable"


def test_files_that_end_with_nul(machine: Machine) -> None:
    machine.online("0-1")
    machine.file(f"{CPU}/online", b"0-1\n\0")
    machine.file(f"{CPU}/isolated", b"\0")
    machine.file(f"{CPU}/nohz_full", b"(null)\n")
    machine.cpu(0, core=(0,), package=(0, 1))
    sets = machine.read().cpu_sets
    assert sets.online.value == (0, 1)
    assert sets.isolated.value == ()
    assert sets.nohz_full.value == ()


@pytest.mark.parametrize("text", ["0x3\n", "3\n", "00000000,00000003\n", "0000000000000003\n"])
def test_masks_of_any_width(machine: Machine, text: str) -> None:
    machine.online("0-1")
    for cpu in range(2):
        machine.file(f"{CPU}/cpu{cpu}/topology/core_cpus", text)
    assert cores(machine.read()) == [(0, 1)]


def test_mask_of_4096_cpus(machine: Machine) -> None:
    machine.online("0,4095")
    text = mask_of((4_095,), groups=128)
    assert len(text.strip()) == 1_151
    machine.file(f"{CPU}/cpu4095/topology/core_cpus", text)
    assert cores(machine.read()) == [(0,), (4_095,)]


def test_damaged_masks_are_told(machine: Machine) -> None:
    machine.online("0-1")
    machine.cpu(0, package=(0, 1))
    machine.file(f"{CPU}/cpu0/topology/core_cpus", "zz\n")
    machine.file(f"{CPU}/cpu0/topology/core_cpus_list", "1-0\n")
    topology = machine.read()
    assert warned(topology, f"core_cpus is damaged (/{CPU}/cpu0/topology: 'zz')")
    assert warned(topology, f"core_cpus_list is damaged (/{CPU}/cpu0/topology: '1-0')")
    assert cores(topology) == [(0,), (1,)]


def test_cpu_missing_from_its_own_siblings(machine: Machine) -> None:
    machine.online("0-1")
    machine.cpu(0, core=(1,), package=(0, 1))
    machine.cpu(1, core=(1,), package=(0, 1))
    topology = machine.read()
    assert cores(topology) == [(0, 1)]
    assert warned(topology, "missing from its own core siblings")


@pytest.mark.slow
def test_256_cpu_machine_costs_less_than_a_read_of_every_file(machine: Machine) -> None:
    machine.online("0-255")
    for cpu in range(256):
        pair = (cpu % 128, cpu % 128 + 128)
        machine.cpu(cpu, ids={"physical_package_id": cpu % 128 // 64}, core=pair, package=range(256), die=range(256))
        for index, (level, kind) in enumerate(((1, "Data"), (1, "Instruction"), (2, "Unified"), (3, "Unified"))):
            shared = pair if level < 3 else [c for c in range(256) if c % 128 // 8 == cpu % 128 // 8]
            machine.cache(
                cpu,
                index,
                shared,
                level=level,
                type=kind,
                size="32K",
                coherency_line_size=64,
                ways_of_associativity=8,
                number_of_sets=64,
            )
    topology = read_topology(FolderTree(machine.root))
    assert effort(lambda: read_topology(FolderTree(machine.root)), lambda: read_files(machine.root)) < 1
    assert len(topology.cores) == 128
    assert [len(cache.instances) for cache in topology.caches.value or ()] == [128, 128, 128, 16]


# --- kinds of cores ---


def test_hybrid_desktop(machine: Machine) -> None:
    machine.online("0-3")
    machine.file("sys/devices/cpu_core/cpus", "0-1\n")
    machine.file("sys/devices/cpu_atom/cpus", "2-3\n")
    for cpu in range(4):
        machine.cpu(cpu, core=(0, 1) if cpu < 2 else (cpu,), package=range(4))
        shared, size = ((0, 1), "2048K") if cpu < 2 else ((2, 3), "4096K")
        machine.cache(cpu, 2, shared, level=2, type="Unified", size=size)
    topology = machine.read()
    assert [(kind.name, kind.cpus) for kind in topology.core_kinds] == [
        ("performance", (0, 1)),
        ("efficiency", (2, 3)),
    ]
    caches = topology.caches.value
    assert caches is not None
    assert [(cache.size_bytes, cache.instances) for cache in caches] == [
        (2 << 20, ((0, 1),)),
        (4 << 20, ((2, 3),)),
    ]


def test_phone_with_three_capacities(machine: Machine) -> None:
    machine.online("0-2")
    for cpu, capacity in enumerate((250, 1024, 600)):
        machine.file(f"{CPU}/cpu{cpu}/cpu_capacity", f"{capacity}\n")
    kinds = machine.read().core_kinds
    assert [(kind.name, kind.cpus) for kind in kinds] == [
        ("capacity 1024", (1,)),
        ("capacity 600", (2,)),
        ("capacity 250", (0,)),
    ]


@pytest.mark.parametrize(
    ("numbers", "kinds"),
    [
        ((196, 196, 132, 132), [("highest_perf 196", (0, 1)), ("highest_perf 132", (2, 3))]),  # Zen 5 and 5c
        ((201, 196, 137, 132), [("highest_perf 196-201", (0, 1)), ("highest_perf 132-137", (2, 3))]),
        ((236, 201, 206, 181), []),  # the preferred cores of one kind
        ((166, 166, 166, 166), []),
        ((196, 196, 0, 0), []),
    ],
)
def test_dense_cores_by_their_highest_performance(
    machine: Machine, numbers: tuple[int, ...], kinds: list[tuple[str, tuple[int, ...]]]
) -> None:
    machine.online("0-3")
    for cpu, number in enumerate(numbers):
        machine.file(f"{CPU}/cpu{cpu}/acpi_cppc/highest_perf", f"{number}\n")
    found = machine.read().core_kinds
    assert [(kind.name, kind.cpus) for kind in found] == kinds
    assert all(kind.source == f"read from /{CPU}/cpuN/acpi_cppc/highest_perf" for kind in found)


# --- caches ---


def test_arm_board_without_cache_sizes(machine: Machine) -> None:
    machine.online("0-1")
    for cpu in range(2):
        machine.cache(cpu, 0, (cpu,), level=1, type="Data")
        machine.cache(cpu, 1, (0, 1), level=2, type="Unified", size="0K", ways_of_associativity=0)
    caches = machine.read().caches.value
    assert caches is not None
    assert [(cache.level, cache.size_bytes, cache.ways) for cache in caches] == [
        (1, None, None),
        (2, None, None),
    ]
    assert caches[0].instances == ((0,), (1,))


def test_line_sizes_of_three_kinds_in_one_machine(machine: Machine) -> None:
    machine.online("0")
    for index, line in enumerate((64, 128, 256)):
        machine.cache(0, index, (0,), level=index + 1, type="Unified", size="64K", coherency_line_size=line)
    assert [cache.line_bytes for cache in machine.read().caches.value or ()] == [64, 128, 256]


def test_guest_without_caches(machine: Machine) -> None:
    machine.online("0")
    machine.file("proc/cpuinfo", "flags : hypervisor\n")
    topology = machine.read()
    assert topology.guest_view
    assert topology.caches.text == "not available here, because the kernel shows no caches"


def test_cpus_that_disagree_about_a_shared_cache(machine: Machine) -> None:
    machine.online("0-2")
    machine.cache(0, 3, (0, 1), level=3, type="Unified", size="1M")
    machine.cache(1, 3, (1,), level=3, type="Unified", size="1M")
    machine.cache(2, 3, (0, 1, 2), level=3, type="Unified", size="1M")
    topology = machine.read()
    assert [cache.instances for cache in topology.caches.value or ()] == [((0, 1), (2,))]
    assert warned(topology, "CPUs disagree about who shares a cache")


def test_cache_without_a_level_is_left_out(machine: Machine) -> None:
    machine.online("0")
    machine.cache(0, 0, (0,), type="Data")
    topology = machine.read()
    assert topology.caches.value is None
    assert warned(topology, "without a level")


@pytest.mark.parametrize(
    ("text", "geometry", "size_bytes"),
    [
        ("32K", (None, None, None), 32 << 10),
        ("32k", (None, None, None), 32 << 10),
        ("1M", (None, None, None), 1 << 20),
        ("32", (None, None, None), 32 << 10),
        ("32768", (None, None, None), 32 << 10),
        ("8192", (64, 16, 8192), 8 << 20),
        ("8192", (64, 2, 64), 8 << 10),
        ("", (64, 8, 64), None),
        ("0K", (64, 8, 64), None),
        ("big", (None, None, None), None),
        ("-1K", (None, None, None), None),
    ],
)
def test_sizes_with_and_without_a_unit(
    text: str, geometry: tuple[int | None, int | None, int | None], size_bytes: int | None
) -> None:
    line_bytes, ways, sets = geometry
    assert parse_size(text, line_bytes, ways, sets) == size_bytes


# --- nodes ---


def test_server_with_a_memory_only_node(machine: Machine) -> None:
    machine.online("0-1")
    machine.node(0, (0, 1), 2048, "10 14")
    machine.node(1, (), 4096, "14 10")
    nodes = machine.read().nodes.value
    assert nodes is not None
    assert [(node.kind, node.cpus) for node in nodes] == [("cpus and memory", (0, 1)), ("memory only", ())]
    assert nodes[1].memory_total_bytes == 4096 * 1024
    assert nodes[1].memory_free_bytes == 2048 * 1024


def test_server_with_a_memoryless_node(machine: Machine) -> None:
    machine.online("0-1")
    machine.node(0, (0,), 2048)
    machine.node(1, (1,), 0)
    topology = machine.read()
    assert [node.kind for node in topology.nodes.value or ()] == ["cpus and memory", "no memory"]
    assert topology.node_of(1) == 1
    assert topology.memory_nodes.value == (0,)


def test_power_server_with_sparse_nodes(machine: Machine) -> None:
    machine.online("0-1")
    machine.node(0, (0,), 1024, "10 40 80")
    machine.node(8, (1,), 1024, "40 10 80")
    machine.node(255, (), 512, "80 80 10")
    nodes = machine.read().nodes.value
    assert nodes is not None
    assert [node.node for node in nodes] == [0, 8, 255]
    assert nodes[1].distances == {0: 40, 8: 10, 255: 80}


def test_kernel_without_nodes_gets_none_made_up(machine: Machine) -> None:
    machine.online("0")
    topology = machine.read()
    assert topology.nodes.value is None
    assert topology.nodes.status == "not applicable"
    assert topology.node_of(0) is None
    assert not topology.warnings


def test_distance_row_longer_than_the_nodes(machine: Machine) -> None:
    machine.online("0-1")
    machine.node(0, (0,), 1024, "10 99 20 99")
    machine.node(2, (1,), 1024, "20 99 10 99")
    topology = machine.read()
    assert topology.nodes.value is not None
    assert topology.nodes.value[0].distances == {0: 10, 2: 20}
    assert warned(topology, "has 4 distances for 2 nodes")


def test_distance_row_of_nodes_that_are_listed_but_absent(machine: Machine) -> None:
    machine.online("0-1")
    machine.file(f"{NODE}/online", "0,4,8\n")
    machine.node(0, (0,), 1024, "10 20 30")
    machine.node(8, (1,), 1024, "30 20 10")
    nodes = machine.read().nodes.value
    assert nodes is not None
    assert nodes[0].distances == {0: 10, 8: 30}


def test_distances_that_make_no_sense_are_told(machine: Machine) -> None:
    machine.online("0-1")
    machine.node(0, (0,), 1024, "0 20")
    machine.node(1, (1,), 1024, "255 10")
    topology = machine.read()
    assert warned(topology, "not at distance 10 from itself (node 0: 0)")
    assert warned(topology, "not symmetric (nodes 0 and 1: 20 there, 255 back)")
    assert topology.nodes.value is not None
    assert topology.nodes.value[1].distances == {0: 255, 1: 10}


def test_node_with_thousands_of_dangling_links(machine: Machine) -> None:
    machine.online("0")
    machine.node(0, (0,), 1024, "10")
    for block in range(4_096):
        (machine.root / f"{NODE}/node0/memory{block}").symlink_to(f"../../memory/memory{block}")
    topology = machine.read()
    node = machine.root / f"{NODE}/node0"
    assert effort(machine.read, lambda: [path.is_symlink() for path in node.iterdir()]) < 2
    assert [node.cpus for node in topology.nodes.value or ()] == [(0,)]


def test_node_without_any_cpu_set_is_found_by_links(machine: Machine) -> None:
    machine.online("0-1")
    machine.file(f"{NODE}/node0/meminfo", "Node 0 MemTotal: 8 kB\n")
    machine.file(f"{CPU}/cpu1/node0/meminfo", "")
    topology = machine.read()
    assert [node.cpus for node in topology.nodes.value or ()] == [(1,)]
    assert warned(topology, "no node claims some CPUs (CPU 0)")


def test_cpu_claimed_by_two_nodes(machine: Machine) -> None:
    machine.online("0")
    machine.node(0, (0,), 1024)
    machine.node(1, (0,), 1024)
    topology = machine.read()
    assert topology.node_of(0) == 0
    assert warned(topology, "the lower node is used (CPU 0, nodes 0, 1)")


def test_node_that_hides_its_memory(machine: Machine) -> None:
    machine.online("0")
    machine.node(0, (0,), None)
    nodes = machine.read().nodes.value
    assert nodes is not None
    assert (nodes[0].kind, nodes[0].memory_total_bytes) == ("unknown memory", None)


def test_huge_pages_of_a_node(machine: Machine) -> None:
    machine.online("0")
    machine.node(0, (0,), 1024)
    for size_kb, total in ((1_048_576, 2), (2_048, 512)):
        folder = f"{NODE}/node0/hugepages/hugepages-{size_kb}kB"
        machine.file(f"{folder}/nr_hugepages", f"{total}\n")
        machine.file(f"{folder}/free_hugepages", "1\n")
    nodes = machine.read().nodes.value
    assert nodes is not None
    assert [(p.size_bytes, p.total, p.free) for p in nodes[0].huge_pages] == [
        (2 << 20, 512, 1),
        (1 << 30, 2, 1),
    ]


# --- interrupts ---


def test_interrupts_have_their_devices_and_cpus(machine: Machine) -> None:
    machine.online("0-1")
    machine.file(
        "proc/interrupts",
        "           CPU0       CPU1\n"
        "  9:          0          4  IO-APIC   9-fasteoi   acpi\n"
        " 24:          1          0  PCI-MSI 524288-edge      nvme0q0, nvme0q1\n"
        " 31:          5          6  GICv3  27 Level     arch_timer\n"
        "LOC:          1          2   Local timer interrupts\n",
    )
    for number, cpus in ((9, "0-1"), (24, "1"), (30, "0"), (31, "0-1")):
        machine.file(f"proc/irq/{number}/smp_affinity_list", cpus + "\n")
    machine.file("proc/irq/default_smp_affinity", "3\n")
    found = machine.read().interrupts.value or ()
    assert [(each.number, each.name, each.cpus) for each in found] == [
        (9, "acpi", (0, 1)),
        (24, "nvme0q0, nvme0q1", (1,)),
        (30, None, (0,)),
        (31, "arch_timer", (0, 1)),
    ]


def test_container_without_interrupts_says_so(machine: Machine) -> None:
    machine.online("0")
    assert machine.read().interrupts.reason == "the kernel shows no interrupt's affinity"


# --- what a container leaves ---


def container(machine: Machine, cgroup: str) -> None:
    machine.online("0-7")
    machine.file("proc/self/cgroup", cgroup)
    machine.file("proc/self/status", "Cpus_allowed_list:\t0-5\n")


def test_container_with_a_cpuset_and_a_quota(machine: Machine) -> None:
    container(machine, "0::/kubepods.slice/pod\n")
    machine.file("proc/1/cgroup", "0::/kubepods.slice/pod\n")
    machine.file("sys/fs/cgroup/kubepods.slice/pod/cpuset.cpus.effective", "4-7\n")
    machine.file("sys/fs/cgroup/kubepods.slice/pod/cpu.max", "max 100000\n")
    machine.file("sys/fs/cgroup/kubepods.slice/cpu.max", "150000 100000\n")
    topology = machine.read()
    assert topology.virtualization.container.value == "Kubernetes"
    assert topology.cpu_sets.cpuset.value == (4, 5, 6, 7)
    assert topology.cpu_sets.allowed == (4, 5)
    assert topology.cpu_quota.value is not None
    assert topology.cpu_quota.value.cpus == 1.5
    assert topology.cpu_quota.source == "read from /sys/fs/cgroup/kubepods.slice/cpu.max"


def test_container_that_sees_its_group_as_the_root(machine: Machine) -> None:
    container(machine, "0::/docker/0123456789\n")
    machine.file("sys/fs/cgroup/cpuset.cpus.effective", "1\n")
    machine.file("sys/fs/cgroup/cpu.max", "50000 100000\n")
    topology = machine.read()
    assert topology.cpu_sets.allowed == (1,)
    assert topology.cpu_quota.value is not None
    assert topology.cpu_quota.value.cpus == 0.5


def test_isolated_partition_counts_as_isolated(machine: Machine) -> None:
    container(machine, "0::/fast\n")
    machine.file(f"{CPU}/isolated", "\n")
    states = {"fast": "isolated", "slow": "member", "odd": "isolated invalid (Cpu list in cpuset.cpus not exclusive)"}
    for at, (name, state) in enumerate(states.items()):
        machine.file(f"sys/fs/cgroup/{name}/cpuset.cpus.partition", f"{state}\n")
        machine.file(f"sys/fs/cgroup/{name}/cpuset.cpus.effective", f"{2 * at}-{2 * at + 1}\n")
    machine.file("sys/fs/cgroup/group/cpuset.cpus.partition", "root\n")
    machine.file("sys/fs/cgroup/group/inner/cpuset.cpus.partition", "isolated\n")
    machine.file("sys/fs/cgroup/group/inner/cpuset.cpus.effective", "7\n")
    isolated = machine.read().cpu_sets.isolated
    assert isolated.value == (0, 1, 7)
    assert isolated.source == "read from /sys/fs/cgroup/fast/cpuset.cpus.partition and 1 more"


def test_isolated_partition_of_a_container_and_the_list_of_all(machine: Machine) -> None:
    container(machine, "0::/\n")
    machine.file("sys/fs/cgroup/cpuset.cpus.partition", "isolated\n")
    machine.file("sys/fs/cgroup/cpuset.cpus.effective", "4-5\n")
    assert machine.read().cpu_sets.isolated.value == (4, 5)
    machine.file(f"{CPU}/isolated", "1\n")
    machine.file("sys/fs/cgroup/cpuset.cpus.isolated", "4-6\n")
    isolated = machine.read().cpu_sets.isolated
    assert isolated.value == (1, 4, 5, 6)
    assert isolated.source == f"read from /{CPU}/isolated, and read from /sys/fs/cgroup/cpuset.cpus.isolated"


def test_container_under_version_1(machine: Machine) -> None:
    container(machine, "4:cpuset:/box\n2:cpu,cpuacct:/box\n0::/\n")
    machine.file("sys/fs/cgroup/cpuset/box/cpuset.cpus", "2-3\n")
    machine.file("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "200000\n")
    machine.file("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n")
    topology = machine.read()
    assert topology.cpu_sets.allowed == (2, 3)
    assert topology.cpu_quota.value is not None
    assert topology.cpu_quota.value.cpus == 2.0


def test_version_1_without_a_quota_is_no_limit(machine: Machine) -> None:
    container(machine, "2:cpu:/\n")
    machine.file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
    machine.file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
    quota = machine.read().cpu_quota.value
    assert quota is not None
    assert quota.cpus is None


# --- this host ---


def test_running_host_satisfies_the_schema() -> None:
    document: dict[str, Any] = document_of(read_topology())
    VALIDATOR.validate(json.loads(json.dumps(document, allow_nan=False)))


def test_schema_refuses_a_made_up_value() -> None:
    document = document_of(read_topology())
    document["nodes"] = {"status": "not applicable", "value": [], "source": "x", "reason": "y"}
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)


def test_every_running_cpu_is_in_exactly_one_core() -> None:
    topology = read_topology()
    in_cores = [cpu for core in topology.cores for cpu in core.cpus]
    assert sorted(in_cores) == list(topology.cpu_sets.online.value or ())
