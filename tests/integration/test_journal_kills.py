"""Two hundred engines are killed during a flow that commits every batch, in segments, with snapshots and compactions.
The recovered book holds each command whose events were seen, once and in order, and equals the book of an engine that
was never killed. A batch, however long, is there whole or not at all.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine import _core
from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.journal.errors import JournalDamagedError
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import Commands

KILLS = 200
FLOW = (load_profile("all-kinds"), 60_000, 11)

# One process forks all engines: starting Python two hundred times would take longer than everything else. A seed on
# stdin starts an engine, which continues the existing journal. It writes its process id, then repeatedly the number of
# commands at the end of the next batch, with the highest bit set, and the number of acknowledged commands; after its
# death, a zero follows. Each number has eight bytes. The second argument selects a
# broken engine: `early` acknowledges commands before they are journaled, `again` repeats commands after a recovery,
# `hasty` removes segments before it has a snapshot, `halves` writes batches as two.
ENGINES = """
import os, random, signal, sys, time
from pathlib import Path
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.journal.records import SyncPolicy
from lowlat.engine.journal.compaction import remove_segments
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.flow.profile import load_profile
from lowlat.engine.bench.run import RunPlan, settings_of

path, broken = Path(sys.argv[1]), sys.argv[2]
flow = synthetic_flow(load_profile("all-kinds"), 60_000, 11)
settings = settings_of(flow, RunPlan())

def tell(number):
    os.write(1, number.to_bytes(8, "little"))

def live(chance):
    tell(os.getpid())
    segments = {"segment_bytes": chance.choice([None, 100_000])}
    if path.exists() and path.stat().st_size:
        engine = JournaledEngine.recover(path, sync=SyncPolicy.BATCH, **segments)
    else:
        engine = JournaledEngine.journaling(path, settings, sync=SyncPolicy.BATCH, **segments)
    if broken == "again" and engine.recovery:
        engine.process(flow.commands[engine.counters.commands - 1 :][:1])
    while (done := engine.counters.commands) < len(flow.commands):
        batch = flow.commands[done : done + chance.choice([1, 30, 500, 3_000, 20_000])]
        tell(done + len(batch) | 1 << 63)
        if broken == "early":
            tell(done + len(batch))
        if broken == "halves":
            engine.process(batch[: len(batch) // 2])
            batch = batch[len(batch) // 2 :]
        engine.process(batch)
        tell(engine.counters.commands)
        if chance.random() < 0.05:
            engine.snapshot()
        if broken == "hasty":
            remove_segments(path, int(str(engine.rotate())[-6:]) + 1)
            time.sleep(0.01)
        if chance.random() < 0.1:
            engine.compact(chance.choice([0, 1]))
    while True:
        tell(len(flow.commands))
        signal.pause()

for seed in sys.stdin:
    child = os.fork()
    if child == 0:
        live(random.Random(int(seed)))
    os.waitpid(child, 0)
    tell(0)
"""


@pytest.fixture
def broken() -> str:
    return ""


@pytest.fixture
def engines(tmp_path: Path, broken: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-P", "-c", ENGINES, str(tmp_path / "day.journal"), broken]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process
        process.kill()


def numbers(engines: subprocess.Popen[bytes]) -> Iterator[int]:
    assert engines.stdout is not None
    while len(said := engines.stdout.read(8)) == 8:
        yield int.from_bytes(said, "little")


ATTEMPT = 1 << 63


def kill_one(engines: subprocess.Popen[bytes], seed: int, whole: int) -> tuple[int, set[int]]:
    """Start an engine, wait for some batches, kill it a moment later; return the number of acknowledged commands, and
    where its batches end.
    """
    chance = random.Random(seed)
    assert engines.stdin is not None
    engines.stdin.write(f"{seed}\n".encode())
    engines.stdin.flush()
    told = numbers(engines)
    child, heard = next(told), [0]
    for _ in range(chance.choice([0, 1, 2, 5, 10])):
        heard.append(next(told))
        if heard[-1] == whole:
            break
    time.sleep(chance.choice([0.0, 0.001, 0.02]) * chance.random())
    os.kill(child, signal.SIGKILL)
    heard += iter(lambda: next(told), 0)
    return max(each for each in heard if each < ATTEMPT), {each & ~ATTEMPT for each in heard}


def is_made(path: Path) -> bool:
    """Whether there is a journal. An empty file is none, but that of an engine that was killed before it wrote the
    header; the next one takes it.
    """
    return path.exists() and path.stat().st_size > 0


def examine(path: Path, flow: Commands, acknowledged: int, ends: set[int], seen: Counter[str]) -> bool:
    """Check what a dead engine left; return whether that was the whole flow."""
    if not is_made(path):
        assert acknowledged == 0
        seen["never made"] += 1
        return False
    with JournaledEngine.recover(path) as engine:
        recovery, state = engine.recovery, _core.save_state(engine.matcher)[0]
        engine.check_invariants()
    assert recovery is not None and recovery.snapshot_fault is None
    assert recovery.commands >= acknowledged, "an acknowledged command is lost"
    with JournalFile(path) as file:
        never_killed = Engine.of(file.settings)
        first = file.beginning.sequence
        held = [block.commands for block in file.blocks()]
        assert sum(len(part) for part in held) == recovery.commands - first
        assert np.array_equal(np.concatenate([flow[:0], *held]), flow[first : recovery.commands]), "not what was sent"
        seen["compacted"] += first > 0
        seen["in segments"] += len(file.segments) > 1
    assert recovery.commands in ends | {seen["commands"]}, "half a batch is there"
    seen["commands"] = recovery.commands
    never_killed.process(flow[: recovery.commands])
    assert state == _core.save_state(never_killed.matcher)[0], "another book"
    seen["torn"] += recovery.torn_bytes > 0
    seen["more than acknowledged"] += recovery.commands > acknowledged
    seen["from a snapshot"] += recovery.replayed < recovery.commands
    return recovery.commands == len(flow)


def kill_and_examine(engines: subprocess.Popen[bytes], path: Path, kills: int) -> Counter[str]:
    seen, flow = Counter[str](), synthetic_flow(*FLOW).commands
    for seed in range(kills):
        acknowledged, ends = kill_one(engines, seed, len(flow))
        if examine(path, flow, acknowledged, ends, seen):
            for file in path.parent.iterdir():
                file.unlink()
            seen["whole floods"] += 1
            seen["commands"] = 0
    return seen


@pytest.mark.slow
def test_two_hundred_killed_engines(engines: subprocess.Popen[bytes], tmp_path: Path) -> None:
    seen = kill_and_examine(engines, tmp_path / "day.journal", KILLS)
    assert seen["more than acknowledged"] >= 20, f"the kills hit too few kinds of moments: {seen}"
    assert seen["from a snapshot"] >= 10 and seen["whole floods"] >= 2, seen
    assert seen["compacted"] >= 10 and seen["in segments"] >= 10, seen


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "why"),
    [("early", "is lost"), ("again", "not what was sent"), ("halves", "half a batch is there")],
)
def test_broken_engines_are_found(engines: subprocess.Popen[bytes], tmp_path: Path, why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        kill_and_examine(engines, tmp_path / "day.journal", KILLS)


@pytest.mark.parametrize("broken", ["hasty"])
def test_an_engine_that_compacts_too_early_is_found(engines: subprocess.Popen[bytes], tmp_path: Path) -> None:
    with pytest.raises(JournalDamagedError, match="since compaction removed those before"):
        kill_and_examine(engines, tmp_path / "day.journal", KILLS)
