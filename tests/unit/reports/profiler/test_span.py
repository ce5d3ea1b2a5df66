"""A span object may be kept, nested and shared: no block's time is lost or given to another."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Protocol, Self

import pytest

from lowlat.reports.profiler.profiler import Profiler
from lowlat.reports.profiler.span import Span

LONG_S, SHORT_S = 0.03, 0.001


class Block(Protocol):
    def __enter__(self) -> object: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class OneStartSpan:
    """A broken span: it has one start time, which the next block overwrites."""

    def __init__(self, record: Callable[[int], None]) -> None:
        self._record = record

    def __enter__(self) -> Self:
        self._start_ns = time.perf_counter_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._record(time.perf_counter_ns() - self._start_ns)


def nested(span: Block) -> None:
    with span:
        time.sleep(LONG_S)
        with span:
            pass


def by_threads(span: Block) -> None:
    """The second thread enters just before the first leaves."""
    long_over, entered = threading.Event(), threading.Event()

    def first() -> None:
        with span:
            time.sleep(LONG_S)
            long_over.set()
            entered.wait()

    def second() -> None:
        long_over.wait()
        with span:
            entered.set()

    threads = [threading.Thread(target=target) for target in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def by_tasks(span: Block) -> None:
    """The same, by tasks of one thread; the first leaves while the second is inside."""

    async def run() -> None:
        entered = asyncio.Event()

        async def first() -> None:
            with span:
                await asyncio.sleep(LONG_S)
                other = asyncio.create_task(second())
                await entered.wait()
            await other

        async def second() -> None:
            with span:
                entered.set()
                await asyncio.sleep(SHORT_S)

        await first()

    asyncio.run(run())


def recorded(kind: Callable[[Callable[[int], None]], Block], use: Callable[[Block], None]) -> list[int]:
    durations: list[int] = []
    use(kind(durations.append))
    return sorted(durations)


@pytest.mark.parametrize("use", [nested, by_threads, by_tasks])
def test_each_block_has_its_own_time(use: Callable[[Block], None]) -> None:
    short, long = recorded(Span, use)
    assert long >= LONG_S * 1e9
    assert short < long


@pytest.mark.parametrize("use", [nested, by_threads, by_tasks])
def test_a_span_with_one_start_time_would_be_noticed(use: Callable[[Block], None]) -> None:
    durations = recorded(OneStartSpan, use)
    assert len(durations) == 2
    assert durations[0] < LONG_S * 1e9  # that of the outer block, lost
    assert use is not nested or durations[1] < LONG_S * 1e9


def test_interleaved_generators_keep_their_own_spans() -> None:
    durations: dict[str, list[int]] = {"a": [], "b": []}

    def steps(name: str) -> Iterator[None]:
        with Span(durations[name].append):
            yield

    a, b = steps("a"), steps("b")
    next(a)
    time.sleep(LONG_S)
    next(b)
    assert (next(a, None), next(b, None)) == (None, None)  # the one that entered first leaves first
    assert durations["a"][0] >= LONG_S * 1e9 > durations["b"][0]


def test_a_block_left_in_another_context_is_recorded_and_not_kept() -> None:
    """As when an event loop closes an abandoned async generator."""
    durations: list[int] = []
    span = Span(durations.append)
    contextvars.copy_context().run(span.__enter__)
    time.sleep(SHORT_S)
    span.__exit__(None, None, None)
    assert durations[0] >= SHORT_S * 1e9
    with span:
        pass
    assert len(durations) == 2


def test_spans_on_an_exit_stack() -> None:
    durations: list[int] = []
    span = Span(durations.append)
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(span)
            time.sleep(SHORT_S)
    assert durations == sorted(durations)
    assert durations[2] >= 3 * SHORT_S * 1e9


def test_the_profilers_span_can_be_kept() -> None:
    profiler = Profiler()
    span = profiler.span("outer")
    nested(span)
    histogram = profiler.histogram("outer")
    assert histogram.total == 2
    assert histogram.max_ns >= LONG_S * 1e9
