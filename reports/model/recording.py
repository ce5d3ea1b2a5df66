"""What a report on another program consists of: its latencies, and nothing that only a measurement by lowlat has.

Made from this when it is written, and compared with it when it is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from lowlat.reports.model.context import Clock, Load, Workload
from lowlat.reports.model.results import HotPath, OsNoise, Run

RECORDED: Final = "recorded"
"""The load model of such a report, and the measure of latencies of which nothing else is known."""

_NOTHING_COUNTED: Final = OsNoise(
    wall_ns=0,
    involuntary_switches=None,
    voluntary_switches=None,
    migrations=None,
    minor_faults=None,
    major_faults=None,
    timer_interrupts=None,
    steal_ns=None,
    largest_gap_ns=None,
    noisy=None,
    reasons=(),
)
RUN_PARTS: Final[dict[str, Any]] = {
    "throughput": None,
    "timed": None,
    "one_at_a_time": None,
    "os_noise": _NOTHING_COUNTED,
    "late_ns": None,
    "passes": 1,
    "least_cpu_ns": None,
    "quiet": (),
}
"""The fields of a run besides its series and its time."""

_CLOCK: Final = Clock(source="unknown", frequency_hz=None, uncertainty_ppm=None, read_cost_ns=None, step_ns=None)
_HOT_PATH: Final = HotPath(
    allocations=None,
    page_faults=None,
    involuntary_switches=None,
    memory={},
    huge_page_bytes=None,
    locked=None,
    numa_node=None,
)


def report_parts(name: str, notes: tuple[str, ...], runs: Sequence[Run]) -> dict[str, Any]:
    """The fields of a report that follow from the name of the recording and from its runs, or are empty."""
    return {
        "engine": None,
        "workload": Workload(
            profile=name,
            seed=None,
            commands=None,
            mix={},
            live_orders=None,
            levels=None,
            depth_touched=None,
            trades=None,
            hash=None,
            notes=notes,
        ),
        "load": _load(sum(map(operations_in, runs))),
        "clock": _CLOCK,
        "budget": (),
        "budget_class": None,
        "hot_path": _HOT_PATH,
        "verification": None,
        "gate": None,
        "baselines": None,
        "journal": None,
        "topology": None,
        "placement": None,
    }


def operations_in(run: Run) -> int:
    """How many operations a run has latencies of: of those with several measures, each counts once."""
    counts: dict[str, int] = {}
    for measure in dict.fromkeys(series.measure for series in run.series):
        own = [series for series in run.series if series.measure == measure]
        whole = [series.count for series in own if series.op == "all"]
        counts[measure] = sum(whole or [series.count for series in own])
    return max(counts.values(), default=0)


def _load(operations: int) -> Load:
    return Load(
        model="recorded",
        target_rate=None,
        achieved_rate=None,
        sent=operations,
        acked=operations,
        rejected=0,
        out_of_range=0,
    )
