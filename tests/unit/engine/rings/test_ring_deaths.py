"""Processes that are killed, or stopped, in the middle of a push or a pop: what they leave is told from an empty ring
and from a living user, in every way to pop.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import subprocess
import sys
import time
from multiprocessing import get_context

import numpy as np
import pytest

from lowlat.engine import COMMAND
from lowlat.engine.rings import ring as ring_module
from lowlat.engine.rings.errors import RingEmptyError, RingStalledError
from lowlat.engine.rings.records import WaitStrategy
from lowlat.engine.rings.ring import MpscRing, SpscRing
from lowlat.errors import BusyError
from tests.waiting import PATIENCE_S

TAIL, PRODUCER_TURN, CONSUMER_TURN, MARKS = 128 // 8, 640 // 8, 768 // 8, 1024 // 8
PUBLISHED = (2048 + 8 * COMMAND.itemsize) // 8
ID_BITS = 22
POPS = {
    "pop": lambda ring: ring.pop(),
    "pop with a timeout": lambda ring: ring.pop(timeout_s=0.01),
    "pop into an array": lambda ring: ring.pop_into(np.zeros(1, COMMAND), timeout_s=0.01),
    "pop one": lambda ring: ring.pop_one(timeout_s=0.01),
    "try to pop": lambda ring: ring.try_pop(),
    "batches": lambda ring: list(ring.batches()),
}


def words(ring):
    """The header, as its words."""
    return np.memmap(f"/proc/self/fd/{ring.fileno()}", np.uint64, "r+")


def waiting_consumer(ring):
    """A process that waits for a record, and its word in the ring: its id, and its start above."""
    memory = words(ring)
    child = get_context("fork").Process(target=ring.pop)
    child.start()
    while int(memory[CONSUMER_TURN]) & (2**ID_BITS - 1) != child.pid:
        time.sleep(0.001)
    return child, int(memory[CONSUMER_TURN])


@pytest.mark.parametrize("how", POPS)
@pytest.mark.parametrize("wait", WaitStrategy)
def test_a_claim_of_a_dead_producer_is_a_stall_at_once(how, wait, monkeypatch):
    """Without waiting for as long as it would for a living one."""
    monkeypatch.setattr(ring_module, "STALL_S", PATIENCE_S)
    ring = MpscRing(8, wait=wait)
    words(ring)[TAIL] += 1  # the claim: the tail moved on, and nobody is in the middle of a push
    started = time.monotonic()
    for _ in range(3):
        with pytest.raises(RingStalledError, match="was killed between claiming the next record and publishing it"):
            POPS[how](ring)
    assert time.monotonic() - started < PATIENCE_S


@pytest.mark.parametrize("how", ["pop with a timeout", "try to pop"])
def test_records_before_a_dead_claim_are_taken_first(how):
    ring = MpscRing(8)
    ring.push(np.ones(3, COMMAND))
    words(ring)[TAIL] += 1
    ring.push(np.ones(2, COMMAND))
    assert len(ring.try_pop()) == 3
    with pytest.raises(RingStalledError):
        POPS[how](ring)
    ring.close()
    with pytest.raises(RingStalledError):  # closed, but not empty: records are lost
        POPS[how](ring)


@pytest.mark.parametrize("how", POPS)
def test_a_claim_of_a_producer_that_may_live_is_a_stall_after_a_while(how, monkeypatch):
    monkeypatch.setattr(ring_module, "STALL_S", 0.2)
    ring = MpscRing(8)
    child, word = waiting_consumer(ring)
    memory = words(ring)
    memory[MARKS + 5] = word  # in the middle of a push, and alive
    os.kill(child.pid, signal.SIGSTOP)
    try:
        memory[CONSUMER_TURN] = 0
        memory[TAIL] += 1
        with pytest.raises(RingStalledError, match=r"has not published it for \d+\.\d s"):
            for _ in range(100_000):  # each is told "empty" until it has lasted
                try:
                    POPS[how](ring)
                except RingEmptyError:
                    continue
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        with pytest.raises(RingStalledError, match="was killed"):
            POPS[how](ring)
    finally:
        child.kill()
        child.join()


def test_the_time_runs_for_each_claim_anew(monkeypatch):
    monkeypatch.setattr(ring_module, "STALL_S", 0.01)
    ring = MpscRing(8)
    child, word = waiting_consumer(ring)
    os.kill(child.pid, signal.SIGSTOP)
    memory = words(ring)
    memory[CONSUMER_TURN], memory[MARKS] = 0, word
    try:
        for number in range(3):
            memory[TAIL] += 1
            assert len(ring.try_pop()) == 0
            time.sleep(0.05)
            memory[PUBLISHED + number] = number + 1  # late, but before anyone looked again
            assert len(ring.pop()) == 1
    finally:
        child.kill()
        child.join()


def push_for_ever(ring, count):
    records = np.ones(count, COMMAND)
    while True:
        ring.push(records)


@pytest.mark.parametrize("count", [7, pytest.param(2**16, marks=pytest.mark.slow)])
def test_killed_producers_never_leave_a_ring_that_looks_empty(count, monkeypatch):
    """Killed in the middle of a push, at whatever moment. Afterwards the ring works, or says at once that it is
    stalled.
    """
    monkeypatch.setattr(ring_module, "STALL_S", PATIENCE_S)  # a producer that waits for a CPU, its claim open, lives
    context = get_context("fork")
    for attempt in range(20):
        ring = MpscRing(2 * count if count > 7 else 64)
        producers = [context.Process(target=push_for_ever, args=(ring, count)) for _ in range(2)]
        for producer in producers:
            producer.start()
        taken, enough = 0, count * (1 + attempt % 7)
        while taken < enough:
            taken += len(ring.pop())
        for producer in producers:
            producer.kill()
            producer.join()
        assert state_of(ring) in {"stalled", "works"}


def push_from_a_cut_file(ring, path):
    faulthandler.disable()  # pytest's, which would tell of the death
    records = np.memmap(path, COMMAND, "w+", shape=(2**10,))
    os.truncate(path, 2**14)
    ring.push(records)


def test_a_producer_that_dies_while_it_copies_leaves_a_stall(tmp_path):
    """Certain to die between claim and publication: the second half of what it pushes is no longer there."""
    ring = MpscRing(2**10)
    ring.push(np.ones(3, COMMAND))
    producer = get_context("fork").Process(target=push_from_a_cut_file, args=(ring, tmp_path / "records"))
    producer.start()
    producer.join()
    assert producer.exitcode == -signal.SIGBUS
    assert len(ring.try_pop()) == 3
    assert state_of(ring) == "stalled"


def state_of(ring):
    try:
        while len(ring.try_pop()):
            pass
    except RingStalledError as stalled:
        assert "was killed" in str(stalled)
        return "stalled"
    assert len(ring) == 0, "a claim is left, and the ring calls itself empty"
    ring.push(np.ones(1, COMMAND))
    assert len(ring.pop()) == 1
    return "works"


ELSEWHERE = """
import sys
from lowlat.engine.rings.ring import MpscRing
print(len(MpscRing.attach(sys.argv[1]).try_pop()))
"""


def test_nobody_is_called_dead_from_another_namespace_of_ids(tmp_path):
    """From there no thread of this one can be looked up: the claim is a stall after a while only."""
    ring = MpscRing(8, path=tmp_path / "ring")
    child, word = waiting_consumer(ring)
    child.kill()
    child.join()
    memory = words(ring)
    memory[CONSUMER_TURN], memory[MARKS] = 0, word
    memory[TAIL] += 1
    with pytest.raises(RingStalledError, match="was killed"):
        ring.try_pop()
    command = ["unshare", "-rpf", sys.executable, "-P", "-c", ELSEWHERE, str(ring.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unshare" in done.stderr:
        pytest.skip(f"no namespaces can be made here: {done.stderr.strip()}")
    assert (done.stdout, done.stderr) == ("0\n", "")


# -- turns ----------------------------------------------------------------------------------------------------------


def test_the_turn_of_a_killed_consumer_is_free_even_before_it_is_collected():
    ring = SpscRing(8, COMMAND)
    memory = words(ring)
    child, word = waiting_consumer(ring)
    os.kill(child.pid, signal.SIGSTOP)
    memory[CONSUMER_TURN] = word  # also if it was stopped between two slices of its wait
    with pytest.raises(BusyError, match=f"thread {child.pid} is popping"):
        ring.try_pop()
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie: its id still exists
    ring.push(np.ones(1, COMMAND))
    assert len(ring.pop()) == 1
    child.join()


@pytest.mark.parametrize("turn", [CONSUMER_TURN, PRODUCER_TURN])
def test_a_turn_does_not_go_to_whoever_inherits_the_id(turn):
    """The id of a killed thread is that of a new, living one: only the start tells them apart."""
    ring = SpscRing(8, COMMAND)
    memory = words(ring)
    child, word = waiting_consumer(ring)
    os.kill(child.pid, signal.SIGSTOP)
    try:
        memory[CONSUMER_TURN] = 0
        memory[turn] = word
        with pytest.raises(BusyError):
            exchange(ring)
        memory[turn] = word - 2**ID_BITS  # a tick earlier: the thread that had the id before
        exchange(ring)
    finally:
        child.kill()
        child.join()


def exchange(ring):
    ring.push(np.ones(1, COMMAND))
    assert len(ring.pop()) >= 1
