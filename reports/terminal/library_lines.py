"""What a report says of the shared library that its engine came from."""

from __future__ import annotations

from lowlat import units
from lowlat.reports.model.context import Library
from lowlat.reports.model.report import Report
from lowlat.reports.terminal.text_lines import join


def source(library: Library) -> str:
    """Version and file, and how it gives its events."""
    how = {"callback": "a callback for each event", "buffer": "events into a buffer"}[library.events]
    return join([f"version {library.version}", library.file, how])


def call_cost(library: Library) -> str:
    """What the calls cost without an engine behind them; it is in every figure."""
    return (
        f"an engine that does nothing costs {units.time(library.call_ns)} one at a time, "
        f"{units.time(library.batched_call_ns)} batched, through the same calls"
    )


def leak(report: Report) -> str | None:
    """How the heap grows, if by a byte a command or more."""
    library, commands = report.engine.library if report.engine else None, report.workload.commands
    if library is None or not commands or (library.heap_growth_bytes or 0) < commands:
        return None
    growth = library.heap_growth_bytes or 0
    return (
        f"the heap grows by {units.size(growth)} from one execution of the flow to the next: "
        f"{growth / commands:,.1f} B per command"
    )
