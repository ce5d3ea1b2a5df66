"""Network cards and NVMe drives: their node and interrupts, and a plan that starts from a card's node."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from lowlat.documents import values
from lowlat.probes.cpu.placement_node import node_of_card
from lowlat.probes.errors import AffinityError
from lowlat.probes.host.snapshot import capture, open_root
from lowlat.probes.topology import Device, Topology, read_topology
from lowlat.probes.topology.devices import DEVICES_MAX
from lowlat_cli.views.devices import devices_view

CARD = "sys/class/net/eth1/device"
DRIVE = "sys/class/nvme/nvme0/device"
HOST = {
    "sys/devices/system/cpu/online": "0-3\n",
    "sys/devices/system/node/node0/cpulist": "0-1\n",
    "sys/devices/system/node/node1/cpulist": "2-3\n",
    "sys/class/net/lo/address": "00:00:00:00:00:00\n",
    f"{CARD}/uevent": "DRIVER=mlx5_core\nPCI_CLASS=20000\nPCI_SLOT_NAME=0000:3b:00.1\n",
    f"{CARD}/numa_node": "1\n",
    f"{CARD}/local_cpulist": "2-3\n",
    f"{CARD}/msi_irqs/40": "msix\n",
    f"{CARD}/msi_irqs/41": "msix\n",
    "proc/irq/40/smp_affinity_list": "0-3\n",
    "proc/irq/40/effective_affinity_list": "2\n",
    "proc/irq/41/smp_affinity_list": "0,3\n",
    f"{DRIVE}/uevent": "PCI_SLOT_NAME=0000:5e:00.0\n",
    f"{DRIVE}/numa_node": "-1\n",
    f"{DRIVE}/irq": "17\n",
    "proc/irq/17/smp_affinity_list": "1\n",
}


def tree(root: Path, changes: dict[str, str] | None = None) -> Path:
    for name, content in {**HOST, **(changes or {})}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


def topology(root: Path) -> Topology:
    return read_topology(open_root(root))


def test_card_and_drive_with_node_and_interrupts(tmp_path: Path) -> None:
    assert topology(tree(tmp_path)).devices == (
        Device("eth1", "network card", "0000:3b:00.1", 1, (2, 3), (40, 41), (0, 2, 3)),
        Device("nvme0", "NVMe drive", "0000:5e:00.0", None, (), (17,), (1,)),
    )


def test_snapshot_has_the_same_devices(tmp_path: Path) -> None:
    root = tree(tmp_path / "host")
    capture(tmp_path / "host.tar.xz", open_root(root))
    assert topology(tmp_path / "host.tar.xz").devices == topology(root).devices


@pytest.mark.parametrize("number", ["", "²", "9" * 5_000, "-5", "1_0", "0x", "\x1b[2J"])
def test_a_number_that_is_none_is_a_node_that_is_not_told(tmp_path: Path, number: str) -> None:
    names = ("numa_node", "local_cpulist", "irq", "uevent")
    root = tree(tmp_path, {f"{CARD}/{name}": number for name in names} | {f"{CARD}/msi_irqs/{40}x": ""})
    card = topology(root).devices[0]
    assert (card.node, card.local_cpus, card.pci_address, card.interrupts) == (None, (), None, (40, 41))
    assert values(card)["node"] is None


def test_thousands_of_cards_are_not_read(tmp_path: Path) -> None:
    for number in range(DEVICES_MAX + 5):
        (tmp_path / f"sys/class/net/a{number:04}/device").mkdir(parents=True)
    assert len([each for each in topology(tree(tmp_path)).devices if each.kind == "network card"]) == DEVICES_MAX


def test_plan_starts_from_the_node_of_the_card(tmp_path: Path) -> None:
    assert node_of_card(topology(tree(tmp_path)), "eth1") == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("eht1", "did you mean 'eth1'?"),
        ("wlan7", "choose from eth1"),
        ("lo", "choose from eth1"),
        ("nvme0", "choose from eth1"),
        ("", "choose from eth1"),
    ],
)
def test_what_is_no_card_is_refused_with_a_suggestion(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(AffinityError, match="there is no such network card") as refused:
        node_of_card(topology(tree(tmp_path)), name)
    assert words in str(refused.value)


def test_host_without_a_card_says_so(tmp_path: Path) -> None:
    (tmp_path / "sys/devices/system/cpu").mkdir(parents=True)
    (tmp_path / "sys/devices/system/cpu/online").write_text("0\n")
    with pytest.raises(AffinityError, match="this host has none; leave out --nic"):
        node_of_card(topology(tmp_path), "eth1")


def test_card_whose_node_is_not_told_needs_a_node_where_there_are_several(tmp_path: Path) -> None:
    root = tree(tmp_path, {f"{CARD}/numa_node": "-1\n"})
    with pytest.raises(AffinityError, match="does not say which node"):
        node_of_card(topology(root), "eth1")
    (root / "sys/devices/system/node/node1/cpulist").unlink()
    (root / "sys/devices/system/node/node1").rmdir()
    assert node_of_card(topology(root), "eth1") is None


def test_screen_has_a_row_for_each(tmp_path: Path) -> None:
    on = Console(file=StringIO(), width=100)
    on.print(devices_view(topology(tree(tmp_path)).devices))
    assert isinstance(on.file, StringIO)
    rows = [line.split() for line in on.file.getvalue().splitlines()]
    assert ["eth1", "network", "card", "0000:3b:00.1", "1", "2", "0,2-3"] in rows
    assert ["nvme0", "NVMe", "drive", "0000:5e:00.0", "?", "1", "1"] in rows
