"""Hosts that were read wrongly, each for a whole kind; `hosts/` has snapshots, cut to the files that matter."""

from __future__ import annotations

from pathlib import Path

import pytest

from lowlat.probes.cpu.affinity import requested_cpus
from lowlat.probes.cpu.placement import Plan, plan
from lowlat.probes.host.snapshot import open_root
from lowlat.probes.topology import Topology, read_topology
from tests.property.placement_rules import broken_rules

HOSTS = Path(__file__).parent / "hosts"
NAMES = sorted(path.name.removesuffix(".tar.xz") for path in HOSTS.glob("*.tar.xz"))
ROLES = "producer,matcher,publisher"


def read(name: str) -> Topology:
    return read_topology(open_root(HOSTS / f"{name}.tar.xz"))


def cpus(found: Plan) -> dict[str, int]:
    return {each.thread: each.cpu for each in found.assignments}


@pytest.mark.parametrize("name", NAMES)
def test_plan_keeps_every_rule(name: str) -> None:
    topology = read(name)
    found = plan(ROLES, topology)
    assert broken_rules(found, topology, ()) == [], found


def test_publisher_keeps_away_from_the_matchers_core() -> None:
    """c5.xlarge: cores 0,2 and 1,3; two of three threads share a core, and the matcher is none of them."""
    assert cpus(plan(ROLES, read("c5.xlarge"))) == {"matcher": 1, "producer": 2, "publisher": 0}


def test_power9_has_cores_of_four_threads() -> None:
    topology = read("power9_smt4_k510")
    assert [len(package.cores) for package in topology.packages] == [16, 16]
    assert {len(core.cpus) for core in topology.cores} == {4}
    used = cpus(plan(ROLES, topology)).values()
    assert len({topology.siblings_of(cpu) for cpu in used}) == 3


def test_threadrippers_nodes_without_memory_are_nobodys_home() -> None:
    """Nodes 0 and 3 hold no memory."""
    topology = read("numactl165_tr3960x")
    found = plan(ROLES, topology)
    assert topology.memory_nodes.value == (1, 2)
    assert found.memory_node == 1
    assert {topology.node_of(cpu) for cpu in cpus(found).values()} == {1}


def test_container_with_renumbered_cpus_has_those_of_its_affinity() -> None:
    """lxcfs lists CPUs 0 to 3 as online; the container runs on 4 to 7."""
    topology = read("lxcfs")
    assert topology.cpu_sets.allowed == (4, 5, 6, 7)
    assert requested_cpus("5", topology.cpu_sets) == (5,)
    assert any("lxcfs, Sysbox" in warning for warning in topology.warnings)
    assert topology.virtualization.text == "lxc container"


def test_half_isolated_cores_are_warned_of() -> None:
    topology = read("isol_half_cores")
    assert any("sibling that is not isolated" in warning for warning in topology.warnings)
    found = plan(ROLES, topology)
    assert any("but not the SMT sibling on the same core" in warning for warning in found.warnings)
    assert not any("idle" in reason for each in found.assignments for reason in each.reasons)


def test_container_of_a_private_group_is_known_by_its_mounts() -> None:
    container = read("k8s_v2_containerd").virtualization.container
    assert (container.value, container.source) == ("Kubernetes", "read from /proc/self/mountinfo")
