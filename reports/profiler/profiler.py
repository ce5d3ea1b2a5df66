"""Latency profiles of Python code: a decorator and a context manager that record into native histograms.

    profiler = Profiler()

    @profiler.profile
    def handle(message): ...

    with profiler.span("encode"):
        ...

    print(profiler.table())
    print(profiler.summary()[0].p99_ns)

    with profiler.log_to("latencies.hlog"):  # an interval a second, while the program runs
        serve()

Times come from `time.perf_counter_ns`, the monotonic clock of the host; a call that raises is recorded too. To measure
the overhead per call:

    python -m timeit -s "from lowlat.reports.profiler import Profiler; f = Profiler().profile(lambda: None)" "f()"
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter_ns
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from lowlat.arguments import checked_path, checked_seconds
from lowlat.errors import UsageError
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram.histogram import FEW_BEYOND, Histogram
from lowlat.reports.histogram.hlog_writer import IntervalLog, interval_log
from lowlat.reports.model.bands import bands
from lowlat.reports.model.results import Band
from lowlat.reports.profiler.background import in_background
from lowlat.reports.profiler.interval_log import ProfileLog
from lowlat.reports.profiler.span import Span
from lowlat.reports.profiler.timed import check_timeable, name_of, timed
from lowlat.text import shown
from lowlat.uncopied import Uncopied

if TYPE_CHECKING:
    from lowlat.reports.profiler.profile_table import ProfileTable

P = ParamSpec("P")
R = TypeVar("R")

INTERVAL_S_MIN: Final = 0.001
INTERVAL_S_MAX: Final = 86_400.0
"""Bounds of a log's intervals: its times are whole milliseconds, and a day without a line tells nobody anything."""

_PERCENTS = ("50", "95", "99", "99.9")


@dataclass(frozen=True, slots=True)
class LatencyProfile:
    """The samples of one name; times in nanoseconds, percentiles of ceiling rank."""

    name: str
    calls: int
    calls_per_s: float
    """Calls per second since the profiler was made or reset."""
    mean_ns: float
    p50_ns: int
    p95_ns: int
    p99_ns: int
    p99_9_ns: int
    max_ns: int
    bands: tuple[Band, ...]
    p99_is_few: bool
    """Whether fewer than 10 samples lie beyond p99: not significant."""


class Profiler(Uncopied):
    """Latency histograms by name.

    Any number of threads and tasks may record and read at once: recording is one native call that holds the GIL. Each
    name takes 272 KiB.
    """

    def __init__(self) -> None:
        self._recorders: dict[str, Recorder] = {}
        self._logs: list[ProfileLog] = []
        self._logs_lock = threading.Lock()
        self._since_ns = perf_counter_ns()

    def profile(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate a callable so that every call is recorded under its qualified name.

        A `functools.partial` is recorded as what it calls, a callable object under the name of its class. For a
        coroutine function, or any callable that returns a coroutine, records the time from the first step to the last,
        including waiting; for one that returns an asyncio future, the time from the call until it is done. Raises
        `UsageError` for a generator function, whose call only creates the generator; a callable that turns out to
        return a generator, a context manager made of one, or another awaitable raises it when called.
        """
        name = name_of(function)
        check_timeable(function, name)
        return timed(function, name, self._recorder(name).record)

    def span(self, name: str) -> Span:
        """A context manager that records the time spent in its block. It can be kept and shared.

        Raises `UsageError` for a name that is not a text.
        """
        if not isinstance(name, str):
            raise UsageError(f"a span is named by a text, not by {shown(name)}")
        return Span(self._recorder(name).record)

    def histogram(self, name: str) -> Histogram:
        """Everything recorded under a name. Raises `UsageError` for an unknown name."""
        given: object = name
        if not isinstance(given, str) or given not in self._recorders:
            raise UsageError(f"nothing is profiled as {shown(name)}; names: {', '.join(self._recorders) or 'none'}")
        return Histogram.from_native(self._recorders[name])

    def summary(self) -> list[LatencyProfile]:
        """One row for each name with at least one call, in order of first use."""
        elapsed_s = (perf_counter_ns() - self._since_ns) / 1e9
        histograms = [(name, self.histogram(name)) for name in list(self._recorders)]
        return [_row(name, histogram, elapsed_s) for name, histogram in histograms if histogram.total]

    def reset(self) -> None:
        """Discard all samples; decorated functions continue to record, and logs lose no samples."""
        with self._logs_lock:
            for name, recorder in list(self._recorders.items()):
                forgotten = recorder.take().counts
                for log in self._logs:
                    log.forget(name, forgotten)
        self._since_ns = perf_counter_ns()

    @contextmanager
    def log_to(self, path: str | os.PathLike[str], interval_s: float = 1.0) -> Iterator[None]:
        """Write the samples recorded during the block to an HdrHistogram interval log (`hlog_writer.py`).

        A thread appends a line for each name with calls in an interval and, when the block ends or raises, for the rest
        of the last interval. The log replaces an existing regular file. With several logs at once, each gets all
        samples. Raises `OutputPathError` if the file cannot be written (before the block) or a write failed (after it),
        and `UsageError` for an interval that is not from 1 ms to a day.
        """
        interval_s = checked_seconds("interval_s", interval_s)
        if not INTERVAL_S_MIN <= interval_s <= INTERVAL_S_MAX:
            raise UsageError(
                f"an interval of {interval_s} s: expected {INTERVAL_S_MIN} to {INTERVAL_S_MAX:,.0f} seconds"
            )
        with (
            interval_log(checked_path("path", path)) as file,
            self._logged(file) as log,
            in_background(functools.partial(log.write_every, round(interval_s * 1e9))),
        ):
            yield

    @contextmanager
    def _logged(self, file: IntervalLog) -> Iterator[ProfileLog]:
        with self._logs_lock:
            log = ProfileLog(self._recorders, file, self._logs_lock)
            self._logs.append(log)
        try:
            yield log
        finally:
            with self._logs_lock:
                self._logs.remove(log)

    def table(self) -> ProfileTable:
        """The summary as a rich table; `print` shows it as text, and a notebook as HTML."""
        from lowlat.reports.profiler.profile_table import ProfileTable

        return ProfileTable(self.summary())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    def _recorder(self, name: str) -> Recorder:
        # setdefault is atomic: two concurrent threads get the same recorder.
        return self._recorders.get(name) or self._recorders.setdefault(name, Recorder())


def _row(name: str, histogram: Histogram, elapsed_s: float) -> LatencyProfile:
    p50, p95, p99, p99_9 = histogram.percentiles(_PERCENTS)
    return LatencyProfile(
        name=name,
        calls=histogram.total,
        calls_per_s=histogram.total / elapsed_s,
        mean_ns=histogram.mean_ns,
        p50_ns=p50.value_ns,
        p95_ns=p95.value_ns,
        p99_ns=p99.value_ns,
        p99_9_ns=p99_9.value_ns,
        max_ns=histogram.max_ns,
        bands=bands(histogram),
        p99_is_few=p99.beyond < FEW_BEYOND,
    )
