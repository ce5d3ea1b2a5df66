"""The processor's events per command, a line for each way of calling the engine."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Final

from lowlat import units
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import HARDWARE_COUNTERS, HardwareCounters
from lowlat.reports.terminal import text_lines

_MISSES: Final = {
    "branch_misses": "branch misses",
    "l1d_misses": "L1d misses",
    "llc_misses": "last-level misses",
    "dtlb_misses": "dTLB misses",
    "page_walks": "page walks",
}


def counted(report: Report) -> str | None:
    """The events of the batched pass, and of the one with a command at a time; None if none were counted."""
    ways = {
        "batched": [run.counters for run in report.runs],
        "one at a time": [run.counters_one_at_a_time for run in report.runs],
    }
    lines = {way: _line([each for each in of_runs if each is not None]) for way, of_runs in ways.items()}
    return "\n".join(f"{way}: {line}" for way, line in lines.items() if line) or None


def why_not(report: Report) -> str | None:
    """Why nothing was counted; None if something was, or if nothing was to be."""
    return report.not_available.get("runs.counters")


def typical(of_runs: Sequence[HardwareCounters]) -> dict[str, float]:
    """The median over runs of each event that was counted."""
    values = {
        name: [value for each in of_runs if (value := getattr(each, name)) is not None] for name in HARDWARE_COUNTERS
    }
    return {name: median(known) for name, known in values.items() if known}


def _line(of_runs: Sequence[HardwareCounters]) -> str:
    """Such as `61.2 instructions per command · 3.38 per cycle · 0.021 branch misses`."""
    found = typical(of_runs)
    instructions, cycles = found.get("instructions"), found.get("cycles")
    return text_lines.join(
        [
            None if instructions is None else f"{units.per_command(instructions)} instructions per command",
            None if cycles is None else f"{units.per_command(cycles)} cycles",
            f"{instructions / cycles:.2f} instructions per cycle" if instructions and cycles else None,
            *(f"{units.per_command(found[name])} {noun}" for name, noun in _MISSES.items() if name in found),
        ]
    )
