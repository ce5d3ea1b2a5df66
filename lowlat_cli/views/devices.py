"""Network cards and NVMe drives on the terminal: where each is attached, and which CPUs serve it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from lowlat.probes.topology import Device
from lowlat.text import plain_text
from lowlat_cli.views import layout


def devices_view(devices: Sequence[Device]) -> Table:
    """A row for each device; `?` where the firmware does not say the node."""
    right = ("node", "interrupts")
    made = layout.table("device", "kind", "PCI address", *right, "go to CPUs", right=right, wrap=("go to CPUs",))
    for each in devices:
        made.add_row(
            plain_text(each.name),
            plain_text(each.kind),
            plain_text(each.pci_address or "-"),
            "?" if each.node is None else str(each.node),
            str(len(each.interrupts)) if each.interrupts else "-",
            layout.cpus(each.interrupt_cpus) if each.interrupt_cpus else "-",
        )
    return made
