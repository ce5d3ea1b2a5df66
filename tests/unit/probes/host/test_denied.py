"""A file that may not be read is named as such, and never taken for one that is not there."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lowlat.documents import values
from lowlat.probes.clock.sources import counter_flags
from lowlat.probes.host.cgroup import throttling
from lowlat.probes.host.facts import host_facts
from lowlat.probes.host.host_tree import FolderTree, HostTree
from lowlat.probes.host.snapshot import capture, open_root
from lowlat.probes.reading import Reading
from lowlat.probes.topology import read_topology
from lowlat.probes.topology.document import TopologyDocument

CPU = "sys/devices/system/cpu"
DENIED = "permission denied (needs root, or the container forbids it)"


class DeniedTree(FolderTree):
    """A copy of a host of which some files, and what is below some folders, may not be read, even by root."""

    def __init__(self, root: Path, *denied: str) -> None:
        super().__init__(root)
        self._denied = denied

    def _is_below_denied(self, path: str) -> bool:
        return any(f"{path}/".startswith(f"{each}/") for each in self._denied)

    def read_bytes(self, path: str) -> bytes:
        if self._is_below_denied(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return super().read_bytes(path)

    def names(self, path: str) -> tuple[str, ...]:
        return () if self._is_below_denied(path) else super().names(path)

    def is_denied(self, path: str) -> bool:
        return self._is_below_denied(path) or super().is_denied(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    host = tmp_path / "host"
    for name, text in {
        f"{CPU}/online": "0-1\n",
        f"{CPU}/isolated": "1\n",
        f"{CPU}/cpu0/topology/core_id": "0\n",
        f"{CPU}/cpu0/cache/index0/level": "1\n",
        f"{CPU}/cpu0/cache/index0/size": "32K\n",
        "sys/devices/system/node/node0/cpulist": "0-1\n",
        "proc/self/cgroup": "0::/box\n",
        "proc/self/status": "Cpus_allowed_list: 0-1\n",
        "proc/cpuinfo": "model name : x\n",
        "sys/fs/cgroup/box/cpu.max": "50000 100000\n",
        "sys/fs/cgroup/cpu.max": "max 100000\n",
        "sys/fs/cgroup/box/cpuset.cpus.effective": "0\n",
        "sys/fs/cgroup/cpuset.cpus.effective": "0-1\n",
    }.items():
        (host / name).parent.mkdir(parents=True, exist_ok=True)
        (host / name).write_text(text)
    return host


READINGS: dict[str, tuple[str, Callable[[HostTree], Reading[Any]]]] = {
    "isolated": (f"{CPU}/isolated", lambda tree: read_topology(tree).cpu_sets.isolated),
    "online": (CPU, lambda tree: read_topology(tree).caches),
    "caches": (f"{CPU}/cpu0/cache", lambda tree: read_topology(tree).caches),
    "nodes": ("sys/devices/system/node", lambda tree: read_topology(tree).nodes),
    "memory nodes": ("sys/devices/system/node/has_memory", lambda tree: read_topology(tree).memory_nodes),
    "quota": ("sys/fs/cgroup/box/cpu.max", lambda tree: read_topology(tree).cpu_quota),
    "cpuset": ("sys/fs/cgroup/box/cpuset.cpus.effective", lambda tree: read_topology(tree).cpu_sets.cpuset),
    "group": ("proc/self/cgroup", lambda tree: read_topology(tree).cpu_sets.cpuset),
    "throttling": ("sys/fs/cgroup/box/cpu.stat", throttling),
    "brand": ("proc/cpuinfo", lambda tree: read_topology(tree).cpu_brand),
    "memory": ("proc/meminfo", lambda tree: read_topology(tree).memory_total_bytes),
    "governor": (f"{CPU}/cpu0/cpufreq/scaling_governor", lambda tree: host_facts(tree).governor),
    "turbo": (f"{CPU}/cpufreq/boost", lambda tree: host_facts(tree).turbo),
    "steal": ("proc/stat", lambda tree: host_facts(tree).steal_percent),
    "hypervisor": ("sys/class/dmi/id/product_name", lambda tree: host_facts(tree).virtualization.hypervisor),
    "container": ("proc/self/mountinfo", lambda tree: host_facts(tree).virtualization.container),
    "flags": ("proc/cpuinfo", lambda tree: counter_flags(tree).constant),
}


@pytest.mark.parametrize("name", READINGS)
def test_what_is_denied_is_unknown_and_named(root: Path, name: str) -> None:
    path, read = READINGS[name]
    found = read(DeniedTree(root, path))
    if name == "flags" and os.uname().machine != "x86_64":
        pytest.skip("the architecture promises what the flags say")
    assert (found.status, found.value) == ("unknown", None)
    assert found.reason is not None
    assert found.reason.startswith(f"/{path}") and found.reason.endswith(DENIED)


@pytest.mark.parametrize("name", ["caches", "nodes", "governor", "turbo", "steal", "hypervisor", "container"])
def test_what_is_absent_is_not_denied(tmp_path: Path, name: str) -> None:
    (tmp_path / "sys").mkdir()
    assert READINGS[name][1](FolderTree(tmp_path)).status == "not applicable"


def test_topology_lists_every_file_that_is_denied(root: Path) -> None:
    denied = (f"{CPU}/cpu0/cache/index0/size", f"{CPU}/cpu0/topology")
    (warning,) = read_topology(DeniedTree(root, *denied)).warnings[-1:]
    assert warning.startswith(f"a file cannot be read: permission denied (/{CPU}/cpu0/topology/")
    assert not any("permission denied" in text for text in read_topology(FolderTree(root)).warnings)


def test_what_only_root_may_read_is_no_warning(root: Path) -> None:
    tree = DeniedTree(root, "proc/1/environ", "sys/fs/cgroup/cpuset.cpus.isolated")
    assert not any("permission denied" in text for text in read_topology(tree).warnings)


def test_a_snapshot_knows_what_was_denied(tmp_path: Path, root: Path) -> None:
    tree = DeniedTree(root, f"{CPU}/isolated", "sys/devices/system/node", f"{CPU}/cpu0/cache")
    expected = values(TopologyDocument.of(read_topology(tree)))
    assert expected["nodes"]["status"] == expected["caches"]["status"] == "unknown"
    capture(tmp_path / "host.tar.xz", tree)
    assert values(TopologyDocument.of(read_topology(open_root(tmp_path / "host.tar.xz")))) == expected


def test_a_folder_that_may_not_be_listed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may list any folder of a test, though not of every container."""
    real = os.listdir

    def listdir(path: str) -> list[str]:
        if path.endswith("cpu0/cache"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path)

    monkeypatch.setattr(os, "listdir", listdir)
    topology = read_topology(FolderTree(root))
    assert topology.caches.reason == f"/{CPU}/cpu0/cache: {DENIED}"
    assert f"a file cannot be read: permission denied (/{CPU}/cpu0/cache)" in topology.warnings
