"""Which CPUs the devices' interrupts may go to."""

from __future__ import annotations

import re

from lowlat.probes.cpu.cpu_sets import cpus_of_list
from lowlat.probes.host.host_tree import HostTree
from lowlat.probes.reading import Reading, known
from lowlat.probes.topology.model import Interrupt

IRQ_FOLDER = "proc/irq"


def read_interrupts(tree: HostTree) -> Reading[tuple[Interrupt, ...]]:
    """Read the numbered interrupts, with the names of their devices; those of a CPU itself have no affinity."""
    names = _names(tree.text("proc/interrupts") or "")
    numbers = sorted(int(name) for name in tree.names(IRQ_FOLDER) if re.fullmatch(r"[0-9]{1,6}", name))
    found = []
    for number in numbers:
        cpus = cpus_of_list(tree.text(f"{IRQ_FOLDER}/{number}/smp_affinity_list") or "")
        if cpus:
            found.append(Interrupt(number, names.get(number), cpus))
    if not found:
        return tree.absence(f"read from /{IRQ_FOLDER}", "the kernel shows no interrupt's affinity", IRQ_FOLDER)
    return known(tuple(found), f"read from /{IRQ_FOLDER}/N/smp_affinity_list")


def _names(text: str) -> dict[int, str]:
    """The devices of each interrupt: what follows its counts, chip and trigger."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"\s*([0-9]{1,6}):(?:\s+[0-9]+)+\s+(\S.*)", line)
        if match is not None:
            after_trigger = re.split(r"(?:-| )(?:edge|level|fasteoi)\s+", match[2], maxsplit=1, flags=re.IGNORECASE)
            found[int(match[1])] = after_trigger[-1].strip() if len(after_trigger) > 1 else match[2].split()[-1]
    return found
