"""Frequency limits, microcode, mitigations, and the firmware's figures for memory: read, grouped, and shown."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console, RenderableType

from lowlat.documents import published, values
from lowlat.probes.host.host_tree import FolderTree
from lowlat.probes.host.snapshot import capture, open_root
from lowlat.probes.host.vulnerabilities import VULNERABILITIES_MAX
from lowlat.probes.topology import FrequencyPolicy, MemoryAccess, MemorySideCache, Topology, read_topology
from lowlat.probes.topology.document import TopologyDocument
from lowlat_cli.views.frequencies import frequencies_view, frequency_line
from lowlat_cli.views.memory_side import memory_side_view
from lowlat_cli.views.vulnerabilities import mitigations_line, vulnerabilities_view

CPU = "sys/devices/system/cpu"
NODE = "sys/devices/system/node/node0"
LIMITS = {
    "scaling_driver": "intel_pstate",
    "scaling_governor": "performance",
    "energy_performance_preference": "balance_performance",
    "scaling_min_freq": "800000",
    "scaling_max_freq": "3500000",
    "cpuinfo_min_freq": "800000",
    "cpuinfo_max_freq": "3900000",
}
SPEED = {"read_latency": "90", "write_latency": "95", "read_bandwidth": "131072", "write_bandwidth": "65536"}
SIDE = {"size": "17179869184", "line_size": "64", "indexing": "0", "write_policy": "1"}
HOST = {
    f"{CPU}/online": "0-2",
    **{f"{CPU}/cpu{cpu}/cpufreq/{name}": text for cpu in range(3) for name, text in LIMITS.items()},
    f"{CPU}/cpu1/cpufreq/scaling_governor": "powersave",
    "proc/cpuinfo": "processor\t: 0\nmicrocode\t: 0x2b000590\nprocessor\t: 1\nmicrocode\t: 0x2b000590",
    f"{CPU}/vulnerabilities/mds": "Mitigation: Clear CPU buffers; SMT vulnerable",
    f"{CPU}/vulnerabilities/l1tf": "Not affected",
    f"{CPU}/vulnerabilities/itlb_multihit": "KVM: Mitigation: VMX disabled",
    f"{CPU}/vulnerabilities/spectre_v2": "Vulnerable, IBPB: disabled, STIBP: disabled",
    f"{CPU}/vulnerabilities/mmio_stale_data": "Unknown: No mitigations",
    f"{NODE}/cpulist": "0-2",
    f"{NODE}/access0/initiators/node0": "",
    **{f"{NODE}/access0/initiators/{name}": text for name, text in SPEED.items()},
    **{f"{NODE}/memory_side_cache/index1/{name}": text for name, text in SIDE.items()},
}
POLICY = ("balance_performance", 800_000_000, 3_500_000_000, 800_000_000, 3_900_000_000)
BARE = {f"{CPU}/online": "0-2", f"{CPU}/cpu0/topology/core_id": "0", f"{NODE}/cpulist": "0-2"}


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{content}\n")
    return root


def topology(root: Path) -> Topology:
    return read_topology(open_root(root))


def rows(*shown: RenderableType) -> list[str]:
    on = Console(file=StringIO(), width=120)
    on.print(*shown, sep="\n")
    assert isinstance(on.file, StringIO)
    return [" ".join(line.split()) for line in on.file.getvalue().splitlines()]


def test_cpus_with_the_same_frequencies_stand_together(tmp_path: Path) -> None:
    found = topology(tree(tmp_path, HOST)).frequencies
    assert found.value == (
        FrequencyPolicy((0, 2), "intel_pstate", "performance", *POLICY),
        FrequencyPolicy((1,), "intel_pstate", "powersave", *POLICY),
    )
    assert frequency_line(found) == "0.800-3.500 GHz · performance, powersave · 2 groups of CPUs differ"
    shown = rows(frequencies_view(found.value))
    assert shown[1:3] == [
        "CPUs 0,2 0.800-3.500 GHz 0.800-3.900 GHz performance balance_performance intel_pstate",
        "CPU 1 0.800-3.500 GHz 0.800-3.900 GHz powersave balance_performance intel_pstate",
    ]


def test_one_row_for_all_cpus_alike(tmp_path: Path) -> None:
    found = topology(tree(tmp_path, HOST | {f"{CPU}/cpu1/cpufreq/scaling_governor": "performance"})).frequencies
    assert found.value is not None
    assert [policy.cpus for policy in found.value] == [(0, 1, 2)]
    assert str(frequency_line(found)).startswith("0.800-3.500 GHz · performance · prefers balance_performance")


def test_microcode_and_mitigations(tmp_path: Path) -> None:
    found = topology(tree(tmp_path, HOST))
    assert found.microcode.value == "0x2b000590"
    assert {each.name: each.status for each in found.vulnerabilities.value or ()} == {
        "mds": "mitigated",
        "l1tf": "not affected",
        "itlb_multihit": "mitigated",
        "spectre_v2": "vulnerable",
        "mmio_stale_data": "unknown",
    }
    line = mitigations_line(found.vulnerabilities)
    assert line == "2 mitigated · 1 vulnerable · 1 not affected · 1 unknown"
    shown = rows(vulnerabilities_view(found.vulnerabilities.value or ()))
    assert "mds mitigated Mitigation: Clear CPU buffers; SMT vulnerable" in shown
    assert "l1tf not affected" in shown


def test_cpus_with_different_microcode_are_told(tmp_path: Path) -> None:
    root = tree(tmp_path, HOST | {"proc/cpuinfo": "microcode : 0x2\nmicrocode : 0x1\nmicrocode : 0x2"})
    assert topology(root).microcode.value == "0x1, 0x2"


def test_memory_side_cache_and_speed_of_a_node(tmp_path: Path) -> None:
    nodes = topology(tree(tmp_path, HOST)).nodes.value or ()
    assert nodes[0].memory_side_caches == (MemorySideCache(1, 16 << 30, 64, True, False),)
    assert nodes[0].memory_access == MemoryAccess((0,), 90, 95, 128 << 30, 64 << 30)
    row = "node 0 0 90 ns 95 ns 128 GiB 64.0 GiB 16 GiB lines of 64 B direct-mapped write-through"
    assert row in rows(memory_side_view(nodes))


def test_a_host_without_any_of_them_says_why(tmp_path: Path) -> None:
    found = topology(tree(tmp_path, BARE))
    for reading in (found.frequencies, found.microcode, found.vulnerabilities):
        assert (reading.value, reading.status) == (None, "not applicable")
        assert reading.text.startswith("not available here, because ")
    nodes = found.nodes.value or ()
    assert (nodes[0].memory_side_caches, nodes[0].memory_access) == ((), None)


def test_snapshot_gives_the_same_document(tmp_path: Path) -> None:
    root = tree(tmp_path / "host", HOST)
    capture(tmp_path / "host.tar.xz", open_root(root))
    document = values(TopologyDocument.of(topology(root)))
    assert values(TopologyDocument.of(topology(tmp_path / "host.tar.xz"))) == document
    jsonschema.Draft202012Validator(published("lowlat.topology/1")).validate(document)


@pytest.mark.parametrize("word", ["", "²", "9" * 5_000, "9" * 19, "-5", "1_0", "nan", "0x", "\x1b[2J", "a b"])
def test_what_is_no_number_is_not_told(tmp_path: Path, word: str) -> None:
    numbers = [path for path, text in HOST.items() if text.isdigit()]
    found = topology(tree(tmp_path, HOST | dict.fromkeys(numbers, word)))
    for policy in found.frequencies.value or ():
        limits = (policy.min_hz, policy.max_hz, policy.hardware_min_hz, policy.hardware_max_hz)
        assert limits == (None,) * 4
    access = (found.nodes.value or ())[0].memory_access
    assert access is None or (access.read_bytes_per_s, access.write_bytes_per_s) == (None, None)
    values(TopologyDocument.of(found))


def test_words_that_no_kernel_prints_are_not_told(tmp_path: Path) -> None:
    names = ("scaling_driver", "scaling_governor", "energy_performance_preference")
    hostile = {f"{CPU}/cpu{cpu}/cpufreq/{name}": "\x1b[2J" * 1_000 for cpu in range(3) for name in names}
    found = topology(tree(tmp_path, HOST | hostile | {"proc/cpuinfo": "microcode : " + "f" * 5_000}))
    (policy,) = found.frequencies.value or ()
    assert (policy.driver, policy.governor, policy.energy_preference) == (None, None, None)
    assert found.microcode.value is None


def test_long_lists_are_bounded(tmp_path: Path) -> None:
    many = {f"{CPU}/vulnerabilities/a{number:04}": "x" * 9_000 for number in range(VULNERABILITIES_MAX + 5)}
    indexes = {f"{NODE}/memory_side_cache/index{number}/size": "4096" for number in range(200)}
    found = read_topology(FolderTree(tree(tmp_path, BARE | many | indexes)))
    assert len(found.vulnerabilities.value or ()) == VULNERABILITIES_MAX
    assert {len(each.text) for each in found.vulnerabilities.value or ()} == {1_000}
    assert len((found.nodes.value or ())[0].memory_side_caches) == 16
