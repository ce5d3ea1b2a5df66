"""The rings from Python: nothing is lost, order is kept, waits end, and every misuse is a typed error."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine import COMMAND, EVENT, TRADE, CommandType, command, commands
from lowlat.engine.rings.errors import RingClosedError, RingEmptyError, RingFullError
from lowlat.engine.rings.records import WaitStrategy
from lowlat.engine.rings.ring import MpscRing, SpscRing
from lowlat.errors import ArrayError, BusyError, InputError, LowlatError, OutputPathError, UsageError
from tests.waiting import PATIENCE_S

KINDS = [MpscRing, SpscRing]


def numbered(count, producer=0, dtype=COMMAND):
    records = np.zeros(count, dtype)
    records["order_id"] = np.arange(count)
    records["symbol"] = producer
    return records


def ids(records):
    return records["order_id"].tolist()


def test_defaults():
    with MpscRing() as orders, SpscRing() as market_data:
        assert (orders.capacity, orders.dtype, len(orders)) == (65_536, COMMAND, 0)
        assert (market_data.capacity, market_data.dtype) == (32_768, EVENT)
        assert orders.wait is WaitStrategy.YIELD and not orders.closed


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [COMMAND, EVENT])
def test_first_in_first_out_over_the_end_of_the_array(kind, dtype):
    ring = kind(4, dtype)
    six = numbered(6, dtype=dtype)
    assert ring.try_push(six) == 4
    assert ring.try_push(six[4:]) == 0 and len(ring) == 4
    assert ids(ring.try_pop(3)) == [0, 1, 2]
    assert ring.push(six[4:]) == 2
    popped = ring.pop()
    assert popped.dtype == dtype and np.array_equal(popped, six[3:])
    assert len(ring.try_pop()) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_single_records(kind):
    ring = kind(8, COMMAND)
    ring.push_one(command(CommandType.LIMIT, 7, price=100, quantity=5))
    ring.push_one(commands(command(CommandType.CANCEL, 8))[0])
    assert ring.pop_one().tolist() == (7, 100, 5, 0, 1, 0, 0, 0)
    assert ring.pop_one()["order_id"] == 8


def test_an_array_that_starts_anywhere():
    raw = bytearray(1 + 2 * COMMAND.itemsize)
    unaligned = np.frombuffer(raw, COMMAND, offset=1)
    unaligned["order_id"] = [5, 6]
    ring = MpscRing(4)
    ring.push(unaligned)
    out = np.frombuffer(bytearray(len(raw)), COMMAND, offset=1)
    assert ring.pop_into(out) == 2 and ids(out) == [5, 6]


def test_masked_records_are_refused():
    ring = MpscRing(4)
    masked = np.ma.masked_array(numbered(2), mask=[True, False])
    for act in (ring.push, ring.try_push, ring.pop_into):
        with pytest.raises(ArrayError, match=r"masked array, .* pass \.compressed\(\)"):
            act(masked)
    assert len(ring) == 0


def test_nothing_to_push_is_nothing():
    ring = MpscRing(4)
    assert ring.push(numbered(0)) == 0 == ring.try_push(numbered(0)) == len(ring)


@pytest.mark.parametrize("kind", KINDS)
def test_policy_fail(kind):
    ring = kind(4, COMMAND, wait=WaitStrategy.FAIL)
    with pytest.raises(RingFullError, match="pushed 4 of 6") as full:
        ring.push(numbered(6))
    assert full.value.pushed == 4
    assert ids(ring.pop()) == [0, 1, 2, 3]
    with pytest.raises(RingEmptyError):
        ring.pop()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wait", [WaitStrategy.SPIN, WaitStrategy.YIELD])
def test_policies_that_wait_end_by_time(kind, wait):
    ring = kind(4, COMMAND, wait=wait)
    started, began_s = time.monotonic(), time.thread_time()
    with pytest.raises(RingEmptyError):
        ring.pop(timeout_s=0.1)
    with pytest.raises(RingFullError) as full:
        ring.push(numbered(6), timeout_s=0.1)
    assert time.monotonic() - started >= 0.2
    assert time.thread_time() - began_s < 1  # it spins no longer than it may; preempted, it only ends later
    assert full.value.pushed == 4


def test_a_timeout_that_is_no_number_is_over():
    ring = MpscRing(4)
    with pytest.raises(RingEmptyError):
        ring.pop(timeout_s=float("nan"))
    with pytest.raises(RingFullError):
        ring.push(numbered(6), timeout_s=float("nan"))


@pytest.mark.parametrize("wait", [3, -1, "spin", None])
def test_another_way_to_wait_is_refused_before_anything_is_made(tmp_path, wait):
    with pytest.raises(UsageError, match="is not a way to wait; use WaitStrategy"):
        MpscRing(4, path=tmp_path / "ring", wait=wait)
    assert not any(tmp_path.iterdir())
    with MpscRing(4, path=tmp_path / "ring") as ring, pytest.raises(UsageError, match="is not a way to wait"):
        MpscRing.attach(ring.path, wait=wait)


@pytest.mark.parametrize("kind", KINDS)
def test_closed_ring_is_emptied_first(kind):
    ring = kind(4, COMMAND)
    ring.push(numbered(3))
    ring.close()
    with pytest.raises(RingClosedError, match="with 0 of 1 record") as refused:
        ring.push(numbered(1))
    assert refused.value.pushed == 0
    assert [ids(batch) for batch in ring.batches(2)] == [[0, 1], [2]]
    for pop in (ring.pop, ring.try_pop, ring.pop_one):
        with pytest.raises(RingClosedError, match="the ring is closed and empty"):
            pop()


def test_closing_ends_a_wait():
    ring = MpscRing(4)
    seen = []

    def push_too_many():
        with pytest.raises(RingClosedError) as closed:
            ring.push(numbered(6))
        seen.append(closed.value.pushed)

    thread = threading.Thread(target=push_too_many)
    thread.start()
    while len(ring) < 4:
        time.sleep(0.001)
    ring.close()
    thread.join(PATIENCE_S)
    assert seen == [4] and ids(ring.pop()) == [0, 1, 2, 3]


@pytest.mark.parametrize("producers", [1, 2, 4])
def test_threads(producers):
    ring, each = MpscRing(64), 20_000

    def produce(producer):
        records = numbered(each, producer)
        for start in range(0, each, 50):
            ring.push(records[start : start + 50])

    threads = [threading.Thread(target=produce, args=(producer,)) for producer in range(producers)]
    for thread in threads:
        thread.start()
    closer = threading.Thread(target=lambda: ([thread.join() for thread in threads], ring.close()))
    closer.start()
    taken = np.concatenate(list(ring.batches(100)))
    closer.join()
    assert len(taken) == producers * each
    for producer in range(producers):
        assert np.array_equal(taken[taken["symbol"] == producer], numbered(each, producer))


def produce_in_process(ring, producer, each):
    records = numbered(each, producer)
    for start in range(0, each, 100):
        ring.push(records[start : start + 100])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_that_get_the_ring_as_an_argument(method):
    context, each = get_context(method), 5_000
    with MpscRing(256) as ring:
        processes = [context.Process(target=produce_in_process, args=(ring, at, each)) for at in range(2)]
        for process in processes:
            process.start()
        taken = []
        while sum(map(len, taken)) < 2 * each:
            taken.append(ring.pop(timeout_s=PATIENCE_S))
        for process in processes:
            process.join()
            assert process.exitcode == 0
    whole = np.concatenate(taken)
    for producer in range(2):
        assert np.array_equal(whole[whole["symbol"] == producer], numbered(each, producer))


def test_process_that_attaches_to_the_file(tmp_path):
    path = tmp_path / "events.ring"
    code = f"""
from lowlat.engine.rings.ring import SpscRing
ring = SpscRing.attach({str(path)!r})
print(sum(int(batch["order_id"].sum()) for batch in ring.batches()))
"""
    with SpscRing(16, path=path) as ring:
        assert oct(path.stat().st_mode & 0o777) == "0o600"
        reader = subprocess.Popen([sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, text=True)
        ring.push(numbered(1001, dtype=EVENT), timeout_s=PATIENCE_S)
        ring.close()
        assert reader.communicate(timeout=PATIENCE_S)[0] == "500500\n"
    assert not path.exists()


def test_what_a_process_left_is_there_for_the_next(tmp_path):
    path = tmp_path / "orders.ring"
    first = MpscRing(8, path=path)
    first.push(numbered(3))
    del first
    second = MpscRing.attach(path)
    assert ids(second.pop(2)) == [0, 1]
    third = MpscRing.attach(second.fileno())
    assert ids(third.pop()) == [2]


def test_one_consumer_at_a_time():
    ring = SpscRing(8, COMMAND)
    holder = threading.Thread(target=lambda: list(ring.batches()))
    holder.start()
    refused = 0
    while not refused:
        try:
            ring.try_pop()
        except BusyError as busy:
            refused += 1
            assert f"thread {holder.native_id} is popping" in str(busy)
    ring.close()
    holder.join(PATIENCE_S)
    assert not holder.is_alive() and issubclass(BusyError, LowlatError)


@pytest.mark.parametrize(("act", "held"), [("pop()", 0), ("push(numpy.zeros(6, COMMAND))", 4)])
def test_ctrl_c_ends_a_wait(act, held):
    code = f"""
import numpy, threading, time
from lowlat.engine.matching.records import COMMAND
from lowlat.engine.rings.ring import MpscRing
ring = MpscRing(4)
def tell():
    while len(ring) != {held}:
        time.sleep(0.01)
    print("waiting", flush=True)
threading.Thread(target=tell).start()
ring.{act}
"""
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Scripts start background jobs with SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (no other threads here)
    )
    assert process.stdout is not None and process.stdout.readline() == "waiting\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == -signal.SIGINT and "KeyboardInterrupt" in errors
    assert not held or "4 of 6 records pushed" in errors


def test_other_threads_run_while_one_waits():
    ring = MpscRing(4)
    thread = threading.Thread(target=ring.pop)
    thread.start()
    assert sum(range(10_000)) == 49_995_000
    ring.push(numbered(1))
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("capacity", "advice"), [(0, "1"), (-4, "1"), (3, "4"), (65_535, "65,536"), (2**33, "4,294,967,296")]
)
def test_capacity_must_be_a_power_of_two(kind, capacity, advice):
    with pytest.raises(UsageError, match=f"use {advice}$") as error:
        kind(capacity)
    assert isinstance(error.value, UsageError)


@pytest.mark.parametrize(
    "records",
    [
        numbered(4, dtype=EVENT),
        np.zeros(4),
        numbered(4)[::2],
        numbered(4).reshape(2, 2),
        [(1, 2, 3, 4, 5, 6, 7, 8)],
        None,
    ],
)
def test_only_arrays_of_the_dtype(records):
    ring = MpscRing(8)
    for act in (ring.push, ring.try_push, ring.pop_into):
        with pytest.raises(ArrayError, match="records"):
            act(records)
    assert len(ring) == 0


@pytest.mark.parametrize("record", [(1, 2), (-1, 0, 0, 0, 0, 0, 0, 0), "order", [(1,) * 8]])
def test_only_records_of_the_dtype(record):
    ring = MpscRing(8)
    with pytest.raises(ArrayError, match=r"is not (a record of|one record)"):
        ring.push_one(record)
    assert len(ring) == 0


def test_other_arguments_that_cannot_be():
    with pytest.raises(ArrayError, match="COMMAND or EVENT"):
        MpscRing(8, TRADE)
    ring = MpscRing(8)
    for maximum in (0, -1):
        with pytest.raises(ArrayError, match="request at least one"):
            ring.pop(maximum)
    fixed = numbered(2)
    fixed.flags.writeable = False
    for out in (fixed, numbered(0)):
        with pytest.raises(ArrayError, match="writable"):
            ring.pop_into(out)


def test_files_that_cannot_be_made_or_opened(tmp_path):
    there = tmp_path / "there"
    there.write_text("precious")
    with pytest.raises(OutputPathError, match="it exists; attach to it, or remove it"):
        MpscRing(8, path=there)
    assert there.read_text() == "precious"
    with pytest.raises(OutputPathError, match=r"the directory .* does not exist"):
        MpscRing(8, path=tmp_path / "no/ring")
    with pytest.raises(InputError, match="it does not exist; create the ring before attaching"):
        MpscRing.attach(tmp_path / "none")
    with pytest.raises(InputError, match="cannot open"):
        MpscRing.attach(9999)
    ring_path = tmp_path / "ring"
    link = tmp_path / "link"
    link.symlink_to(ring_path)
    with MpscRing(8, path=ring_path), pytest.raises(InputError, match="cannot open"):
        MpscRing.attach(link)
    with pytest.raises(OutputPathError, match="cannot create"):
        MpscRing(8, path=link)


def test_disk_that_is_full(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OutputPathError, match="No space left on device"):
        MpscRing(8, path=tmp_path / "ring")
    assert list(Path(tmp_path).iterdir()) == []


def test_more_memory_than_there_is():
    with pytest.raises(UsageError, match="takes 160 GiB"):  # 2^32 * (32 + 8) bytes
        MpscRing(2**32)
