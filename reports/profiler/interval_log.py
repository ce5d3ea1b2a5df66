"""Writes a profiler's samples to an interval log, interval by interval.

Nothing is recorded twice or swapped: an interval is the difference between a recorder's counts now and before. So a
log does not change the recording of a call or the profiler's summary. Exact bounds of an interval are not known; the
log format does not have them anyway.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from time import perf_counter_ns, time_ns
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram import buckets
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.histogram.hlog_writer import IntervalLog

_NOTHING: Final = np.zeros(buckets.COUNTS_LENGTH, dtype=np.uint64)


class ProfileLog:
    """The intervals of recorders by name, from now on. Names may be added at any time.

    Only one thread at a time may call `write`. Code that resets a recorder must call `forget`.
    """

    def __init__(self, recorders: Mapping[str, Recorder], log: IntervalLog, lock: threading.Lock) -> None:
        """Code that resets and forgets must hold `lock`, so that `write` does not read in between."""
        self._recorders = recorders
        self._log = log
        self._lock = lock
        # Modulo 2**64, like the differences: `forget` may make them negative.
        self._before = {name: recorder.counts for name, recorder in list(recorders.items())}
        self._end_ns = perf_counter_ns()
        self._base_ns = self._end_ns - (time_ns() - log.base_ns)

    def write_every(self, interval_ns: int, over: threading.Event) -> None:
        """Write an interval at each multiple of `interval_ns` and, once `over` is set, the rest. Then return.

        Raises `OutputPathError`.
        """
        due_ns = self._end_ns + interval_ns
        while not over.wait(max(due_ns - perf_counter_ns(), 0) / 1e9):
            self.write()
            due_ns += (max(perf_counter_ns() - due_ns, 0) // interval_ns + 1) * interval_ns
        self.write()

    def write(self) -> None:
        """Append the samples since the last call. Raises `OutputPathError`."""
        begin_ns = self._end_ns
        with self._lock:
            intervals = [(name, self._since_before(name, recorder)) for name, recorder in list(self._recorders.items())]
        self._end_ns = perf_counter_ns()
        self._log.write(begin_ns - self._base_ns, self._end_ns - self._base_ns, intervals)

    def forget(self, name: str, counts: NDArray[np.uint64]) -> None:
        """Account for a recorder that had these counts and was reset; the caller holds the lock."""
        self._before[name] = self._before.get(name, _NOTHING) - counts

    def _since_before(self, name: str, recorder: Recorder) -> Histogram:
        now = recorder.counts
        interval = Histogram.from_buckets(now - self._before.get(name, _NOTHING))
        self._before[name] = now
        return interval
