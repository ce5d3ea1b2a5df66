"""The default screen of `lowlat topology` fits 24 lines of 100 columns, whatever the host."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from lowlat.probes.host.snapshot import open_root
from lowlat.probes.topology import Topology, read_topology
from lowlat_cli.views.topology_screen import SCREEN_LINES, VERBOSE, topology_screen
from tests.unit.probes.topology.test_host_state import HOST, tree

CPU = "sys/devices/system/cpu"


def host(root: Path, packages: int, cores: int, cards: int = 0) -> Topology:
    files = HOST | {f"{CPU}/online": f"0-{packages * cores - 1}", "proc/cpuinfo": "flags : hypervisor"}
    for cpu in range(packages * cores):
        first = cpu // cores * cores
        files[f"{CPU}/cpu{cpu}/topology/core_cpus_list"] = str(cpu)
        files[f"{CPU}/cpu{cpu}/topology/package_cpus_list"] = f"{first}-{first + cores - 1}"
    for card in range(cards):
        files[f"sys/class/net/eth{card}/device/numa_node"] = "0"
    return read_topology(open_root(tree(root, files)))


def lines(topology: Topology) -> list[str]:
    on = Console(file=StringIO(), width=100)
    on.print(*topology_screen(topology), sep="\n")
    assert isinstance(on.file, StringIO)
    return on.file.getvalue().rstrip().splitlines()


@pytest.mark.parametrize(
    ("packages", "cores", "cards"), [(1, 1, 0), (1, 4, 2), (1, 16, 9), (2, 64, 40), (8, 8, 3), (32, 2, 1)]
)
def test_any_host_fits_one_screen(tmp_path: Path, packages: int, cores: int, cards: int) -> None:
    shown = lines(host(tmp_path, packages, cores, cards))
    assert len(shown) <= SCREEN_LINES
    assert max(map(len, shown)) <= 100
    assert shown[-1].strip() == VERBOSE


def test_small_host_shows_its_cores_and_a_large_one_its_packages(tmp_path: Path) -> None:
    assert any("core  CPU 0" in line for line in lines(host(tmp_path / "small", 1, 2)))
    large = lines(host(tmp_path / "large", 2, 64))
    assert [line for line in large if line.startswith("package")] and not any("core  CPU" in line for line in large)


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    shown = "\n".join(lines(host(tmp_path, 32, 2, 6)))
    assert "and 2 devices more" in shown
    assert " packages more" in shown
