"""The context manager of `Profiler.span`."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from time import perf_counter_ns
from types import TracebackType
from typing import Final, Self


class Span:
    """Times its block. One object may be entered again before it is left, by one or several threads, tasks or
    generators: each block is recorded with its own duration.
    """

    __slots__ = ("_latest", "_record")

    def __init__(self, record: Callable[[int], None]) -> None:
        self._record = record

    def __enter__(self) -> Self:
        outer = _innermost.get()
        while outer is not None and outer.left:
            outer = outer.outer
        entered = self._latest = _Entered(self, outer)
        _innermost.set(entered)
        entered.start_ns = perf_counter_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end_ns = perf_counter_ns()
        entered = innermost = _innermost.get()
        while entered is not None and (entered.left or entered.span is not self):
            entered = entered.outer
        if entered is None:  # left in another context than entered, as an abandoned async generator is
            entered = self._latest
        entered.left = True
        if entered is innermost:
            _innermost.set(entered.outer)
        self._record(end_ns - entered.start_ns)


class _Entered:
    """A block that was entered, and the one around it in its context."""

    __slots__ = ("left", "outer", "span", "start_ns")
    start_ns: int

    def __init__(self, span: Span, outer: _Entered | None) -> None:
        self.span = span
        self.outer = outer
        self.left = False


# Each thread and each task has its own context. A task starts with a copy of its creator's, so it may see blocks that
# are not its own; its own are innermost.
_innermost: Final[ContextVar[_Entered | None]] = ContextVar("lowlat_span", default=None)
