"""Calls on workers, each tried again elsewhere if it fails, and their answers as they come."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from lowlat.errors import ExitCode, LowlatError, NotValidError, UsageError
from lowlat.refusals import refusal

ATTEMPTS_MAX: Final = 3
"""The first, and two elsewhere."""


@dataclass(frozen=True, slots=True)
class Answered:
    """How a call ended, after its last attempt: with a value, or an error. `worker`: where that was, if known."""

    number: int
    attempts: int
    value: Any
    error: LowlatError | None
    worker: str | None


@dataclass(frozen=True, slots=True)
class FailedCall:
    """What a call raised, as a value: so it is known which worker it failed on."""

    error: Exception


def attempted(function: Callable[..., Any], *arguments: Any) -> Any:
    """Runs where a call is made: its value, or a `FailedCall` with an error that can be sent."""
    try:
        return function(*arguments)
    except LowlatError as error:
        kind = UsageError if error.exit_code == ExitCode.USAGE else NotValidError
        return FailedCall(kind(str(error)))
    except Exception as error:  # noqa: BLE001 (`answered` raises what nobody refused)
        refused = refusal(error)
        return FailedCall(error if refused is None else UsageError(refused))


def answered(number: int, value: Any, worker: str | None) -> Answered:
    """The answer of a call, from what `attempted` gave. A defect of ours is raised: it is the same on every worker."""
    if not isinstance(value, FailedCall):
        return Answered(number, 1, value, None, worker)
    if not isinstance(value.error, LowlatError):
        raise value.error
    return Answered(number, 1, None, value.error, worker)


class Workers(Protocol):
    """Where calls are made."""

    @property
    def count(self) -> int:
        """How many calls run at a time."""

    @property
    def attempts_max(self) -> int:
        """How often a call that fails is made; 1 where there is no elsewhere."""

    @property
    def memory_bytes(self) -> int | None:
        """What one call may allocate: the least of all workers; None: no limit is known."""

    def name_of(self, worker: str) -> str:
        """How `Answered.worker` is called in a message."""

    @property
    def canceled(self) -> Callable[[], bool]:
        """What tells a call, where it is made, that nobody waits for it any more."""

    def outcomes(
        self,
        function: Callable[..., Any],
        calls: Mapping[int, tuple[Any, ...]],
        avoided: Mapping[int, Sequence[str]],
        waiting: Callable[[], None],
    ) -> Iterator[Answered]:
        """One attempt of each call, by number, as they end. `avoided`: workers on which an attempt failed."""

    def cancel(self, above: int = -1) -> None:
        """Stop the calls with a number above this one, by default all, that are not finished."""


def answers(
    workers: Workers,
    function: Callable[..., Any],
    calls: Mapping[int, tuple[Any, ...]],
    waiting: Callable[[], None],
    wanted: Callable[[int], bool] = lambda _number: True,
) -> Iterator[Answered]:
    """The answer of each call, by its number, as they come; those that fail are tried again after all others.

    `wanted`: whether the answer of a number still counts; one that does not is dropped. Raises what a call raised that
    is neither an error of lowlat nor a refusal of the system.
    """
    left, tried = dict(calls), dict[int, list[str]]()
    for attempt in range(1, workers.attempts_max + 1):
        again: dict[int, tuple[Any, ...]] = {}
        for ended in workers.outcomes(function, left, tried, waiting):
            if not wanted(ended.number):
                continue
            if ended.error is None or attempt == workers.attempts_max:
                yield Answered(ended.number, attempt, ended.value, ended.error, ended.worker)
            else:
                again[ended.number] = left[ended.number]
                tried.setdefault(ended.number, []).extend([ended.worker] if ended.worker else [])
        left = {number: arguments for number, arguments in again.items() if wanted(number)}


@dataclass(eq=False, slots=True)
class ThisProcess:
    """One call after another, here."""

    count: int = 1
    attempts_max: int = 1
    memory_bytes: int | None = None
    _end: float = math.inf

    def name_of(self, worker: str) -> str:
        """As `Workers.name_of`: there is none."""
        return worker

    @property
    def canceled(self) -> Callable[[], bool]:
        """As `Workers.canceled`: Ctrl-C reaches this process itself."""
        return _never

    def outcomes(
        self,
        function: Callable[..., Any],
        calls: Mapping[int, tuple[Any, ...]],
        avoided: Mapping[int, Sequence[str]],
        waiting: Callable[[], None],
    ) -> Iterator[Answered]:
        """As `Workers.outcomes`."""
        del avoided  # there is no elsewhere
        for number, arguments in calls.items():
            if number > self._end:
                continue
            waiting()
            yield answered(number, attempted(function, *arguments), None)

    def cancel(self, above: int = -1) -> None:
        """As `Workers.cancel`: they are not begun."""
        self._end = above


def _never() -> bool:
    return False
