"""Bounded, lock-free queues of records between threads and processes.

    orders = MpscRing()                          # COMMAND records, many producers, one consumer
    orders.push(commands)                        # waits while it is full
    for batch in orders.batches():               # in another thread or process, until orders.close() is called
        engine.process(batch)

A ring is in shared memory. Threads share the object; a child process gets it as an argument of
`multiprocessing.Process`, or by fork; other processes attach to a ring that was made with a `path`. Each producer's
records arrive in order and exactly once. A full ring makes the producer wait or raises an error; it drops nothing.
Only one consumer, and for `SpscRing` one producer, at a time: a second one gets `BusyError`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat import units
from lowlat.arguments import checked_number, checked_path, checked_seconds, is_integer
from lowlat.engine import _core
from lowlat.engine.matching.aligned import is_masked
from lowlat.engine.matching.records import COMMAND, EVENT
from lowlat.engine.rings.errors import RingClosedError, RingEmptyError, RingFullError, RingStalledError
from lowlat.engine.rings.records import RingKind, WaitStrategy
from lowlat.engine.rings.shared_memory import RingMemory, RingShape, found, made
from lowlat.errors import ArrayError, UsageError
from lowlat.text import cut, shown

Records: TypeAlias = NDArray[np.void]

SLICE_NS: Final = 20_000_000
"""A wait is divided into slices of this length; Ctrl-C and timeouts are checked between them."""
STALL_S: Final = 1.0
"""If a claim stays unpublished for this long, its producer was stopped, or killed where that cannot be seen."""
BATCH: Final = 4096
_DESCRIPTOR_MAX: Final = 2**31 - 1
_FAIL: Final = int(WaitStrategy.FAIL)
_CLOSED, _BEHIND_A_DEAD_CLAIM = -1, -3
"""Why `MappedRing.pop` took nothing; 0: there is nothing yet, -2: a producer has claimed the next record."""


class Ring:
    """The common interface of `MpscRing` and `SpscRing`.

    `capacity`: in records, a power of two. `dtype`: `COMMAND` or `EVENT`. `wait`: what push and pop do when they cannot
    proceed. `path`: a new file (mode 0600) to which other processes attach; without one the memory is unnamed.

    Raises `UsageError` for the capacity or `wait`, `ArrayError` for another dtype, `OutputPathError`.
    """

    kind: ClassVar[RingKind]

    def __init__(
        self,
        capacity: int,
        dtype: np.dtype[np.void],
        *,
        wait: WaitStrategy = WaitStrategy.YIELD,
        path: str | Path | None = None,
    ) -> None:
        _check_capacity(capacity)
        self.path = None if path is None else checked_path("path", path)
        self._hold(dtype, _strategy(wait), made(_shape(self.kind, dtype), capacity, self.path))
        self._maker = os.getpid()

    @classmethod
    def _attached(cls, where: str | Path | int, dtype: np.dtype[np.void], wait: WaitStrategy) -> Self:
        """Attach to the ring in a file or of a file descriptor (which the caller keeps).

        Raises `InputError`, also if it is not a ring of this type, or a file that is not private to this user.
        """
        ring = cls.__new__(cls)
        there = (
            checked_number("where", where, 0, _DESCRIPTOR_MAX) if is_integer(where) else checked_path("where", where)
        )
        ring._hold(dtype, _strategy(wait), found(_shape(cls.kind, dtype), there))
        ring.path = None
        ring._maker = 0
        return ring

    def _hold(self, dtype: np.dtype[np.void], wait: WaitStrategy, ring: RingMemory) -> None:
        self.dtype = dtype
        self.wait = wait
        self._wait = int(wait)  # passing an enum member to native code costs 150 ns more
        self._descriptor = ring.descriptor
        self._native: _core.MappedRing = _core.MappedRing(
            ring.memory, self.kind, dtype.itemsize, ring.capacity, ring.memory.name
        )
        self._claim, self._claimed_at = -1, 0.0  # the last claim seen unpublished, and since when

    @property
    def capacity(self) -> int:
        """Capacity in records."""
        return self._native.capacity

    @property
    def closed(self) -> bool:
        """Whether `close` was called, here or elsewhere."""
        return self._native.closed

    def __len__(self) -> int:
        """Number of records in the ring at some moment during the call."""
        return len(self._native)

    def fileno(self) -> int:
        """Descriptor of the shared memory, for `attach` in a process that inherits or receives it."""
        return self._descriptor

    def try_push(self, records: Records) -> int:
        """Push as many of `records`, shape (n,), as fit now, from the first on. Returns their number."""
        return self._native.push(self._checked(records), 0, _FAIL, 0)

    def push(self, records: Records, timeout_s: float | None = None) -> int:
        """Push all of `records`, shape (n,), in order, waiting by policy. Returns their number.

        Raises `RingFullError` under `WaitStrategy.FAIL` or after `timeout_s`, `RingClosedError`. Both say how many
        were pushed, as does a note on the `KeyboardInterrupt` of Ctrl-C.
        """
        array, deadline = self._checked(records), _deadline(timeout_s)
        # Push what fits before any wait, so that an interrupt of the wait knows the number.
        done = self._native.push(array, 0, _FAIL, 0)
        return done if done == len(array) else self._push_on(array, done, deadline)

    def _push_on(self, array: Records, done: int, deadline: float) -> int:
        try:
            while done < len(array):
                if self._native.closed:
                    raise RingClosedError(
                        f"the ring was closed with {done:,} of {units.counted(len(array), 'record')} pushed"
                    )
                remaining = deadline - time.monotonic()
                if self.wait is WaitStrategy.FAIL or not remaining > 0:  # NaN too
                    raise RingFullError(
                        f"the ring is full (capacity {self.capacity:,}): pushed {done:,} of {len(array):,}; "
                        "push the rest once the consumer has caught up, or create a larger ring"
                    )
                done += self._native.push(array, done, self._wait, _slice_ns(remaining))
        except (RingClosedError, RingFullError) as error:
            error.pushed = done
            raise
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(f"{done:,} of {units.counted(len(array), 'record')} pushed")
            raise
        return done

    def push_one(self, record: np.void | tuple[Any, ...], timeout_s: float | None = None) -> None:
        """Push one record: a record of the dtype, or the plain tuple of its fields. See `push`."""
        try:
            array = np.array([record], dtype=self.dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise ArrayError(
                f"{shown(record)} is not a record of {self.dtype.names}: {cut(str(error), 120)}"
            ) from error
        if array.ndim != 1:
            raise ArrayError(f"{shown(record)} is not one record; push an array")
        self.push(array, timeout_s)

    def try_pop(self, maximum: int = BATCH) -> Records:
        """Take up to `maximum` available records, oldest first: shape (n,), possibly (0,).

        Raises `RingClosedError` once the ring is closed and empty, `RingStalledError`.
        """
        out = self._room(maximum)
        return out[: self._taken(self._native.pop(out, 0, _FAIL, 0))]

    def pop(self, maximum: int = BATCH, timeout_s: float | None = None) -> Records:
        """Wait by policy for a record, then take up to `maximum` available ones, oldest first: shape (n,), n >= 1.

        Raises `RingEmptyError` under `WaitStrategy.FAIL` or after `timeout_s`, `RingClosedError` once the ring is
        closed and empty, `RingStalledError` once a claim of the next record will not be published.
        """
        out = self._room(maximum)
        return out[: self._fill(out, timeout_s)]

    def pop_into(self, out: Records, timeout_s: float | None = None) -> int:
        """As `pop`, into the start of `out`, shape (n,), n >= 1. Returns the number of records."""
        if len(self._checked(out)) == 0 or not out.flags.writeable:
            raise ArrayError("the output array must be writable and have room for at least one record")
        return self._fill(out, timeout_s)

    def _fill(self, out: Records, timeout_s: float | None) -> int:
        count = self._taken(self._native.pop(out, 0, self._wait, _slice_ns(timeout_s)))
        return count if count > 0 else self._fill_on(out, _deadline(timeout_s))

    def _fill_on(self, out: Records, deadline: float) -> int:
        while True:
            remaining = deadline - time.monotonic()
            if self.wait is WaitStrategy.FAIL or not remaining > 0:  # NaN too
                raise RingEmptyError("the ring is empty; pop again once a producer has pushed")
            count = self._taken(self._native.pop(out, 0, self._wait, _slice_ns(remaining)))
            if count > 0:
                return count

    def pop_one(self, timeout_s: float | None = None) -> np.void:
        """Take the oldest record. See `pop`."""
        record: np.void = self.pop(1, timeout_s)[0]
        return record

    def batches(self, maximum: int = BATCH) -> Iterator[Records]:
        """Yield the results of `pop` until the ring is closed and empty."""
        while True:
            try:
                batch = self.pop(maximum)
            except RingClosedError:
                return
            yield batch

    def close(self) -> None:
        """Close the ring for all its users: pushes fail from now on; the consumer gets the remaining records, then the
        error.

        The producer closes an `SpscRing`, after its last push.
        """
        self._native.close()

    def unlink(self) -> None:
        """Remove the file of this ring. Attached processes continue; no others can attach."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
            self.path = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """In the process that made the ring, close it and remove its file. Elsewhere do nothing: others may push."""
        if self._maker == os.getpid():
            self.close()
            self.unlink()

    def __del__(self) -> None:
        # The memory is unmapped with the native object, which waiting calls keep alive.
        descriptor = getattr(self, "_descriptor", None)
        if descriptor is not None:
            os.close(descriptor)

    def __reduce__(self) -> tuple[Any, ...]:
        """For `multiprocessing`: the other process gets its own descriptor of the same memory."""
        from multiprocessing.reduction import DupFd

        return _received, (type(self), DupFd(self._descriptor), self.dtype, self.wait)

    def _checked(self, records: Any) -> Records:
        if (
            not isinstance(records, np.ndarray)
            or (records.dtype is not self.dtype and records.dtype != self.dtype)
            or records.ndim != 1
        ):
            what = (
                f"{records.dtype}, shape {records.shape}" if isinstance(records, np.ndarray) else type(records).__name__
            )
            raise ArrayError(f"a one-dimensional array of {self.dtype.itemsize}-byte records is needed, not {what}")
        if is_masked(records):
            raise ArrayError("the records are a masked array, whose masked ones would pass too; pass .compressed()")
        if not records.flags.c_contiguous:
            raise ArrayError("the records do not lie one after another; pass numpy.ascontiguousarray of them")
        checked: Records = records
        return checked

    def _room(self, maximum: int) -> Records:
        if not is_integer(maximum) or maximum < 1:
            raise ArrayError(f"cannot pop a maximum of {shown(maximum)}; request at least one record")
        return np.empty(min(maximum, self.capacity), self.dtype)

    def _taken(self, count: int) -> int:
        """The number of records taken, 0 if there are none yet, from what `MappedRing.pop` returned."""
        if count >= 0:
            return count
        if count == _CLOSED:
            raise RingClosedError("the ring is closed and empty")
        self._check_claim(dead=count == _BEHIND_A_DEAD_CLAIM)
        return 0

    def _check_claim(self, *, dead: bool) -> None:
        """Raise `RingStalledError` if the claim of the next record will not, or probably not, be published."""
        claim, now = self._native.head, time.monotonic()
        if claim != self._claim:
            self._claim, self._claimed_at = claim, now
        if dead:
            raise RingStalledError(
                "a producer was killed between claiming the next record and publishing it; no record behind it can be "
                "taken: create a new ring"
            )
        if (waited := now - self._claimed_at) > STALL_S:
            raise RingStalledError(
                f"a producer claimed the next record and has not published it for {waited:.1f} s: it was "
                "stopped or killed. Pop again if it will resume; otherwise create a new ring"
            )


class MpscRing(Ring):
    """Many producers, one consumer: by default 65,536 commands. See `Ring`."""

    kind = RingKind.MPSC

    def __init__(
        self,
        capacity: int = _core.ORDER_RING_CAPACITY,
        dtype: np.dtype[np.void] = COMMAND,
        *,
        wait: WaitStrategy = WaitStrategy.YIELD,
        path: str | Path | None = None,
    ) -> None:
        super().__init__(capacity, dtype, wait=wait, path=path)

    @classmethod
    def attach(
        cls, where: str | Path | int, dtype: np.dtype[np.void] = COMMAND, *, wait: WaitStrategy = WaitStrategy.YIELD
    ) -> Self:
        """See `Ring`: the ring that another process made with path `where`, or with `where` as its descriptor."""
        return cls._attached(where, dtype, wait)


class SpscRing(Ring):
    """One producer, one consumer: by default 32,768 events. See `Ring`."""

    kind = RingKind.SPSC

    def __init__(
        self,
        capacity: int = _core.MARKET_DATA_RING_CAPACITY,
        dtype: np.dtype[np.void] = EVENT,
        *,
        wait: WaitStrategy = WaitStrategy.YIELD,
        path: str | Path | None = None,
    ) -> None:
        super().__init__(capacity, dtype, wait=wait, path=path)

    @classmethod
    def attach(
        cls, where: str | Path | int, dtype: np.dtype[np.void] = EVENT, *, wait: WaitStrategy = WaitStrategy.YIELD
    ) -> Self:
        """See `MpscRing.attach`."""
        return cls._attached(where, dtype, wait)


def _received(cls: type[Ring], duplicate: Any, dtype: np.dtype[np.void], wait: WaitStrategy) -> Ring:
    descriptor = duplicate.detach()
    try:
        return cls._attached(descriptor, dtype, wait)
    finally:
        os.close(descriptor)


def _shape(kind: RingKind, dtype: object) -> RingShape:
    if not isinstance(dtype, np.dtype) or dtype not in (COMMAND, EVENT):
        raise ArrayError(f"a ring holds COMMAND or EVENT records, not {shown(dtype)}")
    return RingShape(kind, dtype.itemsize)


def _check_capacity(capacity: int) -> None:
    if not is_integer(capacity):
        raise UsageError(f"capacity: {shown(capacity)} is not an integer")
    if not 1 <= capacity <= _core.RING_CAPACITY_MAX or capacity & (capacity - 1):
        told, nearest = shown(int(capacity)), _nearest(int(capacity))
        raise UsageError(f"a ring's capacity is a power of two from 1 to 2^32, not {told}; {nearest}")


def _nearest(capacity: int) -> str:
    nearest = min(1 << max(capacity - 1, 0).bit_length(), _core.RING_CAPACITY_MAX)
    return f"use {nearest:,}"


def _strategy(wait: WaitStrategy) -> WaitStrategy:
    if is_integer(wait) and wait in frozenset(WaitStrategy):
        return WaitStrategy(wait)
    raise UsageError(f"{shown(wait)} is not a way to wait; use WaitStrategy.SPIN, YIELD or FAIL")


def _slice_ns(timeout_s: float | None) -> int:
    if timeout_s is None:
        return SLICE_NS
    return int(min(SLICE_NS, max(0.0, checked_seconds("timeout_s", timeout_s) * 1e9)))


def _deadline(timeout_s: float | None) -> float:
    return float("inf") if timeout_s is None else time.monotonic() + checked_seconds("timeout_s", timeout_s)
