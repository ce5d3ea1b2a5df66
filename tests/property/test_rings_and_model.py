"""Rings against a list: any sequence of pushes, pops, dying producers and closing gives what a plain queue would; and
no header, whatever its bytes, leads an attached process out of its memory.

The model is shown to notice a ring that drops, repeats or reorders records.
"""

from __future__ import annotations

import os
import tempfile
from collections import deque
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowlat.engine import COMMAND
from lowlat.engine.rings.errors import RingClosedError, RingStalledError
from lowlat.engine.rings.ring import MpscRing, Ring, SpscRing
from lowlat.errors import InputError, LowlatError

CAPACITY = 8
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.integers(0, 2 * CAPACITY)),
        st.tuples(st.just("pop"), st.integers(1, 2 * CAPACITY)),
        st.tuples(st.just("claim"), st.integers(1, 2)),
        st.just(("close", 0)),
    ),
    max_size=40,
)


class Model:
    """A queue whose entries are numbers, or None for a slot that was claimed by a producer that is dead."""

    def __init__(self) -> None:
        self.entries: deque[int | None] = deque()
        self.next, self.closed = 0, False

    def push(self, ring: Ring, count: int) -> None:
        room = 0 if self.closed else min(count, CAPACITY - len(self.entries))
        records = np.zeros(count, COMMAND)
        records["order_id"] = np.arange(self.next, self.next + count)
        assert ring.try_push(records) == room
        self.entries.extend(range(self.next, self.next + room))
        self.next += room

    def claim(self, ring: Ring, count: int) -> None:
        """A producer moves the tail, and dies. Only of a ring with many; the model holds the rest to it."""
        if not isinstance(ring, MpscRing) or self.closed or len(self.entries) + count > CAPACITY:
            return
        np.memmap(f"/proc/self/fd/{ring.fileno()}", np.uint64, "r+")[16] += count
        self.entries.extend([None] * count)

    def pop(self, ring: Ring, count: int) -> None:
        if not self.entries:
            if self.closed:
                with pytest.raises(RingClosedError):
                    ring.try_pop(count)
            else:
                assert len(ring.try_pop(count)) == 0
            return
        if self.entries[0] is None:
            with pytest.raises(RingStalledError):
                ring.try_pop(count)
            return
        expected = []
        while self.entries and self.entries[0] is not None and len(expected) < count:
            expected.append(self.entries.popleft())
        assert ring.try_pop(count)["order_id"].tolist() == expected

    def close(self, ring: Ring, _: int) -> None:
        ring.close()
        self.closed = True


def follow(ring: Ring, acts: list[tuple[str, int]]) -> None:
    model = Model()
    for act, count in acts:
        getattr(model, act)(ring, count)
        assert len(ring) == len(model.entries) and ring.closed == model.closed


@pytest.mark.parametrize("kind", [MpscRing, SpscRing])
@given(acts=ACTS)
def test_a_ring_is_a_queue(kind: type[MpscRing] | type[SpscRing], acts: list[tuple[str, int]]) -> None:
    follow(kind(CAPACITY, COMMAND), acts)


class Dropping(MpscRing):
    def try_pop(self, maximum: int = CAPACITY) -> np.ndarray:
        return super().try_pop(maximum)[:-1]


class Reversing(MpscRing):
    def try_pop(self, maximum: int = CAPACITY) -> np.ndarray:
        return super().try_pop(maximum)[::-1]


class Silent(MpscRing):
    """Takes a stall for emptiness."""

    def try_pop(self, maximum: int = CAPACITY) -> np.ndarray:
        try:
            return super().try_pop(maximum)
        except RingStalledError:
            return np.empty(0, COMMAND)


@pytest.mark.parametrize("kind", [Dropping, Reversing, Silent])
def test_a_broken_ring_is_found(kind: type[MpscRing]) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        follow(kind(CAPACITY), [("push", 3), ("pop", 2), ("pop", 1), ("claim", 1), ("pop", 1)])


WORDS = st.integers(0, 2048 // 8 - 1)
VALUES = st.one_of(st.integers(0, 64), st.integers(0, 2**64 - 1), st.sampled_from([2**n for n in range(64)]))


@pytest.mark.parametrize("kind", [MpscRing, SpscRing])
@given(forged=st.dictionaries(WORDS, VALUES, min_size=1, max_size=6), before=st.booleans())
def test_no_header_leads_out_of_the_memory(
    kind: type[MpscRing] | type[SpscRing], forged: dict[int, int], before: bool
) -> None:
    """Forged before the ring is attached, or while it is in use."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ring"
        ring = kind(CAPACITY, COMMAND, path=path)
        ring.push(np.ones(5, COMMAND))
        ring.pop(2)
        if not before:
            ring = kind.attach(path, COMMAND)
        with path.open("r+b") as file:
            for word, value in forged.items():
                os.pwrite(file.fileno(), value.to_bytes(8, "little"), word * 8)
        try:
            ring = kind.attach(path, COMMAND) if before else ring
        except InputError:
            return
        assert ring.capacity == CAPACITY and 0 <= len(ring) <= CAPACITY
        for act in (
            lambda: ring.try_push(np.ones(CAPACITY, COMMAND)),
            lambda: len(ring.try_pop()),
            lambda: len(ring.try_pop()),
        ):
            try:
                assert 0 <= act() <= CAPACITY
            except LowlatError:
                continue
