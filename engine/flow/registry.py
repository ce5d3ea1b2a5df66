"""Every reader of recorded order flow. To add one, put a module in `readers/` and its name in `_built_in`, or install a
package with an entry point in the group `lowlat.readers`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lowlat.compression import COMPRESSED
from lowlat.engine.feed.source import is_empty, unpacked_beginning
from lowlat.engine.flow.other_formats import BEGINNING_BYTES, other_format
from lowlat.errors import InputError, PlugInError, UsageError
from lowlat.inputs import check_regular, unreadable
from lowlat.registry import Registry

if TYPE_CHECKING:
    from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
    from lowlat.engine.flow.order_flow import Flow
    from lowlat.engine.flow.recording import Ints, RecordedFlow, VenueBook


@dataclass(frozen=True, slots=True)
class Reader:
    """One format of recorded orders.

    `noun`: the word for such a file in messages. A reader has one of two: `open` returns the file's level-3 events, of
    which `recorded_flow` makes commands; `read` returns commands, for files that hold those. A file is recognized by
    its first bytes once unpacked (`begins`) or its suffix but for that of its compression (`suffixes`, in any case).
    `kind`: the word for a file with these first bytes, where `noun` is not exact, such as one with its version.
    `read_book`: reads what the venue displayed from a separate file. `open_book`: the rows of that file, a block at a
    time: int64 (n, 4 * levels), zeros for levels that there are not.
    """

    name: str
    noun: str
    sentence: str
    open: Callable[[Path, ReadOptions], OrderEventStream] | None = None
    read: Callable[[Path], RecordedFlow | Flow] | None = None
    begins: re.Pattern[bytes] | None = None
    suffixes: tuple[str, ...] = ()
    kind: Callable[[bytes], str] | None = None
    read_book: Callable[[Path], VenueBook] | None = None
    open_book: Callable[[Path], Iterator[Ints]] | None = None

    def flow(
        self, path: Path, book: VenueBook | None = None, options: ReadOptions | None = None
    ) -> RecordedFlow | Flow:
        """The commands of a file: a `RecordedFlow` if it holds the venue's own executions. `book`: see `recorded_flow`.

        Raises what reading the file raises, and `PlugInError` for a reader that can neither open nor read it.
        """
        if self.read is not None:
            return self.read(path)
        if self.open is None:
            raise PlugInError(f"the reader {self.name} has neither 'open' nor 'read'; give it one")
        from lowlat.engine.feed.stream import ReadOptions
        from lowlat.engine.flow.recording import recorded_flow

        options = options or ReadOptions()
        return recorded_flow(self.events(path, options), book, options.progress)

    def events(self, path: Path, options: ReadOptions) -> OrderEventStream:
        """The events of a file whose reader has `open`, as `checked_part` checks them. Raises what both raise."""
        from lowlat.engine.flow.part import checked_part

        assert self.open is not None
        stream = checked_part(self.open(path, options), options)
        if options.progress is not None:
            from lowlat.engine.feed.telling import tell_of_reading

            tell_of_reading(stream, options.progress)
        return stream

    def knows_beginning(self, start: bytes) -> bool:
        """Whether a file that, unpacked, begins with these bytes is in this format."""
        return self.begins is not None and self.begins.match(start) is not None

    def named(self, start: bytes) -> str:
        """What a file with these first bytes is, with its article."""
        return _with_article(self.kind(start) if self.kind else self.noun)

    def knows_name(self, path: Path) -> bool:
        """Whether the file has a suffix of this format."""
        name = path.name.lower()
        plain = name.removesuffix(next((suffix for suffix in COMPRESSED if name.endswith(suffix)), ""))
        return plain.endswith(self.suffixes)


def _built_in() -> Sequence[Reader]:
    from lowlat.engine.flow.readers import databento, itch, journal, lobster, table

    return lobster.READER, itch.READER, databento.READER, table.READER, journal.READER


READERS: Final = Registry("lowlat.readers", Reader, _built_in)


def reader_of(path: Path, name: str | None = None, option: str | None = None) -> Reader:
    """The reader with this name, or else the one that recognizes the file, by content first, then by name. Readers of
    other packages are loaded and tried only if no built-in one recognizes it. `option`: what to remove if
    `name` is wrong; by default the right `--format` is named.

    Raises `InputError` for an empty file; `UsageError` for one that no reader recognizes, or that begins as one of
    another format does (`other_format`); `UsageError` and `PlugInError` as `Registry.get` does.
    """
    try:
        start = unpacked_beginning(path, BEGINNING_BYTES)
        found = [reader for reader in READERS.built_in.values() if reader.knows_beginning(start)]
        if not found:
            check_regular(path)
            if not start and is_empty(path):
                raise InputError(f"{path}: the file is empty; fetch it again")
    except OSError as error:
        raise UsageError(f"{path}: {unreadable(error)}") from error
    if name is None:
        return found[0] if found else _recognized(path, start)
    chosen = READERS.get(name)
    if found and chosen not in found:
        right = f"remove {option}" if option else f"use --format {found[0].name}"
        raise UsageError(f"{path} is {found[0].named(start)}, not {_with_article(chosen.noun)}; {right}")
    if not found and name in READERS.built_in and (other := other_format(start)):
        raise UsageError(f"{path} is {other}")
    return chosen


def _recognized(path: Path, start: bytes) -> Reader:
    other = other_format(start)
    if other is None:
        for reader in READERS.built_in.values():
            if reader.knows_name(path):
                return reader
    readers, faults = [], []
    for name in READERS.offered():
        try:
            readers.append(READERS.get(name))
        except PlugInError as error:
            faults.append(str(error))
    for reader in readers:
        if reader.knows_beginning(start) or reader.knows_name(path):
            return reader
    if other is not None:
        raise UsageError(f"{path} is {other}")
    known = "; ".join([READERS.listing(), *faults])
    raise UsageError(f"{path} is in no known format; name its format with --format: {known}")


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'AEIOaeio' else 'a'} {noun}"
