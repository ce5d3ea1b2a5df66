"""The interval log of a run: a second thread writes what the measuring thread records."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

from lowlat.engine import _core
from lowlat.engine.bench.protocol import LogJob
from lowlat.errors import OutputPathError
from lowlat.probes.clock.counter import ticks
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.cpu.affinity import pin
from lowlat.reports._core import IntervalHistograms
from lowlat.reports.histogram.hlog_writer import IntervalLog
from lowlat.reports.profiler.background import in_background

INTERVAL_S: Final = 1.0
LOOK_S: Final = 0.25
"""How often the writing thread checks for a finished interval."""


@dataclass(slots=True)
class RunLog:
    """An open log. `intervals`: their totals cover the whole pass once it has ended. `fault`: why the file lacks
    intervals; the totals include them anyway."""

    intervals: IntervalHistograms
    fault: str | None = None


@contextmanager
def logged(
    job: LogJob, latencies: _core.Latencies, measure: str, scale: TickScale, cpus: Sequence[int]
) -> Iterator[RunLog]:
    """Log a measure during the `with` block: a line per operation and interval, tagged `measure/operation`.

    The writing thread runs on `cpus`.
    """
    operations = _core.operations()
    names = [f"{measure}/{operation}" for operation in operations]
    under_way = RunLog(IntervalHistograms(len(operations), round(INTERVAL_S * 1e18 / scale.to_ns(10**9))))
    latencies.log(measure, under_way.intervals)
    log = IntervalLog(Path(job.path), job.descriptor, job.base_ns)
    start_ticks, start_ns = ticks(), time.time_ns() - job.base_ns

    def after_base_ns(at_ticks: int) -> int:
        return start_ns + scale.to_ns(at_ticks - start_ticks)

    def write_taken() -> None:
        try:
            if under_way.fault is None:
                log.write_taken(under_way.intervals, names, after_base_ns)
        except OutputPathError as error:
            under_way.fault = str(error)
        while under_way.fault is not None and under_way.intervals.take():
            pass

    def write(over: Event) -> None:
        if cpus:
            pin(cpus)
        while not over.wait(LOOK_S):
            write_taken()
        write_taken()

    with in_background(write):
        yield under_way
