"""What a report says of the process that its engine ran as."""

from __future__ import annotations

from lowlat import units
from lowlat.reports.model.context import ExternalProcess
from lowlat.reports.terminal.text_lines import join


def source(process: ExternalProcess) -> str:
    """Version, language and command, and where it ran."""
    return join(
        [f"version {process.version}", process.language or None, process.command, f"CPU {process.cpus}"],
    )


def cost(process: ExternalProcess) -> str:
    """What talking costs without an engine at the other end; it is in every figure."""
    return (
        f"an echo takes {units.time(process.echo_ns)} one at a time, {units.time(process.batched_echo_ns)} batched, "
        f"through the same {process.transport}; of that, its own CPU time is {units.time(process.echo_cpu_ns)} and "
        f"{units.time(process.batched_echo_cpu_ns)}"
    )
