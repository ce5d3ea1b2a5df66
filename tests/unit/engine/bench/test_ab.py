"""Interleaved runs: both sides are treated alike, no process keeps running, and errors name the side and cause."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest

from lowlat.engine.bench import ab as ab_module
from lowlat.engine.bench.ab import AbPlan, compare_commands
from lowlat.engine.bench.subprocess_run import ComparedCommand, report_from, wall_ns_of
from lowlat.errors import (
    CommandStartError,
    ExitCode,
    InputError,
    NotValidError,
    RunFailedError,
    UsageError,
)
from lowlat.reports.compare.gate import parse_rule
from lowlat.reports.compare.interleaving import order_of
from lowlat.reports.compare.rank_test import SIGNIFICANT
from lowlat.reports.compare.sequential import levels
from lowlat.reports.io.json_codec import comparison_from_document, to_document
from lowlat.reports.model.comparison import Comparison
from lowlat.reports.model.sequential_test import SequentialTest
from tests.waiting import wait_until

FIRST = Path(__file__).parents[2] / "reports/io/two_runs.json"


def shell(script: str, name: str = "A", *, ours: bool = False) -> ComparedCommand:
    return ComparedCommand(name, script, ("sh", "-c", script), ours)


def plan(base: ComparedCommand, head: ComparedCommand, pairs: int = 4, **more: Any) -> AbPlan:
    return AbPlan(base=base, head=head, pairs=pairs, seed=5, **more)


def test_each_side_goes_first_in_half_of_the_pairs_in_an_order_that_the_seed_decides() -> None:
    orders = {seed: order_of(10, seed) for seed in range(20)}
    assert {tuple(sorted(Counter(order).items())) for order in orders.values()} == {(("base", 5), ("head", 5))}
    assert len(set(orders.values())) > 10
    assert order_of(10, 3) == orders[3]
    assert all(Counter(order_of(60, 2)[:pairs])["base"] == pairs / 2 for pairs in (6, 8, 10, 14, 20, 28, 40))
    assert Counter(order_of(5, 1)).total() == 5


def test_runs_are_taken_in_that_order(tmp_path: Path) -> None:
    log = shlex.quote(str(tmp_path / "log"))
    both = (shell(f"echo base >> {log}"), shell(f"echo head >> {log}", "B"))
    comparison, _ = compare_commands(plan(*both, wall=True))
    mixed = comparison.interleaving
    assert mixed is not None and (mixed.seed, mixed.first) == (5, order_of(4, 5))
    seen = (tmp_path / "log").read_text().split()
    assert seen == [side for first in mixed.first for side in (first, "head" if first == "base" else "base")]


def test_elapsed_time_is_that_of_the_whole_command() -> None:
    assert wall_ns_of(shell("sleep 0.05")) >= 50_000_000
    # Far longer than a command that does nothing takes on this machine now; one may be held up.
    longer_s = 5e-9 * max(wall_ns_of(shell(":")) for _ in range(8))
    comparison, _ = compare_commands(plan(shell(":"), shell(f"sleep {longer_s}", "B"), 8, wall=True))
    assert comparison.gate.failed == ("wall",)
    assert (comparison.base.label, comparison.base.sources) == ("A: :", ("sh", "-c", ":"))


def test_a_printed_report_is_a_run() -> None:
    cat = ComparedCommand("A", "cat", ("cat", str(FIRST)))
    comparison, _ = compare_commands(plan(cat, cat))
    assert (comparison.base.runs, comparison.gate.rules) == (4, ("p50=10%", "p99=10%", "cpu=10%"))
    assert comparison.base.workload is not None


def test_progress_tells_the_time_left_once_it_can_be_known() -> None:
    told: list[tuple[str, float]] = []
    compare_commands(plan(shell(":"), shell(":", "B"), 2, wall=True), lambda text, share: told.append((text, share)))
    assert [share for _, share in told] == [0, 0.25, 0.5, 0.75, 1]
    assert told[0][0] in ("pair 1 of 2, A", "pair 1 of 2, B")
    assert all(text.startswith("pair ") and text.endswith("s left") for text, _ in told[1:-1])


@pytest.mark.parametrize(
    ("command", "message", "code"),
    [
        (shell("echo alas >&2; exit 3"), "^A: echo alas >&2; exit 3 exited with code 3: alas$", ExitCode.NOT_VALID),
        (shell("exit 1"), r"exited with code 1: \(no output on stderr\)", ExitCode.NOT_VALID),
        (shell("kill -9 $$"), "was killed by SIGKILL", ExitCode.NOT_VALID),
        (shell("echo 'lowlat: error: no' >&2; exit 2", ours=True), "exited with code 2: no$", ExitCode.USAGE),
        (shell("exit 70", ours=True), "exited with code 70", ExitCode.INTERNAL),
        (shell("exit 9", ours=True), "exited with code 9", ExitCode.NOT_VALID),
        (shell("exit 130", ours=True), "exited with code 130", ExitCode.NOT_VALID),  # nobody interrupted this process
    ],
)
def test_a_command_that_fails_ends_it_all(command: ComparedCommand, message: str, code: ExitCode) -> None:
    with pytest.raises(RunFailedError, match=message) as failed:
        compare_commands(plan(command, command, wall=True))
    assert failed.value.exit_code == code


def test_a_command_has_the_environment_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    os.putenv("OPENBLAS_NUM_THREADS", "1")  # what `prepare_for_numpy` does for the program itself
    try:
        wall_ns_of(shell('test "$OPENBLAS_NUM_THREADS" = 7'))
        with pytest.raises(RunFailedError):
            wall_ns_of(shell('test "$OPENBLAS_NUM_THREADS" = 1'))
    finally:
        os.unsetenv("OPENBLAS_NUM_THREADS")


def test_what_cannot_be_started_is_named() -> None:
    with pytest.raises(CommandStartError, match="A: x cannot be started: '/no/such': No such file or directory"):
        wall_ns_of(ComparedCommand("A", "x", ("/no/such",)))


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (":", "A: : printed nothing; it must print a report, or use --metric wall"),
        ("echo done", "the output of A: not a JSON document"),
        ("echo '{}'", "the output of A: not a lowlat.report/1"),
    ],
)
def test_what_is_printed_must_be_a_report(script: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        report_from(shell(script))


def test_a_printed_report_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lowlat.engine.bench.subprocess_run.REPORT_BYTES_MAX", 1_000)
    with pytest.raises(InputError, match="the output of A is too large for a report"):
        report_from(shell("head -c 2000 /dev/zero"))


def test_a_report_that_is_not_valid_ends_it_at_once(tmp_path: Path) -> None:
    wrong = json.loads(FIRST.read_text()) | {"status": "invalid", "status_reasons": ["digest differs"]}
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    command = ComparedCommand("A", "cat", ("cat", str(tmp_path / "wrong.json")))
    with pytest.raises(NotValidError, match="A is invalid, so there is nothing to compare: digest differs"):
        compare_commands(plan(command, command))


def test_a_report_that_contradicts_itself_ends_it_at_once(tmp_path: Path) -> None:
    """Otherwise a broken histogram would only be found after all runs."""
    wrong = json.loads(FIRST.read_text())
    wrong["runs"][0]["series"][0]["max"] += 1_000_000
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    command = ComparedCommand("A", "cat", ("cat", str(tmp_path / "wrong.json")))
    with pytest.raises(NotValidError, match=r"^the output of [AB]: runs\[0\]\.series\[0\]"):
        compare_commands(plan(command, command))


def test_a_side_must_do_the_same_work_every_time(tmp_path: Path) -> None:
    other = json.loads(FIRST.read_text())
    other["workload"]["hash"] = "sha256:other"
    (tmp_path / "next.json").write_text(json.dumps(other))
    turn = shlex.quote(str(tmp_path / "turn"))
    script = f"test -e {turn} && cat {tmp_path}/next.json || {{ touch {turn}; cat {shlex.quote(str(FIRST))}; }}"
    with pytest.raises(NotValidError, match="differ in workload hash"):
        compare_commands(plan(shell(script), ComparedCommand("B", "cat", ("cat", str(FIRST)))))


def test_a_gate_about_nothing_is_found_after_the_first_pair(tmp_path: Path) -> None:
    command = shell(f"echo >> {shlex.quote(str(tmp_path / 'log'))}")
    with pytest.raises(UsageError, match="gate p99=10% matches nothing that both sides have; available: wall"):
        compare_commands(plan(command, command, 50, wall=True, rules=(parse_rule("p99=10%"),)))
    assert len((tmp_path / "log").read_text()) == 2


@pytest.mark.parametrize(("runs", "pairs"), [(2, 1), (5, 2), (7, 3)])
def test_ctrl_c_keeps_the_whole_pairs(monkeypatch: pytest.MonkeyPatch, runs: int, pairs: int) -> None:
    left = iter(range(runs))

    def take(_command: ComparedCommand) -> int:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return 1_000

    monkeypatch.setattr(ab_module, "wall_ns_of", take)
    comparison, _ = compare_commands(plan(shell(":"), shell(":", "B"), wall=True))
    assert (comparison.base.runs, comparison.head.runs) == (pairs, pairs)
    assert comparison.status_reasons == (f"interrupted after {pairs} of 4 pairs",)


def test_ctrl_c_before_the_first_pair_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter(range(1))

    def take(_command: ComparedCommand) -> int:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return 1_000

    monkeypatch.setattr(ab_module, "wall_ns_of", take)
    with pytest.raises(KeyboardInterrupt):
        compare_commands(plan(shell(":"), shell(":", "B"), wall=True))


def until_decided(
    monkeypatch: pytest.MonkeyPatch, deviation: float, slowdown: float = 1, *, stop_after: int = 1_000, **more: Any
) -> Comparison:
    """A comparison with simulated elapsed times, which do not depend on the order, of up to 60 pairs, in which Ctrl-C
    comes after so many runs.
    """
    random, left = {"A": Random(4), "B": Random(104)}, iter(range(stop_after))

    def take(command: ComparedCommand) -> int:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return round(1e6 * random[command.name].lognormvariate(0, deviation) * (slowdown if command.name == "B" else 1))

    monkeypatch.setattr(ab_module, "wall_ns_of", take)
    both = shell(":"), shell(":", "B")
    comparison, sides = compare_commands(plan(*both, more.pop("pairs", 60), wall=True, until_decided=True), **more)
    assert (len(sides.base.runs), len(sides.head.runs)) == (comparison.base.runs, comparison.head.runs)
    assert comparison_from_document(to_document(comparison)) == comparison
    return comparison


def looks_of(comparison: Comparison) -> SequentialTest:
    assert comparison.interleaving is not None and comparison.interleaving.sequential is not None
    return comparison.interleaving.sequential


@pytest.mark.parametrize(
    ("deviation", "slowdown", "verdict", "looked"),
    [
        (0.02, 1, "unchanged", (6,)),
        (0.02, 1.5, "regressed", (6,)),
        (0.02, 0.5, "improved", (6,)),
        (0.10, 1, "unchanged", (6, 8, 10, 14)),
    ],
)
def test_it_ends_at_the_first_look_that_decides(
    monkeypatch: pytest.MonkeyPatch, deviation: float, slowdown: float, verdict: str, looked: tuple[int, ...]
) -> None:
    comparison = until_decided(monkeypatch, deviation, slowdown)
    test, mixed = looks_of(comparison), comparison.interleaving
    assert (comparison.metrics[0].verdict, comparison.status) == (verdict, "ok")
    assert (test.ended, tuple(look.pairs for look in test.looks)) == ("decided", looked)
    assert [look.undecided for look in test.looks] == [("wall",)] * (len(looked) - 1) + [()]
    assert mixed is not None and mixed.pairs == len(mixed.first) == comparison.base.runs == looked[-1]


def test_without_a_decision_it_ends_at_the_last_pair_with_the_whole_rate_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = until_decided(monkeypatch, 1.0, pairs=20)
    test = looks_of(comparison)
    assert (comparison.status, comparison.gate.verdict, test.ended) == ("ok", "inconclusive", "not decided")
    assert [look.pairs for look in test.looks] == [6, 8, 10, 14, 20]
    assert [look.significance for look in test.looks] == levels([6, 8, 10, 14, 20], 20, SIGNIFICANT)
    assert test.looks[-1].spent == test.significance == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("runs", "looked"), [(2, (1,)), (13, (6,)), (17, (6, 8)), (18, (6, 8, 9)), (40, (6, 8, 10, 14, 20))]
)
def test_ctrl_c_is_a_last_look(monkeypatch: pytest.MonkeyPatch, runs: int, looked: tuple[int, ...]) -> None:
    comparison = until_decided(monkeypatch, 1.0, stop_after=runs)
    test = looks_of(comparison)
    assert (comparison.status, test.ended) == ("interrupted", "interrupted")
    assert comparison.status_reasons == (f"interrupted after {looked[-1]} of 60 pairs",)
    assert tuple(look.pairs for look in test.looks) == looked
    assert [look.significance for look in test.looks] == levels(looked, 60, SIGNIFICANT)


def test_progress_says_what_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    until_decided(monkeypatch, 1.0, pairs=8, progress=lambda text, _share: told.append(text))
    assert told[0].startswith("pair 1 of at most 8, ") and "undecided" not in told[11]
    assert re.fullmatch(r"pair 7 of at most 8, [AB], undecided after 6: wall, at most \d+ s left", told[12])


def test_too_few_pairs_for_a_look_are_refused_before_any_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="5 runs of each side cannot decide anything"):
        until_decided(monkeypatch, 1.0, pairs=5, stop_after=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pairs": 7}, "not that of its last look, after 7 pairs"),
        ({"pairs": 90}, r"after \[6, 8, 10, 90\] pairs of 60, which do not rise to it"),
        ({"pairs": 8}, r"after \[6, 8, 10, 8\] pairs of 60"),
        ({"undecided": ["wall"]}, "ended 'decided' after 14 of 60 pairs, unlike its last look"),
        ({"spent": 0.001}, "have spent"),
        ({"spent": 0.06}, "of an error rate of 0.05"),
    ],
)
def test_looks_that_contradict_themselves_are_refused(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], message: str
) -> None:
    document = to_document(until_decided(monkeypatch, 0.10))
    document["interleaving"]["sequential"]["looks"][-1] |= change
    if change == {"pairs": 7}:
        document["interleaving"]["sequential"]["looks"] = document["interleaving"]["sequential"]["looks"][-1:]
    with pytest.raises(NotValidError, match=message):
        comparison_from_document(document)


def test_a_look_after_a_decision_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    document = to_document(until_decided(monkeypatch, 0.10))
    document["interleaving"]["sequential"]["looks"][0]["undecided"] = []
    with pytest.raises(NotValidError, match="a look came after one at which every gated metric was decided"):
        comparison_from_document(document)


class StoppedError(Exception):
    """The exception that the signal handler raises here."""


@pytest.fixture
def stopping() -> Iterator[None]:
    """SIGTERM raises, as in the command line."""

    def stop(*_: object) -> None:
        raise StoppedError

    before = signal.signal(signal.SIGTERM, stop)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("deaf", ["", "trap '' TERM", "(trap '' TERM; exec sleep 3600) & echo $! >> pids"])
def test_an_interrupted_command_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stopping: None, deaf: str
) -> None:
    """Also not the processes that it started, even if one ignores the signal."""
    monkeypatch.setattr("lowlat.engine.bench.subprocess_run.GRACE_S", 0.2)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoppedError):
        wall_ns_of(shell(f"{deaf}\nsleep 3600 & echo $! >> pids; kill -TERM $PPID; wait"))
    pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert pids and all(ended(pid) for pid in pids)


def test_an_interruption_in_the_midst_of_a_start_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch, stopping: None
) -> None:
    """It waits until the process is known, and then ends it."""
    real, started = subprocess.Popen, []

    def popen(*arguments: Any, **options: Any) -> Any:
        started.append(real(*arguments, **options))
        signal.raise_signal(signal.SIGTERM)
        return started[-1]

    monkeypatch.setattr("lowlat.engine.bench.subprocess_run.subprocess.Popen", popen)
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(StoppedError):
        wall_ns_of(shell("sleep 3600"))
    assert started[0].returncode == -signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is handler


def ended(pid: int) -> bool:
    """Whether a process has ended, possibly as a zombie; waits for that."""
    wait_until(
        lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE,
        f"process {pid} ends",
    )
    return True
