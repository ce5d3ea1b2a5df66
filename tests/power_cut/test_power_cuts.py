"""A power cut at every moment of an engine's life, under every policy: the recorded writes and syncs are replayed, the
disk keeps any part of what was not synced, and each state must be recovered to the end of some step, with everything
that the policy had promised by then. Writers that promise too much are found.

dm-log-writes would do the same below a real file system, but needs root and a kernel that has it.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from lowlat.engine import Engine, JournaledEngine, SyncPolicy, _core
from lowlat.engine.journal.errors import NoJournalError
from tests.power_cut import workload
from tests.power_cut.disk import Call, Disk, Files, recorded

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
JOURNAL = "day.journal"
STATES = 64
"""The most states of each moment; where there are more, as many samples."""


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """record_writes.c as a library."""
    if not sys.platform.startswith("linux"):
        pytest.skip("LD_PRELOAD and /proc are needed")
    library = tmp_path_factory.mktemp("shim") / "record_writes.so"
    flags = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    source = HERE / "record_writes.c"
    subprocess.run(["cc", *flags, str(source), "-o", str(library), "-ldl", "-lpthread"], check=True)
    return library


@pytest.fixture
def fast() -> Iterator[Path]:
    """A folder whose syncs cost nothing, if there is one: the model is the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


def record(shim: Path, folder: Path, policy: str, writer: str) -> list[Call]:
    """The calls of a workload on its folder."""
    if _core.build_facts()["sanitize"]:
        pytest.skip("a sanitizer has to be loaded first")
    log, journal = folder / "calls", folder / "files" / JOURNAL
    journal.parent.mkdir()
    environment = os.environ | {
        "LD_PRELOAD": str(shim),
        "LOWLAT_RECORD_FOLDER": str(journal.parent),
        "LOWLAT_RECORD_LOG": str(log),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-P", "-m", "tests.power_cut.workload", str(journal), policy, writer]
    subprocess.run(command, env=environment, check=True, timeout=120, cwd=folder)
    return recorded(log)


@cache
def states(large: bool = False) -> list[str]:
    """A digest of the engine's state after each step, with that of the new engine first."""
    engine = Engine.of(workload.SETTINGS)
    found, journaled = [digest(engine)], iter(workload.steps(journal=True, large=large))
    plain = {code(step): step for step in workload.steps(journal=False, large=large)}
    assert plain
    for step in journaled:
        if code(step) in plain:
            step(engine)
        found.append(digest(engine))
    return found


def code(step: workload.Step) -> tuple[object, ...]:
    """What tells a step from others."""
    return step.__code__.co_firstlineno, *(  # type: ignore[attr-defined]
        each.tobytes() if hasattr(each, "tobytes") else each
        for each in step.__defaults__ or ()  # type: ignore[attr-defined]
    )


def digest(engine: Engine) -> str:
    return hashlib.sha256(_core.save_state(engine.matcher)[0]).hexdigest()


class Oracle:
    """Judges every state of a disk. `policy`: what the writer promises."""

    def __init__(self, folder: Path, policy: SyncPolicy, expected: list[str]) -> None:
        self.folder, self.policy, self.expected = folder, policy, expected
        self.seen: dict[str, str | None] = {}
        self.found = Counter[str]()

    def judge(self, calls: list[Call], most: int) -> None:
        """Cut the power after each call; `most`: states of each moment."""
        chance, disk = random.Random(7), Disk()
        acknowledged = promised = 0
        synced: list[int] = []
        for number, call in enumerate(calls):
            disk.apply(call)
            of_journal = disk.names.get(JOURNAL) == call.inode
            if call.op == "A":
                acknowledged = call.number
            elif call.op == "B" and of_journal:
                synced.append(acknowledged)
            elif call.op == "E" and of_journal and synced:
                promised = max(promised, synced.pop(0))
            if self.policy is SyncPolicy.BATCH:
                promised = acknowledged
            for which, files in enumerate(disk.states(chance, most)):
                self.check(files, acknowledged if which == 0 else promised, f"call {number}, state {which}")

    def check(self, files: Files, promised: int, where: str) -> None:
        """Recover from a state, unless an equal one was recovered before."""
        key = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
        if key not in self.seen:
            self.seen[key] = self.recovered(files, where)
        state = self.seen[key]
        if state is None:
            assert promised == 0, f"{where}: the journal is lost after {promised} steps"
            return
        assert state in self.expected, f"{where}: half a batch is there"
        step = max(at for at, each in enumerate(self.expected) if each == state)
        assert step >= promised, f"{where}: step {promised} was acknowledged, and is lost: {step} is there"
        self.found["more than promised"] += step > promised

    def recovered(self, files: Files, where: str) -> str | None:
        """A digest of what is recovered; None if there is no journal yet."""
        for old in self.folder.iterdir():
            old.unlink()
        links: dict[int, Path] = {}
        for name, content in files.items():
            file = self.folder / name
            if id(content) in links:  # names of one file
                os.link(links[id(content)], file)
            else:
                file.write_bytes(content)
                links[id(content)] = file
        try:
            with JournaledEngine.recover(self.folder / JOURNAL, sync=SyncPolicy.NONE) as engine:
                engine.check_invariants()
                assert engine.recovery is not None
                self.found["torn"] += engine.recovery.torn is not None
                self.found["from a snapshot"] += engine.recovery.replayed < engine.recovery.commands
                self.found["states"] += 1
                return digest(engine)
        except NoJournalError:
            return None
        except Exception as error:
            raise AssertionError(f"{where}: not recovered: {error}") from error


def judge(shim: Path, folder: Path, policy: str, writer: str, most: int = STATES) -> Counter[str]:
    calls = record(shim, folder, policy, writer)
    (folder / "cut").mkdir()
    oracle = Oracle(folder / "cut", SyncPolicy[policy], states(large=writer == "large"))
    oracle.judge(calls, most)
    return oracle.found


@pytest.mark.parametrize("policy", ["NONE", "INTERVAL", "BATCH"])
def test_a_power_cut_at_any_moment_loses_nothing_that_was_promised(shim: Path, fast: Path, policy: str) -> None:
    found = judge(shim, fast, policy, "ordinary")
    assert found["torn"] >= 20 and found["from a snapshot"] >= 20 and found["states"] >= 100, found


@pytest.mark.parametrize("policy", ["NONE", "BATCH"])
def test_a_batch_of_several_blocks_is_there_whole_or_not_at_all(shim: Path, fast: Path, policy: str) -> None:
    found = judge(shim, fast, policy, "large", most=10)
    assert found["torn"] >= 10, found


@pytest.mark.parametrize(
    ("writer", "why"),
    [
        ("early", "was acknowledged, and is lost"),
        ("halves", "half a batch is there"),
        ("hasty", "not recovered|is lost"),
    ],
)
def test_writers_that_promise_too_much_are_found(shim: Path, fast: Path, writer: str, why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        judge(shim, fast, "BATCH", writer)
