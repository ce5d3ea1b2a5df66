"""A call that fails is made again on another worker, twice, and the others are not kept waiting for it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lowlat.errors import ExitCode, InputError, LobsterError, NotValidError, RunFailedError, UsageError
from lowlat.fleet.attempts import Answered, ThisProcess, answers, attempted


def fail(error: BaseException | None) -> str:
    if error is not None:
        raise error
    return "done"


class Unlucky:
    """Workers a, b and c. The first calls of `faulty` numbers fail, so many times."""

    count, attempts_max, memory_bytes = 3, 3, None

    def __init__(self, faulty: dict[int, int]) -> None:
        self.faulty = faulty
        self.made: list[tuple[int, str]] = []

    @property
    def canceled(self) -> Callable[[], bool]:
        return bool

    def outcomes(
        self,
        function: Callable[..., Any],
        calls: Mapping[int, tuple[Any, ...]],
        avoided: Mapping[int, Sequence[str]],
        waiting: Callable[[], None],
    ) -> Iterator[Answered]:
        del waiting
        for number, arguments in calls.items():
            worker = next(each for each in "abc" if each not in avoided.get(number, ()))
            self.made.append((number, worker))
            if self.faulty.get(number, 0) > 0:
                self.faulty[number] -= 1
                yield Answered(number, 1, None, InputError("no luck"), worker)
            else:
                yield Answered(number, 1, function(*arguments), None, worker)

    def cancel(self, above: int = -1) -> None:
        raise AssertionError(above)


def test_each_attempt_is_on_another_worker_and_after_all_others() -> None:
    workers = Unlucky({1: 1, 2: 3})
    found = list(answers(workers, str, {1: (1,), 2: (2,), 3: (3,)}, lambda: None))
    assert workers.made == [(1, "a"), (2, "a"), (3, "a"), (1, "b"), (2, "b"), (2, "c")]
    assert [(each.number, each.attempts, each.value, str(each.error), each.worker) for each in found] == [
        (3, 1, "3", "None", "a"),
        (1, 2, "1", "None", "b"),
        (2, 3, None, "no luck", "c"),
    ]


def test_what_is_not_wanted_any_more_is_neither_answered_nor_tried_again() -> None:
    workers = Unlucky({2: 9, 3: 9})
    found = answers(workers, str, {1: (1,), 2: (2,), 3: (3,)}, lambda: None, wanted=lambda number: number <= 2)
    assert [(each.number, each.attempts) for each in found] == [(1, 1), (2, 3)]
    assert (3, "b") not in workers.made


def test_in_this_process_a_call_that_fails_has_no_elsewhere() -> None:
    calls = {1: (None,), 2: (InputError("no such file"),), 3: (None,)}
    found = [(each.number, each.value, repr(each.error)) for each in answers(ThisProcess(), fail, calls, bool)]
    assert found == [(1, "done", "None"), (2, None, "UsageError('no such file')"), (3, "done", "None")]


@pytest.mark.parametrize(
    ("raised", "kind", "line"),
    [
        (LobsterError(Path("day.csv"), "2 columns", row=7), UsageError, "day.csv, row 7: 2 columns"),
        (RunFailedError("it crashed", ExitCode.NOT_VALID), NotValidError, "it crashed"),
        (MemoryError(), UsageError, "not enough memory; use fewer commands or smaller pools"),
        (PermissionError(13, "Permission denied", "day.csv"), UsageError, "day.csv: Permission denied; run it with"),
    ],
)
def test_what_a_call_raises_can_be_sent_in_words(raised: Exception, kind: type[Exception], line: str) -> None:
    sent = pickle.loads(pickle.dumps(attempted(fail, raised)))
    assert type(sent.error) is kind
    assert str(sent.error).startswith(line)


@pytest.mark.parametrize("raised", [AttributeError("no such name"), KeyboardInterrupt()])
def test_a_defect_and_an_interruption_are_no_failed_call(raised: BaseException) -> None:
    answering = answers(ThisProcess(), fail, {1: (None,), 2: (raised,)}, bool)
    assert next(answering).value == "done"
    with pytest.raises(type(raised)):
        next(answering)


def test_in_this_process_what_is_canceled_is_not_begun() -> None:
    workers = ThisProcess()
    found = answers(workers, int, {1: ("1",), 2: ("2",)}, lambda: None)
    assert next(found).value == 1
    workers.cancel(above=1)
    assert list(found) == []
