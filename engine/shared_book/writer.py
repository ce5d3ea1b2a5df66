"""The writer of a mapped book: claims the file, recovers an earlier writer's book, publishes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from lowlat.arguments import checked_flag, checked_number
from lowlat.engine import _core
from lowlat.engine.matching.aligned import aligned_copy, aligned_empty, is_masked
from lowlat.engine.matching.arguments import checked_side
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import LEVEL, Levels, Side
from lowlat.engine.platform.mapped_file import MappedFile
from lowlat.engine.shared_book.errors import BookError, BookHeldError, BookLayoutError, LevelError, NotABookError
from lowlat.engine.shared_book.file import (
    SUFFIX,
    allocate,
    checked_symbol,
    create_book,
    folder_of,
    is_current,
    lock,
    open_book,
    opened_folder,
    process_status,
)
from lowlat.engine.shared_book.header import IDENTITY_BYTES, BookIdentity, header_of, identity_of, is_blank
from lowlat.engine.shared_book.reader import BookSnapshot, snapshot_of
from lowlat.engine.shared_book.records import BOOK_HEADER, BookState
from lowlat.errors import UsageError
from lowlat.file_lock import unlock
from lowlat.text import shown
from lowlat.uncopied import Uncopied

DEPTH: Final = 64
"""Default number of levels per side."""


class Found(Enum):
    """What a writer found under its book's name."""

    NEW = "nothing"
    CLOSED = "a book that was closed"
    KILLED = "a whole book of a writer that died"
    TORN = "a book whose writer died in the middle of an update"
    REPLACED = "a book of another version, size or instrument, or one never finished"


class MappedBookWriter(Uncopied):
    """Writes the book of `symbol` to its own file in `folder` (default: `default_folder`, created with mode
    0700): exclusively created, mode 0600, `depth` levels per side (even, up to 4096).

    `found` says what was there, `recovered` is the consistent book that an earlier writer left. In the file, the book
    starts empty with a new generation, so that nobody takes a dead engine's levels for live ones. A file that readers
    may have mapped is never truncated: one of another size is marked, unlinked and created again. If another process
    truncates it, publishing raises `InputError`.

    Raises `BookHeldError` while another writer is alive, `BookError`, `NotABookError` for a file that is not a book,
    and the folder and name errors of `MappedBookReader`.
    """

    found: Found
    recovered: BookSnapshot | None = None
    native: _core.BookWriter
    """The native object, for C++ loops that publish directly."""

    def __init__(
        self,
        symbol: str,
        *,
        folder: str | Path | None = None,
        depth: int = DEPTH,
        instrument: Instrument | None = None,
    ) -> None:
        rules = Instrument() if instrument is None else instrument
        if not isinstance(rules, Instrument):
            raise UsageError(f"instrument: {shown(rules)} is not an Instrument")
        self.identity = BookIdentity(checked_symbol(symbol), depth, rules.tick, rules.unit)
        self.folder = folder_of(folder)
        self._closed = True
        self._batches = 0
        with opened_folder(self.folder, create=True) as opened:
            self._file = self._claimed_file(opened)
            try:
                self._open_book()
            except BaseException:
                if is_blank(os.pread(self._file, 8, 0)):
                    os.unlink(symbol + SUFFIX, dir_fd=opened)
                os.close(self._file)
                raise
        self._closed = False

    def publish(self, engine: MatchingEngine, symbol: int = 0, *, command: int = 0) -> bool:
        """Update the book to an engine's, writing only changed levels. Returns whether anything changed.

        `command`: the number of the last command, for a `ReferenceEngine`; the native engine counts itself.
        Raises `UsageError`, `BusyError`.
        """
        if not isinstance(engine, MatchingEngine):
            raise UsageError(f"engine: {shown(engine)} is not an engine")
        if isinstance(engine, Engine):
            engine.instrument(symbol)  # raises for an unknown symbol
            return self._open_native.publish_engine(engine.matcher, symbol)
        bids, asks = (engine.depth(side, self.identity.depth, symbol) for side in Side)
        return self.publish_levels(bids, asks, command=command)

    def publish_levels(self, bids: Levels, asks: Levels, *, command: int = 0) -> bool:
        """The same from `LEVEL` arrays of shape (n,), best first; levels beyond the depth are ignored.

        Raises `LevelError`, with nothing changed, if prices are out of order, repeat or cross, or a level is empty.
        """
        rows = [_checked_levels(levels, side) for levels, side in ((bids, Side.BUY), (asks, Side.SELL))]
        if all(len(levels) for levels in rows) and rows[0]["price"][0] >= rows[1]["price"][0]:
            raise LevelError(f"the best bid {rows[0]['price'][0]} reaches the best ask {rows[1]['price'][0]}")
        return self._open_native.publish_levels(rows[0], rows[1], _checked_command(command))

    def update_level(self, side: Side, price: int, quantity: int, orders: int = 1, *, command: int = 0) -> None:
        """Set the level at a price; a quantity of 0 removes it. Published at once, or with the `batch`.

        The writer keeps all updated levels, so that one beyond the depth appears when better ones are removed; after a
        `publish` it continues from the levels that readers see.
        Raises `LevelError` if a number does not fit, or if the best bid would reach the best ask: then readers keep the
        previous book until further updates uncross it; `UsageError`.
        """
        native = self._open_native
        side, command = checked_side(side), _checked_command(command)
        try:
            native.update_level(side, price, quantity, orders)
        except TypeError:
            level = f"a level of {shown(quantity)} at {shown(price)}, order count {shown(orders)}"
            raise LevelError(f"{level}: out of range") from None
        if not self._batches:
            self._publish_updates(command)

    @contextmanager
    def batch(self, *, command: int = 0) -> Iterator[None]:
        """Group updates, such as those of one command, so that readers see them all at once."""
        command = _checked_command(command)
        self._batches += 1
        try:
            yield
        finally:
            self._batches -= 1
        if not self._batches:
            self._publish_updates(command)

    def heartbeat(self) -> None:
        """Say that the writer lives although nothing changes; each publication says so too.

        `lowlat book` tells when there was none for a while. Call it where the program waits for orders.
        """
        self._open_native.beat()

    def close(self, *, unlink: bool = False) -> None:
        """Mark the book closed and release it; its last levels stay readable unless `unlink`."""
        unlink = checked_flag("unlink", unlink)
        if self._closed:
            return
        self._closed = True
        self.native.close(BookState.CLOSED)
        if unlink:
            with opened_folder(self.folder, create=False) as opened:
                if is_current(opened, self.identity.symbol, self._file):
                    os.unlink(self.identity.symbol + SUFFIX, dir_fd=opened)
        del self.native
        self._map.close()
        unlock(self._file)
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _name(self) -> str:
        return str(self.folder / (self.identity.symbol + SUFFIX))

    @property
    def _open_native(self) -> _core.BookWriter:
        if self._closed:
            raise BookError(f"the writer of book {self.identity.symbol} is closed; create a new one")
        return self.native

    def _publish_updates(self, command: int) -> None:
        if not self._open_native.publish_updates(command):
            raise LevelError(
                "the best bid reaches the best ask; readers keep the previous book; send the updates that uncross it"
            )

    def _claimed_file(self, folder: int) -> int:
        """The book's file, locked: a new one, or an existing one with the same identity."""
        symbol = self.identity.symbol
        self.found = Found.NEW
        while True:
            book = create_book(folder, symbol)
            if book is not None:
                return book
            book = open_book(folder, symbol, write=True)
            try:
                if not lock(book):
                    raise BookHeldError(
                        f"book {symbol} has a live writer, {_holder(book)}; stop it, or use another symbol"
                    )
                if is_current(folder, symbol, book):  # else another writer has replaced it in between
                    if self._is_usable(book):
                        return book
                    self.found = Found.REPLACED
                    os.unlink(symbol + SUFFIX, dir_fd=folder)
            except BaseException:
                os.close(book)
                raise
            os.close(book)

    def _is_usable(self, book: int) -> bool:
        """Whether an existing file can be used for this book; marks it if it is an intact other book."""
        raw = os.pread(book, BOOK_HEADER.itemsize, 0)
        if is_blank(raw):
            return False
        try:
            there = identity_of(raw, os.fstat(book).st_size)
        except NotABookError as error:
            if raw[:8] == self.identity.to_bytes()[:8]:
                return False
            raise NotABookError(f"{self._name}: {error}") from error
        except BookLayoutError:
            return False
        if raw[:IDENTITY_BYTES] == self.identity.to_bytes():
            return True
        with MappedFile(book, there.file_bytes, self._name, writable=True) as other:
            _core.BookWriter(other, there.depth, other.name).close(BookState.REPLACED)
        return False

    def _open_book(self) -> None:
        size = self.identity.file_bytes
        allocate(self._file, size, self.identity.symbol)
        self._map = MappedFile(self._file, size, self._name, writable=True)
        if is_blank(self._map[:8]):
            _core.format_book(self._map, self.identity.to_bytes())
        else:
            self._recover()
        self.native = _core.BookWriter(self._map, self.identity.depth, self._map.name)
        status = process_status(os.getpid())
        self.native.open(os.getpid(), status.start if status else 0)

    def _recover(self) -> None:
        """Determine what an earlier writer left, and keep a copy of it if it is consistent."""
        bids, asks = (aligned_empty(self.identity.depth, LEVEL) for _ in Side)
        stamp = _core.BookReader(self._map, self.identity.depth, self._map.name).snapshot(bids, asks)
        try:
            self.recovered = snapshot_of(bids, asks, stamp) if stamp else None
        except NotABookError:
            self.found = Found.REPLACED
            return
        if self.recovered is None:
            self.found = Found.TORN
        else:
            self.found = Found.CLOSED if self.recovered.state is BookState.CLOSED else Found.KILLED


def _holder(book: int) -> str:
    """The holder of a book's lock, as far as its header and this host's process table show."""
    raw = os.pread(book, BOOK_HEADER.itemsize, 0)
    if len(raw) < BOOK_HEADER.itemsize or is_blank(raw):
        return "which is just starting"
    owner = header_of(raw)
    status = process_status(int(owner["pid"]))
    if status and status.start == owner["start"]:
        return f"process {owner['pid']}"
    return f"a child of process {owner['pid']} which has outlived it, or one in another container"


def _checked_command(command: int) -> int:
    return checked_number("command", command, 0, 2**64 - 1)


def _checked_levels(levels: Levels, side: Side) -> Levels:
    """Check and convert `levels` for publishing. Raises `LevelError`."""
    if getattr(levels, "dtype", None) != LEVEL or levels.ndim != 1:
        raise LevelError("levels are a one-dimensional array of engine.LEVEL")
    if is_masked(levels):
        raise LevelError("levels are a masked array, whose masked ones would be shown too; pass .compressed()")
    prices = levels["price"]
    sound = prices[:-1] > prices[1:] if side is Side.BUY else prices[:-1] < prices[1:]
    if not np.all(sound):
        at = int(np.argmin(sound))
        raise LevelError(f"{side.name} levels come best first, each price once: {prices[at]}, then {prices[at + 1]}")
    if not np.all(levels["quantity"]):
        raise LevelError(f"the {side.name} level at {prices[int(np.argmin(levels['quantity']))]} is empty")
    return aligned_copy(levels)
