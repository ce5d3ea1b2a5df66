"""Interrupts on the terminal: a row for each device, with the CPUs that its interrupts may go to."""

from __future__ import annotations

import re
from itertools import groupby

from rich.console import RenderableType

from lowlat.probes.reading import Reading
from lowlat.probes.topology import Interrupt
from lowlat.text import plain_text
from lowlat_cli.views import layout


def interrupts_view(reading: Reading[tuple[Interrupt, ...]]) -> RenderableType:
    """A row for each device; where its queues have different CPUs, all of these in order."""
    if reading.value is None:
        return layout.facts([("interrupts", layout.missing(reading))])
    of_device: dict[str, list[Interrupt]] = {}
    for interrupt in reading.value:
        of_device.setdefault(device(interrupt.name), []).append(interrupt)
    made = layout.table("device", "interrupts", "may go to CPUs", right=("interrupts",), wrap=("may go to CPUs",))
    for name, interrupts in of_device.items():
        affinities = [cpus for cpus, _ in groupby(each.cpus for each in interrupts)]
        names = {each.name for each in interrupts}
        shown = name if len(names) > 1 else names.pop() or name  # i8042 and ttyS0 have no queues
        made.add_row(plain_text(shown), str(len(interrupts)), layout.groups(affinities))
    return made


def device(name: str | None) -> str:
    """The device of an interrupt, without its queue: `nvme0` of `nvme0q3`, `eth0` of `eth0-TxRx-7`."""
    if not name:
        return "unused"
    before = name.partition("-")[0] if "-" in name else re.sub(r"q?[0-9]+$", "", name.partition("@")[0])
    return before or name
