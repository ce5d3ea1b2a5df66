"""What a profiler records, interval by interval, into an interval log.

Nothing is recorded twice or swapped: an interval is what a recorder holds now less what it held before. So a call does
what it does without a log, and the profiler's own summary does not know of one. Exact bounds of an interval are not
known; the log would not hold them anyway.
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

    `write` is for one thread at a time; `forget` for whoever resets a recorder.
    """

    def __init__(self, recorders: Mapping[str, Recorder], log: IntervalLog, lock: threading.Lock) -> None:
        """`lock`, held by whoever resets and forgets, keeps `write` from looking in between."""
        self._recorders = recorders
        self._log = log
        self._lock = lock
        # Modulo 2**64, as are the differences to them: `forget` may take them below zero.
        self._before = {name: recorder.counts for name, recorder in list(recorders.items())}
        self._end_ns = perf_counter_ns()
        self._base_ns = self._end_ns - (time_ns() - log.base_ns)

    def write_every(self, interval_ns: int, over: threading.Event) -> None:
        """Write an interval at each multiple of `interval_ns` and, once `over` is set, what is left. Then return.

        Raises `OutputPathError`.
        """
        due_ns = self._end_ns + interval_ns
        while not over.wait(max(due_ns - perf_counter_ns(), 0) / 1e9):
            self.write()
            due_ns += (max(perf_counter_ns() - due_ns, 0) // interval_ns + 1) * interval_ns
        self.write()

    def write(self) -> None:
        """Append what was recorded since the last time. Raises `OutputPathError`."""
        begin_ns = self._end_ns
        with self._lock:
            intervals = [(name, self._since_before(name, recorder)) for name, recorder in list(self._recorders.items())]
        self._end_ns = perf_counter_ns()
        self._log.write(begin_ns - self._base_ns, self._end_ns - self._base_ns, intervals)

    def forget(self, name: str, counts: NDArray[np.uint64]) -> None:
        """Take into account that a recorder held these counts and was reset; the lock is held."""
        self._before[name] = self._before.get(name, _NOTHING) - counts

    def _since_before(self, name: str, recorder: Recorder) -> Histogram:
        now = recorder.counts
        interval = Histogram.from_buckets(now - self._before.get(name, _NOTHING))
        self._before[name] = now
        return interval
