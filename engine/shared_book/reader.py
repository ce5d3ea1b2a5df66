"""The reading end of a mapped book: copies of one moment, or views with a check."""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeVar

import numpy as np

from lowlat.engine import _core
from lowlat.engine.matching.interface import TopOfBook, UnknownSideError
from lowlat.engine.matching.records import LEVEL, Levels, Side
from lowlat.engine.shared_book.errors import BookBusyError, BookError, NotABookError, NoWriterError, WriterDiedError
from lowlat.engine.shared_book.file import SUFFIX, checked_symbol, default_folder, is_held, open_book, opened_folder
from lowlat.engine.shared_book.header import BookIdentity, header_of, identity_of, is_blank
from lowlat.engine.shared_book.records import BOOK_HEADER, BookState

Read = TypeVar("Read")

PATIENCE_S: Final = 0.1
"""How long a reader waits for a live writer to finish an update; one takes microseconds, unless it is off its CPU."""


@dataclass(frozen=True, slots=True)
class BookSnapshot:
    """A book as it stood at one moment: `LEVEL` arrays of one's own, best level first.

    `sequence`: changes with every update, even; `command`: the source's number of the command after which the book
    first looked so; `generation`: writers so far; `pid`: the writer's; `state`: what it last said.
    """

    bids: Levels
    asks: Levels
    sequence: int
    command: int
    generation: int
    pid: int
    state: BookState

    @property
    def best(self) -> TopOfBook:
        """Best bid and ask."""
        sides: list[int | None] = []
        for rows in (self.bids, self.asks):
            sides += [int(rows[0]["price"]), int(rows[0]["quantity"])] if len(rows) else [None, None]
        return TopOfBook(*sides)


class MappedBookReader:
    """Reads the book of `symbol` in `folder` (default: `$XDG_RUNTIME_DIR/lowlat`) while another process writes it.

    With `live_only` false a book without a writer may be read too: the last whole one that it left.
    Raises `SymbolNameError`, `BookFolderError`, `NoSuchBookError`, `NoWriterError`, `BookPermissionError`,
    `UnsafeBookError`, `BookVersionError`, `BookSizeError`, `TruncatedBookError`, `NotABookError`; `BookBusyError` when
    the writer is still setting the book up.
    """

    identity: BookIdentity

    def __init__(self, symbol: str, *, folder: Path | None = None, live_only: bool = True) -> None:
        self.live_only = live_only
        name = checked_symbol(symbol)
        with opened_folder(folder or default_folder(), create=False) as opened:
            self._file = open_book(opened, name, write=False)
        try:
            self.identity = _identity_in(self._file, name)
            self._map = mmap.mmap(self._file, self.identity.file_bytes, mmap.MAP_SHARED, mmap.PROT_READ)
        except BaseException:
            os.close(self._file)
            raise
        self._native: _core.BookReader | None = _core.BookReader(self._map, self.identity.depth)
        self._sides = [
            np.frombuffer(self._map, LEVEL, self.identity.depth, self.identity.side_offset(side)) for side in Side
        ]
        if live_only and not self.has_writer:
            try:
                raise self._no_writer()
            finally:
                self.close()

    def snapshot(self, levels: int = 10, *, patience_s: float = PATIENCE_S) -> BookSnapshot:
        """A consistent copy of the best `levels` of both sides, shorter where there are fewer.

        Raises `WriterDiedError` when the writer died in the middle of an update, `BookBusyError` when a live one was
        in the middle of one for `patience_s`, `NoWriterError` when it has closed the book (unless not `live_only`).
        """
        room = max(0, min(levels, self.identity.depth))
        bids, asks = np.empty(room, LEVEL), np.empty(room, LEVEL)
        sequence, command, generation, pid, state, bid_count, ask_count = self._patiently(
            lambda native: native.snapshot(bids, asks), patience_s
        )
        if self.live_only and state != BookState.LIVE:
            raise self._no_writer()
        return BookSnapshot(bids[:bid_count], asks[:ask_count], sequence, command, generation, pid, BookState(state))

    def best(self) -> TopOfBook:
        """Best bid and ask, of one moment. Raises as `snapshot`."""
        return self.snapshot(1).best

    def depth(self, side: Side, levels: int | None = None) -> Levels:
        """The best levels of a side as a read-only view of the mapped memory: nothing is copied, and it changes under
        the reader's eyes. What was computed from views counts only if `valid` says so; `read` does this by itself.
        """
        if side not in frozenset(Side):
            raise UnknownSideError(f"side {side!r} is neither Side.BUY nor Side.SELL")
        shown = self._open_native.count(side)
        return self._sides[side][: shown if levels is None else max(0, min(levels, shown))]

    @property
    def sequence(self) -> int:
        """To be asked before views are read; odd while an update is under way."""
        return self._open_native.sequence()

    def valid(self, sequence: int) -> bool:
        """Whether all that was read from views since `sequence` was asked belongs to one book."""
        return self._open_native.unchanged(sequence)

    def read(self, work: Callable[[MappedBookReader], Read], *, patience_s: float = PATIENCE_S) -> Read:
        """What `work` makes of the views when no update came in between; it may be called several times, must not keep
        views, and must bear levels that make no sense. Raises as `snapshot`.
        """

        def attempt(_native: _core.BookReader) -> tuple[Read] | None:
            sequence = self.sequence
            if sequence % 2:
                return None
            result = work(self)
            return (result,) if self.valid(sequence) else None

        (result,) = self._patiently(attempt, patience_s)
        return result

    @property
    def has_writer(self) -> bool:
        """Whether a live process holds the book: asks the kernel for the writer's lock, which dies with the process."""
        return is_held(self._file)

    def check_writer(self) -> None:
        """Raise `NoWriterError` when nobody writes the book any more."""
        if not self.has_writer:
            raise self._no_writer()

    def close(self) -> None:
        """Detach. Views that are still about stay readable; the mapping goes with the last of them."""
        if self._native is None:
            return
        self._native = None
        self._sides = []
        with suppress(BufferError):  # a view is still about
            self._map.close()
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _open_native(self) -> _core.BookReader:
        if self._native is None:
            raise BookError(f"the reader of book {self.identity.symbol} is closed; make a new one")
        return self._native

    def _patiently(self, attempt: Callable[[_core.BookReader], Read | None], patience_s: float) -> Read:
        """The first result that is not None. Never waits for a dead writer, nor longer than told for a live one."""
        native = self._open_native
        deadline = None  # not asked for where the first attempt succeeds
        while (result := attempt(native)) is None:
            deadline = deadline or time.monotonic() + patience_s
            if native.sequence() % 2 and not self.has_writer:
                raise WriterDiedError(
                    f"the writer of book {self.identity.symbol} died in the middle of an update: "
                    "no whole book is left; start a writer again, and attach anew"
                )
            if time.monotonic() > deadline:
                raise BookBusyError(
                    f"book {self.identity.symbol} was changing all the while for {patience_s:g} s; its writer is "
                    "stopped in the middle of an update, or publishes without a pause: try again"
                )
            time.sleep(0)  # the writer may be waiting for this CPU
        return result

    def _no_writer(self) -> NoWriterError:
        owner = header_of(self._map[: BOOK_HEADER.itemsize])
        last = {BookState.CLOSED: "has closed it", BookState.REPLACED: "was followed by one with another layout"}
        said = last.get(owner["state"], "is gone without closing it")
        return NoWriterError(
            f"book {self.identity.symbol} has no writer: the last one (process {owner['pid']}) {said}; start one"
        )


def _identity_in(book: int, symbol: str) -> BookIdentity:
    """What the open file is, waiting a little for a writer that is just making it."""
    deadline = time.monotonic() + PATIENCE_S
    while is_blank(raw := os.pread(book, BOOK_HEADER.itemsize, 0)):
        if not is_held(book):
            raise NoWriterError(f"book {symbol} was never finished: its writer died while making it; start one")
        if time.monotonic() > deadline:
            raise BookBusyError(f"book {symbol} is still being made; try again")
        time.sleep(0.001)
    identity = identity_of(raw, os.fstat(book).st_size)
    if identity.symbol != symbol:
        raise NotABookError(f"{symbol}{SUFFIX} holds the book of {identity.symbol!r}: it was renamed; remove it")
    return identity
