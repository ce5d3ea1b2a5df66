"""Whatever can be called is recorded once a call, with the time of its work; what only creates an object is refused."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import time
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any

import pytest

from lowlat.errors import UsageError
from lowlat.reports.profiler.profiler import LatencyProfile, Profiler

SLEPT_S = 0.01
SLEPT_NS = 10_000_000


def pause(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


async def wait(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


@types.coroutine
def wait_old(seconds: float) -> Generator[Any, None, float]:
    yield from wait(seconds).__await__()
    return seconds


class Pause:
    def __call__(self, seconds: float) -> float:
        return pause(seconds)

    def method(self, seconds: float) -> float:
        return pause(seconds)


class Wait:
    async def __call__(self, seconds: float) -> float:
        return await wait(seconds)


def numbers(count: float = 1) -> Iterator[float]:
    yield count


async def later(count: float = 1) -> AsyncIterator[float]:
    yield count


class Numbers:
    def __call__(self) -> Iterator[int]:
        yield 1


def only_row(profiler: Profiler) -> LatencyProfile:
    (row,) = profiler.summary()
    return row


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (pause, f"{__name__}.pause"),
        (functools.partial(pause), f"{__name__}.pause"),
        (functools.partial(functools.partial(pause)), f"{__name__}.pause"),
        (functools.partial(Pause()), f"{__name__}.Pause"),
        (Pause(), f"{__name__}.Pause"),
        (Pause().method, f"{__name__}.Pause.method"),
        (time.sleep, "time.sleep"),
        (staticmethod(pause), f"{__name__}.pause"),
    ],
)
def test_any_callable_is_recorded_under_its_name(function: Callable[[float], object], name: str) -> None:
    profiler = Profiler()
    assert profiler.profile(function)(SLEPT_S) in (SLEPT_S, None)
    row = only_row(profiler)
    assert (row.name, row.calls) == (name, 1)
    assert row.max_ns >= SLEPT_NS


def test_a_method_of_a_built_in_class_has_a_name() -> None:
    profiler = Profiler()
    assert profiler.profile(str.upper)("a") == "A"
    assert only_row(profiler).name == "builtins.str.upper"


@pytest.mark.parametrize(
    "function",
    [wait, functools.partial(wait), lambda seconds: wait(seconds + 0), Wait(), Wait().__call__, wait_old],
    ids=["function", "partial", "lambda", "object", "method", "types.coroutine"],
)
def test_a_coroutine_is_recorded_while_it_is_awaited(function: Callable[[float], Awaitable[float]]) -> None:
    profiler = Profiler()
    timed = profiler.profile(function)

    async def call() -> float:
        created = timed(SLEPT_S)
        assert profiler.summary() == []  # nothing has run yet
        return await created

    assert asyncio.run(call()) == SLEPT_S
    row = only_row(profiler)
    assert row.calls == 1
    assert row.max_ns >= SLEPT_NS


def test_a_coroutine_of_a_lambda_that_raises_is_recorded_and_raises() -> None:
    async def fail(key: str) -> None:
        await asyncio.sleep(SLEPT_S)
        raise KeyError(key)

    profiler = Profiler()
    with pytest.raises(KeyError):
        asyncio.run(profiler.profile(lambda: fail("x"))())  # type: ignore[arg-type]
    assert only_row(profiler).max_ns >= SLEPT_NS


def test_an_object_with_an_async_call_stays_a_coroutine_function() -> None:
    assert inspect.iscoroutinefunction(Profiler().profile(Wait()))


def test_a_future_is_recorded_when_done_and_stays_the_same_object() -> None:
    profiler = Profiler()

    async def call() -> None:
        tasks: list[asyncio.Task[float]] = []

        def start() -> asyncio.Task[float]:
            tasks.append(asyncio.create_task(wait(SLEPT_S)))
            return tasks[0]

        started = profiler.profile(start)()
        assert started is tasks[0]
        assert await started == SLEPT_S
        await asyncio.sleep(0)  # the callbacks of a done future run in the loop's next turn

    asyncio.run(call())
    row = only_row(profiler)
    assert row.calls == 1
    assert row.max_ns >= SLEPT_NS


@pytest.mark.parametrize(
    "function", [numbers, later, functools.partial(numbers, 2), Numbers(), functools.partial(Numbers())]
)
def test_a_generator_function_is_refused(function: Callable[[], object]) -> None:
    profiler = Profiler()
    with pytest.raises(UsageError, match=r"only creates a generator; use span\(\) inside it"):
        profiler.profile(function)
    with pytest.raises(UsageError, match="names: none"):
        profiler.histogram("anything")


class Promise:
    def __await__(self) -> Generator[None, None, None]:
        yield


@pytest.mark.parametrize(
    ("function", "created"),
    [
        (lambda: numbers(2), "generator"),
        (lambda: later(2), "async_generator"),
        (contextlib.contextmanager(numbers), "GeneratorContextManager"),
        (contextlib.asynccontextmanager(later), "AsyncGeneratorContextManager"),
        (Promise, "Promise"),
    ],
)
def test_a_call_that_turns_out_to_create_an_object_is_refused(function: Callable[[], object], created: str) -> None:
    """Its time would be that of the creation, not of the work."""
    profiler = Profiler()
    timed = profiler.profile(function)
    with pytest.raises(UsageError, match=rf"a call only creates a {created}; use span\(\) inside it"):
        timed()
    assert profiler.summary() == []


@pytest.mark.parametrize("described", [classmethod(Pause), property(numbers)])
def test_a_descriptor_is_refused_where_it_is_decorated(described: object) -> None:
    with pytest.raises(UsageError, match="cannot be called; put the profiler's decorator below it"):
        Profiler().profile(described)  # type: ignore[arg-type]
