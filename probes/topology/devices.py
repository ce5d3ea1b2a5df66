"""Network cards and NVMe drives: the NUMA node that each is attached to, and the CPUs that serve its interrupts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lowlat.probes.cpu.cpu_sets import cpus_of_list
from lowlat.probes.host.host_tree import HostTree
from lowlat.probes.topology.model import Device, DeviceKind

DEVICES_MAX = 256
"""Devices of each kind that are looked at."""
DEVICE_INTERRUPTS_MAX = 4_096
"""Interrupts of one device; PCI allows 2,048 (MSI-X)."""
_FOLDERS: tuple[tuple[str, DeviceKind], ...] = (("sys/class/net", "network card"), ("sys/class/nvme", "NVMe drive"))
_PCI_ADDRESS = re.compile(r"^PCI_SLOT_NAME=([0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7])$", re.MULTILINE)


def read_devices(tree: HostTree) -> tuple[Device, ...]:
    """Read the devices with hardware behind them, network cards first; virtual interfaces, such as lo, have none."""
    return tuple(_read(tree, folder, name, kind) for folder, kind in _FOLDERS for name in _names(tree, folder))


def _names(tree: HostTree, folder: str) -> Iterator[str]:
    names = tree.names(folder)[:DEVICES_MAX]
    return (name for name in names if tree.exists(f"{folder}/{name}/device"))


def _read(tree: HostTree, folder: str, name: str, kind: DeviceKind) -> Device:
    device = f"{folder}/{name}/device"
    address = _PCI_ADDRESS.search(tree.text(f"{device}/uevent") or "")
    node = tree.integer(f"{device}/numa_node")
    interrupts = _interrupts(tree, device)
    return Device(
        name=name,
        kind=kind,
        pci_address=None if address is None else address[1],
        node=None if node is None or node < 0 else node,  # -1: the firmware does not say
        local_cpus=cpus_of_list(tree.text(f"{device}/local_cpulist") or "") or (),
        interrupts=interrupts,
        interrupt_cpus=tuple(sorted({cpu for number in interrupts for cpu in _affinity(tree, number)})),
    )


def _interrupts(tree: HostTree, device: str) -> tuple[int, ...]:
    """Its message-signaled interrupts; of a device without any, its line."""
    names = (name for name in tree.names(f"{device}/msi_irqs") if re.fullmatch(r"[0-9]{1,6}", name))
    numbers = sorted(map(int, names))[:DEVICE_INTERRUPTS_MAX]
    line = tree.integer(f"{device}/irq")
    return tuple(numbers) or ((line,) if line is not None and 0 < line < 1_000_000 else ())


def _affinity(tree: HostTree, number: int) -> tuple[int, ...]:
    """CPUs that an interrupt goes to now, or else may go to."""
    texts = (tree.text(f"proc/irq/{number}/{name}") for name in ("effective_affinity_list", "smp_affinity_list"))
    return next((cpus for text in texts if text and (cpus := cpus_of_list(text))), ())
