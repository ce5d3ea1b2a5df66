"""The reader of a mapped book: consistent copies, or views with a check."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import numpy as np

from lowlat import units
from lowlat.arguments import checked_flag, checked_number, checked_seconds
from lowlat.engine import _core
from lowlat.engine.matching.arguments import checked_levels, checked_side
from lowlat.engine.matching.interface import TopOfBook
from lowlat.engine.matching.records import LEVEL, Levels, Side
from lowlat.engine.platform.mapped_file import MappedFile
from lowlat.engine.shared_book.errors import BookBusyError, BookError, NotABookError, NoWriterError
from lowlat.engine.shared_book.file import (
    SUFFIX,
    checked_symbol,
    folder_of,
    is_held,
    open_book,
    opened_folder,
    process_status,
)
from lowlat.engine.shared_book.header import BookIdentity, header_of, identity_of, is_blank
from lowlat.engine.shared_book.records import BOOK_HEADER, BookState
from lowlat.errors import UsageError
from lowlat.reports.model.book import STALE_S, WriterState
from lowlat.text import shown
from lowlat.uncopied import Uncopied

Read = TypeVar("Read")

PATIENCE_S: Final = 0.1
"""How long a reader waits for a live writer's update, which takes microseconds unless the writer is descheduled."""
FUTURE_NS: Final = 1_000_000_000
"""Clocks that are read a little apart may differ by less."""


@dataclass(frozen=True, slots=True)
class BookSnapshot:
    """A consistent copy of a book: private `LEVEL` arrays, best level first.

    `sequence`: even, changes with every update; `command`: the source's number of the command that led to this book;
    `generation`: number of writers so far; `pid`: the writer's; `state`: the last one it set; `heartbeat_ns`: when it
    last published or said that it lives, in nanoseconds since 1970, to some milliseconds; 0: never.
    """

    bids: Levels
    asks: Levels
    sequence: int
    command: int
    generation: int
    pid: int
    heartbeat_ns: int
    state: BookState

    @property
    def age_s(self) -> float | None:
        """Seconds since the heartbeat; None without one, or if the clock was set back behind it."""
        return age_s(self.heartbeat_ns)

    @property
    def best(self) -> TopOfBook:
        """Best bid and ask."""
        sides: list[int | None] = []
        for rows in (self.bids, self.asks):
            sides += [int(rows[0]["price"]), int(rows[0]["quantity"])] if len(rows) else [None, None]
        return TopOfBook(*sides)


class MappedBookReader(Uncopied):
    """Reads the book of `symbol` in `folder` (default: `default_folder`) while another process writes it.

    With `live_only` false, the last consistent book of a former writer can be read too. If the file is truncated while
    it is in use, every method raises `InputError`, and views read zeros.
    Raises `UsageError` for a symbol that cannot name a book, `NoSuchBookError`, `NoWriterError`, `BookLayoutError`,
    `NotABookError`, `BookBusyError` while the writer is still setting the book up; `BookError` for an unusable file or
    folder.
    """

    identity: BookIdentity

    def __init__(self, symbol: str, *, folder: str | Path | None = None, live_only: bool = True) -> None:
        self.live_only = checked_flag("live_only", live_only)
        name = checked_symbol(symbol)
        where = folder_of(folder)
        with opened_folder(where, create=False) as opened:
            self._file = open_book(opened, name, write=False)
        try:
            self.identity = _identity_in(self._file, name)
            self._map = MappedFile(self._file, self.identity.file_bytes, str(where / (name + SUFFIX)))
        except BaseException:
            os.close(self._file)
            raise
        self._native: _core.BookReader | None = _core.BookReader(self._map, self.identity.depth, self._map.name)
        self._sides = [
            np.frombuffer(self._map, LEVEL, self.identity.depth, self.identity.side_offset(side)) for side in Side
        ]
        if live_only and not self.has_writer:
            try:
                raise self._no_writer()
            finally:
                self.close()

    def snapshot(self, levels: int = 10, *, patience_s: float = PATIENCE_S) -> BookSnapshot:
        """A consistent copy of the best `levels` of both sides, shorter if there are fewer.

        Raises `BookBusyError` if a live writer was in the middle of an update for `patience_s`, `NoWriterError` if it
        died during an update or (if `live_only`) has closed the book.
        """
        room = checked_levels(levels, self.identity.depth)
        bids, asks = np.empty(room, LEVEL), np.empty(room, LEVEL)
        stamp = self._patiently(lambda native: native.snapshot(bids, asks), patience_s)
        book = snapshot_of(bids, asks, stamp)
        if self.live_only and book.state is not BookState.LIVE:
            raise self._no_writer()
        return book

    def best(self) -> TopOfBook:
        """Consistent best bid and ask. Raises what `snapshot` does."""
        return self.snapshot(1).best

    def depth(self, side: Side, levels: int | None = None) -> Levels:
        """The best levels of a side as a read-only view of the mapped memory: no copy, and it can change at any time.
        Results computed from views are valid only if `valid` returns true; `read` checks this itself.
        """
        side = checked_side(side)
        count = self._open_native.count(side)
        return self._sides[side][: count if levels is None else checked_levels(levels, count)]

    @property
    def sequence(self) -> int:
        """Read it before reading views; odd during an update."""
        return self._open_native.sequence()

    def valid(self, sequence: int) -> bool:
        """Whether everything read from views since `sequence` belongs to one consistent book."""
        return self._open_native.unchanged(checked_number("sequence", sequence, 0, 2**64 - 1))

    def read(self, work: Callable[[MappedBookReader], Read], *, patience_s: float = PATIENCE_S) -> Read:
        """The result of `work` on the views without an update in between. `work` may be called several times, must not
        keep views, and must tolerate inconsistent levels. Raises what `snapshot` does.
        """

        def attempt(_native: _core.BookReader) -> tuple[Read] | None:
            sequence = self.sequence
            if sequence % 2:
                return None
            result = work(self)
            return (result,) if self._open_native.unchanged(sequence) else None

        if not callable(work):
            raise UsageError(f"work: {shown(work)} cannot be called; pass a function of the reader")
        (result,) = self._patiently(attempt, patience_s)
        return result

    @property
    def has_writer(self) -> bool:
        """Whether a live process holds the book: checks the writer's lock, which ends with its process."""
        return is_held(self._file)

    @property
    def writer_state(self) -> WriterState:
        """What the writer's process does, whether or not it publishes."""
        if not self.has_writer:
            return "exited"
        owner = self._header()
        status = process_status(int(owner["pid"]))
        return "stopped" if status and status.stopped and status.start == owner["start"] else "running"

    def check_writer(self) -> None:
        """Raise `NoWriterError` if the book has no writer any more."""
        if not self.has_writer:
            raise self._no_writer()

    def close(self) -> None:
        """Detach. Existing views stay readable; the mapping ends with the last of them."""
        if self._native is None:
            return
        self._native = None
        self._sides = []
        with suppress(BufferError):  # a view still exists
            self._map.close()
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _open_native(self) -> _core.BookReader:
        if self._native is None:
            raise BookError(f"the reader of book {self.identity.symbol} is closed; create a new one")
        return self._native

    def _patiently(self, attempt: Callable[[_core.BookReader], Read | None], patience_s: float) -> Read:
        """The first result that is not None. Waits up to `patience_s` for a live writer, never for a dead one."""
        native = self._open_native
        patience_s = checked_seconds("patience_s", patience_s)
        deadline = None  # not computed if the first attempt succeeds
        while (result := attempt(native)) is None:
            deadline = deadline or time.monotonic() + patience_s
            if native.sequence() % 2 and not self.has_writer:
                raise NoWriterError(
                    f"the writer of book {self.identity.symbol} died during an update: "
                    "no consistent book is left; restart the writer and attach again"
                )
            if not time.monotonic() <= deadline:  # NaN too
                raise BookBusyError(
                    f"book {self.identity.symbol} kept changing for {patience_s:g} s; its writer "
                    "stopped during an update, or publishes without a pause: try again"
                )
            time.sleep(0)  # the writer may be waiting for this CPU
        return result

    def _no_writer(self) -> NoWriterError:
        owner = self._header()
        last = {BookState.CLOSED: "has closed it", BookState.REPLACED: "was followed by one with another layout"}
        said = last.get(owner["state"], "exited without closing it")
        age = age_s(int(owner["heartbeat"]))
        since = f"; not updated for {units.age(age)}" if age is not None and age >= STALE_S else ""
        return NoWriterError(
            f"book {self.identity.symbol} has no writer: the last one (process {owner['pid']}) {said}{since}; start one"
        )

    def _header(self) -> Any:
        raw = self._map[: BOOK_HEADER.itemsize]
        self._map.check()
        return header_of(raw)


def snapshot_of(bids: Levels, asks: Levels, stamp: tuple[int, ...]) -> BookSnapshot:
    """From the arrays and the stamp that `BookReader.snapshot` filled. Raises `NotABookError` for an unknown state."""
    sequence, command, generation, pid, heartbeat_ns, state, bid_count, ask_count = stamp
    if state not in frozenset(BookState) or (state == BookState.LIVE and pid == 0):
        raise NotABookError(f"the book's writer is process {pid} in state {state}, which cannot be; restart its writer")
    return BookSnapshot(
        bids[:bid_count], asks[:ask_count], sequence, command, generation, pid, heartbeat_ns, BookState(state)
    )


def age_s(heartbeat_ns: int) -> float | None:
    """Seconds since a heartbeat; None without one, or if it is in the future."""
    age_ns = time.time_ns() - heartbeat_ns
    return max(age_ns, 0) / 1e9 if heartbeat_ns and age_ns > -FUTURE_NS else None


def _identity_in(book: int, symbol: str) -> BookIdentity:
    """The identity of the open file; waits briefly for a writer that is still creating it."""
    deadline = time.monotonic() + PATIENCE_S
    while is_blank(raw := os.pread(book, BOOK_HEADER.itemsize, 0)):
        if not is_held(book):
            raise NoWriterError(f"book {symbol} was never completed: its writer died while creating it; start a writer")
        if time.monotonic() > deadline:
            raise BookBusyError(f"book {symbol} is still under creation; try again")
        time.sleep(0.001)
    identity = identity_of(raw, os.fstat(book).st_size)
    if identity.symbol != symbol:
        raise NotABookError(f"{symbol}{SUFFIX} holds the book of {identity.symbol!r}: it was renamed; remove it")
    return identity
