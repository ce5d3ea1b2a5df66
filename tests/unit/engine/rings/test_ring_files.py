"""Ring files that are not what they seem: forged in any field, changed while they are read, cut while they are in use,
or someone else's.

Each is an error with a name, or changes nothing; none ends the process or leads out of the ring's memory.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine import COMMAND, EVENT, _core
from lowlat.engine.rings.errors import RingEmptyError, RingStalledError
from lowlat.engine.rings.ring import MpscRing, SpscRing
from lowlat.errors import InputError, LowlatError, OutputPathError

HEADER_BYTES = 2048
KINDS = [MpscRing, SpscRing]


def numbered(count):
    records = np.zeros(count, COMMAND)
    records["order_id"] = np.arange(count)
    return records


def ids(records):
    return records["order_id"].tolist()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "orders.ring"


def refused(path, message, kind=MpscRing, dtype=COMMAND):
    with pytest.raises(InputError, match=message) as error:
        kind.attach(path, dtype)
    assert str(path) in str(error.value)


def write(path, raw, mode=0o600):
    path.write_bytes(raw)
    path.chmod(mode)


# -- what is no ring ------------------------------------------------------------------------------------------------


def test_files_that_are_not_the_ring_asked_for(path):
    write(path, b"short")
    refused(path, "5 bytes, too few for a ring header")
    write(path, bytes(4096))
    refused(path, "does not start like a ring")
    path.unlink()
    ring = MpscRing(8, path=path)
    refused(path, "32-byte records for many producers, not a ring of 64-byte records", dtype=EVENT)
    refused(path, "for many producers, not a ring of 32-byte records for one producer", SpscRing)
    whole = path.read_bytes()
    for raw in (whole[:-8], whole + b"\0"):
        write(path, raw)
        refused(path, "not the size of a ring of 8 records")
    ring.unlink()
    os.mkfifo(path)
    refused(path, "not a regular file")


@pytest.mark.parametrize("mode", [0o660, 0o606, 0o622, 0o644])
def test_a_file_that_others_may_open_is_refused(path, mode):
    MpscRing(8, path=path)
    path.chmod(mode)
    refused(path, f"has mode {mode:04o}, not 0600; others could change the ring")


def test_a_file_with_a_second_name_is_refused(path, tmp_path):
    MpscRing(8, path=path)
    (tmp_path / "other").hardlink_to(path)
    refused(path, "has 2 names")


def test_a_file_of_another_user_is_refused(path, monkeypatch):
    """Root can open any file, so the owner is compared too."""
    ring = MpscRing(8, path=path)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    refused(path, "belongs to user")
    with pytest.raises(InputError, match=f"descriptor {ring.fileno()} belongs to user"):
        MpscRing.attach(ring.fileno())
    unnamed = MpscRing(8)
    assert MpscRing.attach(unnamed.fileno()).capacity == 8, "whoever was given its descriptor may use it"


def test_a_path_may_be_text(path):
    with MpscRing(8, path=str(path)) as ring:
        ring.push(numbered(2))
        assert ids(MpscRing.attach(str(path)).pop()) == [0, 1]


def test_a_name_that_no_file_can_have(tmp_path):
    path = f"{tmp_path}/a\0b"
    with pytest.raises(InputError, match="cannot contain NUL"):
        MpscRing.attach(path)
    with pytest.raises(OutputPathError, match="cannot contain NUL"):
        MpscRing(8, path=path)


# -- forged headers -------------------------------------------------------------------------------------------------

FIELDS = {
    "magic": (0, 8),
    "version": (8, 4),
    "kind": (12, 4),
    "record_bytes": (16, 8),
    "capacity": (24, 8),
    "bytes": (32, 8),
    "id_namespace": (40, 8),
    "closed": (48, 4),
    "tail": (128, 8),
    "head_seen": (256, 8),
    "head": (384, 8),
    "ready": (512, 8),
    "producer_turn": (640, 8),
    "consumer_turn": (768, 8),
    "unmarked": (896, 8),
    "mark": (1024 + 77 * 8, 8),
}
HARMLESS = {"id_namespace", "closed", "producer_turn", "consumer_turn", "unmarked", "mark"}
"""Fields that nothing in the file can contradict: any value there is one that they may have."""
VALUES = [0, 1, 2, 3, 5, 7, 16, 255, 2**30, 2**31, 2**32 - 1, 2**32, 2**40, 2**59, 2**62, 2**63 - 1, 2**63, 2**64 - 1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("field", FIELDS)
def test_a_header_forged_in_any_field_is_refused_or_changes_nothing(tmp_path, kind, field):
    offset, size = FIELDS[field]
    true = make(tmp_path / "true", kind)
    for value in {value % 2 ** (8 * size) for value in VALUES}:
        raw = bytearray(true)
        raw[offset : offset + size] = value.to_bytes(size, "little")
        forged = tmp_path / "forged"
        write(forged, raw)
        if raw == true or field in HARMLESS or (field in INDICES and plausible(INDICES | {field: value})):
            use(kind.attach(forged, COMMAND))
        else:
            refused(forged, "forged", kind)


INDICES = {"head_seen": 0, "head": 2, "ready": 5, "tail": 6}


def plausible(indices):
    seen, head, ready, tail = (indices[name] for name in ("head_seen", "head", "ready", "tail"))
    return seen <= head <= ready <= tail <= head + 8


def make(path, kind):
    """The file of a ring of 8 through which six records went; two were taken."""
    ring = kind(8, COMMAND, path=path)
    ring.push(numbered(5))
    ring.pop(2)
    ring.push(numbered(1))
    raw = path.read_bytes()
    there = {name: int.from_bytes(raw[at : at + 8], "little") for name, (at, _) in FIELDS.items() if name in INDICES}
    assert there == INDICES
    return raw


def use(ring):
    """Whatever a ring says of itself, nobody gets more than it can hold, waits for ever or leaves its memory."""
    assert ring.capacity == 8 and 0 <= len(ring) <= 8
    taken = 0
    for act in (lambda: ring.try_push(numbered(9)), ring.try_pop, lambda: ring.pop(timeout_s=0.001), ring.close):
        try:
            result = act()
        except LowlatError:
            continue
        if isinstance(result, np.ndarray):
            taken += len(result)
    assert taken <= 16


def test_the_header_is_read_once(path, monkeypatch):
    """The capacity grows between the check and the use: a second look would lead a gigabyte behind the memory."""
    MpscRing(8, path=path).push(numbered(3))
    ordinary = _core.MappedRing

    def patched(memory, *arguments):
        memory[24:32] = (2**30).to_bytes(8, "little")
        return ordinary(memory, *arguments)

    monkeypatch.setattr(_core, "MappedRing", patched)
    ring = MpscRing.attach(path)
    assert ring.capacity == 8 and ring.try_push(numbered(9)) == 5
    assert ids(ring.pop()) == [0, 1, 2, 0, 1, 2, 3, 4]


@pytest.mark.parametrize("capacity", [0, 12, 16, 2**30, 2**32, 2**63])
def test_native_code_takes_no_capacity_that_the_memory_does_not_hold(path, capacity):
    MpscRing(8, path=path)
    with pytest.raises(BufferError, match="shorter than a ring of this capacity"):
        _core.MappedRing(bytearray(path.read_bytes()), 2, 32, capacity, "it")


FLIPPING = """
import os, sys, threading
from lowlat.engine.rings.ring import MpscRing
from lowlat.errors import LowlatError
import numpy as np
from lowlat.engine import COMMAND
ring = MpscRing(8, path=sys.argv[1])
file = os.open(sys.argv[1], os.O_RDWR)
done = False
def flip():
    while not done:
        os.pwrite(file, (2**30).to_bytes(8, "little"), 24)
        os.pwrite(file, (8).to_bytes(8, "little"), 24)
thread = threading.Thread(target=flip)
thread.start()
attached = 0
for _ in range(3000):
    try:
        other = MpscRing.attach(sys.argv[1])
    except LowlatError:
        continue
    attached += 1
    other.try_push(np.zeros(1, COMMAND))
    other.try_pop()
done = True
thread.join()
print(attached)
"""


def test_a_header_that_changes_all_the_time(path):
    done = subprocess.run([sys.executable, "-P", "-c", FLIPPING, path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 0


# -- files that are cut while they are in use -----------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 100, 4096])
@pytest.mark.parametrize("kind", KINDS)
def test_a_ring_that_is_cut_is_an_error_at_both_ends(path, kind, size):
    producer = kind(1024, COMMAND, path=path)
    consumer = kind.attach(path, COMMAND)
    producer.push(numbered(1000))
    os.truncate(path, size)
    for act in (
        lambda: producer.push(numbered(1000), timeout_s=0.01),
        lambda: consumer.pop(timeout_s=0.01),
        consumer.try_pop,
    ):
        with pytest.raises(InputError, match=rf"{path} lost its content while it was in use: it was truncated"):
            act()


def test_a_consumer_that_waits_notices_that_the_file_is_cut(path):
    ring = MpscRing(1024, path=path)
    seen = []

    def wait():
        with pytest.raises(InputError, match="lost its content"):
            ring.pop()
        seen.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    os.truncate(path, 0)
    thread.join(20)
    assert seen == [True]


def test_a_ring_that_is_cut_while_it_is_made_is_an_error(path, monkeypatch):
    """The zeros that take the place of what is lost are no memory that anyone shares."""
    ordinary = _core.format_ring

    def cut_and_format(memory, *arguments):
        os.truncate(path, 0)
        ordinary(memory, *arguments)

    monkeypatch.setattr(_core, "format_ring", cut_and_format)
    ring = MpscRing(8, path=path)
    with pytest.raises(InputError, match=f"{path} lost its content while it was in use"):
        ring.push(numbered(1))


def test_a_file_cut_before_it_is_mapped_is_an_error(path, monkeypatch):
    MpscRing(8, path=path)
    ordinary = os.fstat

    def look_and_cut(descriptor):
        status = ordinary(descriptor)
        os.truncate(path, 100)
        return status

    monkeypatch.setattr(os, "fstat", look_and_cut)
    refused(path, "was truncated while it was opened")


@pytest.mark.parametrize("failure", [KeyboardInterrupt, MemoryError])
def test_a_ring_that_is_not_finished_leaves_no_file(path, monkeypatch, failure):
    def fail(*_):
        raise failure

    monkeypatch.setattr(_core, "format_ring", fail)
    with pytest.raises(failure):
        MpscRing(8, path=path)
    assert not path.exists()


def test_shared_memory_cannot_be_cut_under_its_users():
    ring = MpscRing(8)
    with pytest.raises(PermissionError):
        os.ftruncate(ring.fileno(), 0)


def test_an_empty_ring_is_neither_stalled_nor_cut(path):
    ring = MpscRing(8, path=path)
    assert len(ring.try_pop()) == 0
    with pytest.raises(RingEmptyError) as empty:
        ring.pop(timeout_s=0.01)
    assert not isinstance(empty.value, RingStalledError) and Path(path).exists()
