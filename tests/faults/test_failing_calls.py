"""Every verb, while calls of the C library fail one at a time: the Nth read, write, mmap, pthread_create, fork ...

Each command ends with a documented exit code and one line, leaves nothing half-written, and does not hang. The fast
tests take a sample; `test_every_call_fails_once`, which `make faults` runs, takes every kind of call.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from tests.faults.commands import INSPECTING, MEASURING, Command
from tests.faults.judge import Outcome, problems
from tests.faults.plan import ERRORS, Fault, Role, Seen
from tests.faults.runner import Runner, prepared
from tests.waiting import wait_until
from tests.warm_start import Started

COMPILER: Final = shutil.which("c++")
SEED: Final = 12
FAULTS: Final = int(os.environ.get("LOWLAT_FAULTS", "4"))
"""In the campaign, so many calls of each kind fail, spread over all of them; a quarter of a command with runs, which
takes seconds. `LOWLAT_FAULTS=160` is a campaign of hours."""

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler here")


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Runner]:
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    home = tmp_path_factory.mktemp("faults")
    runner = Runner(home, *prepared(shared, str(COMPILER)))
    try:
        yield runner
    finally:
        runner.close()


def sampled(counts: dict[tuple[Role, str], int], size: int, seed: str) -> list[Fault]:
    """So many failures, each of another kind of call as far as there are kinds."""
    rng = random.Random(f"{SEED} {seed}")
    kinds = [kind for kind, count in counts.items() if count]
    chosen = [kind for _ in range(-(-size // len(kinds))) for kind in rng.sample(kinds, len(kinds))][:size]
    return [fault_of(rng, role, call, rng.randrange(counts[role, call])) for role, call in chosen]


def fault_of(rng: random.Random, role: Role, call: str, nth: int) -> Fault:
    return Fault(role, call, nth, rng.choice(ERRORS[call]), onward=rng.random() < 0.25)


def wrongs(runner: Runner, command: Command, faults: list[Fault]) -> list[str]:
    """What is wrong after each failure."""
    found = []
    for fault in faults:
        outcome = runner.run(command, fault)
        if wrong := problems(command, fault, outcome):
            found.append(f"{fault} ({outcome.seen.where}): {'; '.join(wrong)}\n{outcome.stderr}")
    return found


def counted(runner: Runner, command: Command) -> dict[tuple[Role, str], int]:
    """How often the command makes each kind of call, when nothing fails."""
    whole = runner.run(command, None)
    assert problems(command, None, whole) == [], whole.stderr
    return whole.seen.counts


def each_of(commands: tuple[Command, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "command", [pytest.param(each, id=each.name, marks=[pytest.mark.slow] * each.costly) for each in commands]
    )


@each_of(INSPECTING)
def test_a_failing_call_is_an_error_in_words(runner: Runner, command: Command) -> None:
    assert wrongs(runner, command, sampled(counted(runner, command), 4, command.name)) == []


@each_of(MEASURING)
def test_a_failing_call_in_a_run_is_an_error_in_words(runner: Runner, command: Command) -> None:
    assert wrongs(runner, command, sampled(counted(runner, command), 2, command.name)) == []


@pytest.mark.campaign
@pytest.mark.parametrize("command", [*INSPECTING, *MEASURING], ids=lambda command: command.name)
def test_every_call_fails_once(runner: Runner, command: Command) -> None:
    rng = random.Random(SEED)
    most = -(-FAULTS // 4) if command in MEASURING else FAULTS
    faults = [
        fault_of(rng, role, call, nth)
        for (role, call), count in counted(runner, command).items()
        for nth in sorted(rng.sample(range(count), min(count, most)))
    ]
    assert wrongs(runner, command, faults) == []


REPORT = Command(("report", "in/a.json", "-o", "a.json", "--json"), "a.json")
LINE = "lowlat: error: cannot write a.json: No space left on device\n"


def outcome(code: int, stdout: str = "", stderr: str = LINE, **rest: object) -> Outcome:
    return Outcome(code, stdout, stderr, **rest)  # type: ignore[arg-type]


def test_what_is_right_passes(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    assert problems(REPORT, None, outcome(2)) == []
    assert problems(REPORT, None, outcome(0, "{}", "", files={"a.json": tmp_path / "a.json"})) == []


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (outcome(70), "exit code 70"),
        (outcome(1), "exit code 1"),
        (outcome(130), "exit code 130"),
        (outcome(-11), "killed by SIGSEGV"),
        (outcome(2, stderr=""), "0 lines say what is wrong"),
        (outcome(2, stderr=LINE * 2), "2 lines say what is wrong"),
        (outcome(2, stderr=f"Traceback (most recent call last):\n{LINE}"), "not a line of lowlat"),
        (outcome(2, '{"schema": 1}'), "printed a result, though it failed"),
        (outcome(0, '{"schema"', ""), "printed half a document"),
        (outcome(0, "", ""), "ended well, but printed nothing"),
        (outcome(0, "{}", ""), "ended well, but wrote no a.json"),
        (outcome(2, temporary=("lowlat-books-x",)), "left lowlat-books-x"),
        (outcome(2, files={".lowlat-1.tmp": Path("x")}), r"left .lowlat-1.tmp"),
        (outcome(2, files={"a.json": Path("missing.json")}), "wrote half of a.json"),
        (outcome(2, seen=Seen({("command", "open"): 3}, 0, "")), "failed, though every call succeeded"),
    ],
)
def test_what_is_wrong_is_seen(wrong: Outcome, what: str) -> None:
    assert any(what in problem for problem in problems(REPORT, None, wrong))


def test_a_command_without_the_one_place_that_explains_is_seen(runner: Runner) -> None:
    """The whole chain: shim, zygote, judge. A sabotaged copy lets the error of a call through as a defect."""
    command = Command(("profile", "list"))
    fault = Fault("command", "open", 0, errno.EMFILE)  # of /dev/null, by the first thing that the program does
    assert problems(command, fault, runner.run(command, fault)) == []
    sabotaged = Command(("--sabotaged", *command.arguments))
    assert "exit code 70" in problems(sabotaged, fault, runner.run(sabotaged, fault))


def test_a_command_that_ends_before_its_start_is_noticed_does_not_hang(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a busy host: the zygote has answered with the process's id and its status when the first is read."""
    start = runner.zygote.start

    def late(*arguments: Any, **options: Any) -> Started:
        started = start(*arguments, **options)
        wait_until(lambda: not psutil.Process(runner.zygote.process.pid).children(), "the command ends")
        return started

    monkeypatch.setattr(runner.zygote, "start", late)
    monkeypatch.setattr("tests.faults.runner.STUCK_S", 3.0)
    command = Command(("profile", "list"))
    assert problems(command, None, runner.run(command, None)) == []
