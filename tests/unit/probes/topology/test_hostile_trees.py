"""A tree that no kernel printed ends in a topology or one error, at a cost that grows with its size only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lowlat.documents import text
from lowlat.errors import InputError
from lowlat.limits import TREE_BYTES_MAX, TREE_FILE_BYTES_MAX
from lowlat.probes.cpu.placement import plan
from lowlat.probes.host import host_tree
from lowlat.probes.host.facts import host_facts
from lowlat.probes.host.snapshot import capture, open_root
from lowlat.probes.topology import Topology, read_topology
from lowlat.probes.topology.document import TopologyDocument
from tests.effort import effort, start_interpreter

CPU = "sys/devices/system/cpu"
NUMBERS = ["9" * 5_000, "²", "٣", "1_0", "-5", "0x" + "f" * 5_000, "9" * 20, "nan", "inf", "", "1e5", "+1"]
PLACES = {
    f"{CPU}/{name}": form
    for name, form in {
        "present": "{}",
        "possible": "0-{}",
        "isolated": "{}",
        "cpu0/topology/core_id": "{}",
        "cpu0/topology/physical_package_id": "{}",
        "cpu0/topology/core_cpus": "{}",
        "cpu0/cache/index0/level": "{}",
        "cpu0/cache/index0/size": "{}K",
        "cpu0/cache/index0/number_of_sets": "{}",
        "cpu0/cpu_capacity": "{}",
        "cpu1/cpu_capacity": "5",
    }.items()
} | {
    "sys/devices/system/node/node0/distance": "{}",
    "sys/devices/system/node/node0/meminfo": "Node 0 MemTotal: {} kB\n",
    "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "{}",
    "sys/fs/cgroup/cpu.max": "{0} {0}",
    "sys/fs/cgroup/cpuset.cpus.effective": "{}",
    "proc/self/cgroup": "0::/\n",
    "proc/self/status": "Cpus_allowed_list: {}\n",
    "proc/cpuinfo": "processor : {0}\nmodel name : {0}\n",
    "proc/meminfo": "MemTotal: {} kB\n",
    "proc/stat": "cpu {0} {0} {0} {0} {0} {0} {0} {0}\n",
    "proc/loadavg": "{0} {0} {0} 1/1 1\n",
    "lowlat/facts.json": '{{"affinity": {}}}',
}


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, content in {f"{CPU}/online": "0-1\n", **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


def topology(root: Path) -> Topology:
    return read_topology(open_root(root))


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_that_is_none_is_read_as_missing_everywhere(tmp_path: Path, number: str) -> None:
    root = tree(tmp_path / "host", {path: form.format(number) for path, form in PLACES.items()})
    found = topology(root)
    assert found.cpu_sets.online.value == (0, 1)
    assert text(TopologyDocument.of(found))
    assert text(host_facts(open_root(root)))
    capture(tmp_path / "host.tar.xz", open_root(root))


@pytest.mark.parametrize("last", [8_191, 65_535])
def test_many_cpus_without_topology_cost_linear_time(tmp_path: Path, last: int) -> None:
    root = tree(tmp_path, {f"{CPU}/online": f"0-{last}\n"})
    assert len(topology(root).cores) == last + 1
    assert effort(lambda: plan("matcher", topology(root)), start_interpreter, repeats=2) < 200


@pytest.mark.parametrize(
    "content",
    [
        ",".join(str(cpu % 900) for cpu in range(1_000_000)),
        ",".join(["0-65535"] * 8_000),
        "f" * TREE_FILE_BYTES_MAX,
        ",".join(["ffffffff"] * 400_000),
        "0" * TREE_FILE_BYTES_MAX,
    ],
    ids=["numbers", "ranges", "digits", "groups", "zeros"],
)
def test_a_set_of_megabytes_is_no_set(tmp_path: Path, content: str) -> None:
    names = (
        "topology/core_cpus",
        "topology/core_cpus_list",
        "cache/index0/shared_cpu_map",
        "cache/index0/shared_cpu_list",
    )
    files = {f"{CPU}/cpu{cpu}/{name}": content for cpu in range(2) for name in names}
    root = tree(tmp_path, {**files, f"{CPU}/cpu0/cache/index0/level": "1", f"{CPU}/present": content})
    found = topology(root)
    assert [core.cpus for core in found.cores] == [(0,), (1,)]
    assert any("is damaged" in warning for warning in found.warnings)
    assert effort(lambda: topology(root), start_interpreter, repeats=2) < 100


def test_pipes_devices_and_folders_are_unreadable_files(tmp_path: Path) -> None:
    root = tree(tmp_path, {})
    (root / "proc").mkdir()
    os.mkfifo(root / "proc/cpuinfo")
    (root / "proc/meminfo").symlink_to("/dev/zero")
    (root / "proc/self").mkdir()
    (root / "proc/self/status").mkdir()
    assert topology(root).cpu_brand.value is None
    reading = open_root(root).reading("proc/meminfo")
    assert (reading.value, reading.reason) == (None, "/proc/meminfo: it is a device; name a regular file")


def test_a_file_beyond_the_limit_is_unknown_and_not_cut(tmp_path: Path) -> None:
    root = tree(tmp_path, {"proc/cpuinfo": "model name : x\n" + "y" * TREE_FILE_BYTES_MAX})
    found = open_root(root).reading("proc/cpuinfo")
    assert found.value is None and "it has more than 4 MiB, the limit" in str(found.reason)


def test_files_of_a_copy_have_a_limit_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert TREE_BYTES_MAX >= 30 * TREE_FILE_BYTES_MAX
    monkeypatch.setattr(host_tree, "TREE_BYTES_MAX", 1_000)
    root = tree(tmp_path, {"proc/cpuinfo": "x" * 900, "proc/meminfo": "x" * 200})
    with pytest.raises(InputError, match="the files read from it have more than 1,000 B, the limit"):
        topology(root)


def test_too_many_nodes_are_no_host(tmp_path: Path) -> None:
    root = tree(tmp_path, {})
    for node in range(1_025):
        (root / f"sys/devices/system/node/node{node}").mkdir(parents=True)
    with pytest.raises(InputError, match="has 1,025 nodes; Linux supports at most 1,024"):
        topology(root)
