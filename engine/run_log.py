"""The interval log of a run: what the measuring thread records, written by another while it goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Final

from engine import _core
from engine.job import LogJob
from probes.affinity import pin
from probes.clock import ticks
from probes.clock_scale import TickScale
from reports._core import IntervalHistograms
from reports.background import in_background
from reports.interval_log import IntervalLog

INTERVAL_S: Final = 1.0
LOOK_S: Final = 0.25
"""How often the writing thread looks for an interval that is over."""


@contextmanager
def logged(
    job: LogJob, latencies: _core.Latencies, measure: str, scale: TickScale, cpus: Sequence[int]
) -> Iterator[IntervalHistograms]:
    """Log a measure of the pass in the block, a line for each operation and interval, tagged `measure/operation`.

    Gives the histograms, whose totals are those of the whole pass once the block has ended. The writing thread runs on
    `cpus`. Raises `OutputPathError` when the log cannot be written.
    """
    operations = _core.operations()
    names = [f"{measure}/{operation}" for operation in operations]
    intervals = IntervalHistograms(len(operations), max(1, round(INTERVAL_S * 1e18 / scale.to_ns(10**9))))
    latencies.log(measure, intervals)
    log = IntervalLog(Path(job.path), job.descriptor, job.base_ns)
    start_ticks, start_ns = ticks(), time.time_ns() - job.base_ns

    def after_base_ns(at_ticks: int) -> int:
        return start_ns + scale.to_ns(at_ticks - start_ticks)

    def write(over: Event) -> None:
        if cpus:
            pin(cpus)
        while not over.wait(LOOK_S):
            log.write_taken(intervals, names, after_base_ns)
        log.write_taken(intervals, names, after_base_ns)

    with in_background(write):
        yield intervals
