"""What a recording holds, before it is replayed: which file it is, its symbols, and their events."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from lowlat.engine.feed.stream import ReadOptions, TimeBase
from lowlat.engine.flow.registry import Reader, reader_of
from lowlat.errors import InputError, UsageError
from lowlat.fleet.identity import FileIdentity, identity_of


class ReplayedPart(msgspec.Struct, frozen=True):
    """What of each file is replayed, as the options of `lowlat replay` say it: `symbols` (empty: all), from `begin_ns`
    (what is before builds the book) up to `until_ns`, in time of `time_base`; `columns`: what those of a table mean.
    `format`: the reader's name; None: by the file.
    """

    symbols: tuple[str, ...] = ()
    begin_ns: int | None = None
    until_ns: int | None = None
    time_base: TimeBase | None = None
    columns: str | None = None
    format: str | None = None

    def read_options(self, symbols: tuple[str, ...]) -> ReadOptions:
        """What a reader is asked for, of these symbols."""
        return ReadOptions(frozenset(symbols), self.until_ns, self.columns, self.time_base)

    def reader(self, path: Path) -> Reader:
        """The reader of a file. Raises what `reader_of` raises, and `UsageError` for one that holds commands."""
        reader = reader_of(path, self.format)
        if reader.open is None:
            raise UsageError(f"{path} is a {reader.noun}, not a venue's recording; replay it alone")
        return reader


class SurveyedFile(msgspec.Struct, frozen=True):
    """One recording. `events`: by symbol, those without any left out."""

    identity: FileIdentity
    format: str
    events: dict[str, int]


def survey(path: str, part: ReplayedPart) -> SurveyedFile:
    """Read a recording to its end, in bounded memory. Raises `InputError` and what reading it raises."""
    file = Path(path)
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{path}: its name is not UTF-8, which documents are; rename it") from error
    reader = part.reader(file)
    stream = reader.events(file, part.read_options(part.symbols))
    counts = np.zeros(1, np.int64)
    for block in stream.blocks:
        more = np.bincount(block["symbol"])
        if len(more) > len(counts):
            counts = np.concatenate([counts, np.zeros(len(more) - len(counts), np.int64)])
        counts[: len(more)] += more
    events: dict[str, int] = {}
    for number in np.flatnonzero(counts).tolist():
        name = stream.symbols[number].partition("@")[0]  # NAME@PUBLISHER is asked for as NAME
        events[name] = events.get(name, 0) + int(counts[number])
    # Only now: it reads all of the file, also of a sparse one that is no recording.
    return SurveyedFile(identity_of(file), reader.name, events)
