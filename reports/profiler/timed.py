"""Wraps a callable so that each call is recorded once, when its work has ended."""

from __future__ import annotations

import contextlib
import functools
import inspect
import types
from collections.abc import Awaitable, Callable, Coroutine
from time import perf_counter_ns
from typing import Any, Final, ParamSpec, TypeVar, cast

from lowlat.errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")
Record = Callable[[int], None]

# A call that returns one of these has done none of its work.
_STARTED_LATER: Final = frozenset(
    {
        types.GeneratorType,
        types.AsyncGeneratorType,
        contextlib._GeneratorContextManager,
        contextlib._AsyncGeneratorContextManager,
    }
)


def timed(function: Callable[P, R], name: str, record: Record) -> Callable[P, R]:
    """`function`, which passed `check_timeable`, recorded."""
    if inspect.iscoroutinefunction(_called(function)):
        return cast("Callable[P, R]", _timed_coroutine_function(cast("Callable[P, Awaitable[Any]]", function), record))
    return _timed_function(function, name, record)


def check_timeable(function: object, name: str) -> None:
    """Raise `UsageError` for a generator function, and for what cannot be called."""
    if not callable(function):
        raise UsageError(
            f"cannot profile {name}: a {type(function).__name__} cannot be called; "
            "put the profiler's decorator below it"
        )
    called = _called(function)
    code = getattr(called, "__code__", None)
    of_coroutine = code is not None and bool(code.co_flags & inspect.CO_ITERABLE_COROUTINE)  # by types.coroutine
    if (inspect.isgeneratorfunction(called) and not of_coroutine) or inspect.isasyncgenfunction(called):
        raise _creates_only(name, "generator")


def name_of(function: object) -> str:
    """Module and qualified name: of a function, of what a partial calls, of the class of any other object."""
    while isinstance(function, functools.partial):
        function = function.func
    named = function if hasattr(function, "__qualname__") else type(function)
    owner = getattr(named, "__objclass__", named)  # a method of a built-in class has no module
    return f"{getattr(owner, '__module__', None) or 'builtins'}.{named.__qualname__}"


def _called(function: object) -> object:
    """The function that a call executes: for a callable object, its class's `__call__`."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function) or inspect.isclass(function):
        return function
    return type(function).__call__


def _creates_only(name: str, what: str) -> UsageError:
    return UsageError(f"cannot profile {name}: a call only creates a {what}; use span() inside it")


def _timed_function(function: Callable[P, R], name: str, record: Record) -> Callable[P, R]:
    plain: type = type(None)  # the last type seen that needs no second look: most functions return only one

    @functools.wraps(function)
    def timed(*args: P.args, **kwargs: P.kwargs) -> R:
        nonlocal plain
        start_ns = perf_counter_ns()
        try:
            result = function(*args, **kwargs)
        except BaseException:
            record(perf_counter_ns() - start_ns)
            raise
        end_ns = perf_counter_ns()
        kind: type = type(result)
        if kind is not plain:
            if kind in _STARTED_LATER or hasattr(kind, "__await__"):
                return cast("R", _when_awaited(result, name, record, start_ns))
            plain = kind
        record(end_ns - start_ns)
        return result

    return timed


def _timed_coroutine_function(function: Callable[P, Awaitable[Any]], record: Record) -> Callable[P, Awaitable[Any]]:
    @functools.wraps(function)
    async def timed(*args: P.args, **kwargs: P.kwargs) -> Any:
        start_ns = perf_counter_ns()
        try:
            return await function(*args, **kwargs)
        finally:
            record(perf_counter_ns() - start_ns)

    return timed


def _when_awaited(result: Any, name: str, record: Record, start_ns: int) -> Any:
    """What the call returns instead of `result`, which is yet to be awaited.

    A coroutine (of `async def`, Cython or `types.coroutine`) runs from its first step on. A future is under way since
    the call, and stays the same object: code compares and cancels it. Any other object may have more to it than being
    awaited, so it is not replaced.
    """
    if isinstance(result, Coroutine) or (inspect.isgenerator(result) and inspect.isawaitable(result)):
        return _recorded(result, record)
    if hasattr(result, "_asyncio_future_blocking"):  # what asyncio itself looks for; see asyncio.isfuture
        result.add_done_callback(lambda _: record(perf_counter_ns() - start_ns))
        return result
    raise _creates_only(name, type(result).__name__.strip("_"))


async def _recorded(started_later: Coroutine[Any, Any, Any], record: Record) -> Any:
    start_ns = perf_counter_ns()
    try:
        return await started_later
    finally:
        record(perf_counter_ns() - start_ns)
