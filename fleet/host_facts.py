"""What hosts of a fleet can differ in, as text: read in milliseconds by each worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.host.facts import host_facts
from lowlat.probes.host.host_tree import LIVE, HostTree
from lowlat.probes.host.vulnerabilities import microcode

HARDWARE: Final = ("processor", "CPUs", "machine")
"""The facts that two hosts of one group have in common, beside the kernel."""
KERNEL: Final = "kernel"
_DMI: Final = "sys/class/dmi/id"


def differing_facts(tree: HostTree = LIVE) -> dict[str, str]:
    """The facts by name. One that the host does not tell is left out."""
    return {name: text for name, text in _facts(tree) if text}


def _facts(tree: HostTree) -> Iterator[tuple[str, str | None]]:
    read = host_facts(tree)
    isolated, cpus = read.isolated_cpus.value, read.logical_cpus.value
    memory, turbo = read.memory_total_bytes.value, read.turbo.value
    yield "processor", read.cpu_brand.value
    yield "CPUs", None if cpus is None else str(cpus)
    yield "machine", _joined(tree, "sys_vendor", "product_name")
    yield KERNEL, read.kernel_release.value
    yield "microcode", microcode(tree).value
    yield "BIOS", _joined(tree, "bios_vendor", "bios_version", "bios_date")
    yield "governor", read.governor.value
    yield "turbo", None if turbo is None else ("on" if turbo else "off")
    yield "kernel command line", read.kernel_cmdline.value
    yield "isolated CPUs", None if isolated is None else format_cpu_list(isolated) or "none"
    yield "clock source", read.clocksource.value
    yield "transparent huge pages", read.transparent_huge_pages.value
    yield "virtualization", read.virtualization.text
    yield "memory", None if memory is None else f"{memory / (1 << 30):.1f} GiB"


def _joined(tree: HostTree, *names: str) -> str:
    found = [(tree.text(f"{_DMI}/{name}") or "").strip() for name in names]
    return " ".join(text for text in found if text)
