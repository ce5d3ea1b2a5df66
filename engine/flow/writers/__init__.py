"""What recorded orders can be written as: tables of level-3 events, and journals of the commands made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from lowlat.errors import UsageError

if TYPE_CHECKING:
    from lowlat.engine.feed.stream import OrderEventStream


@dataclass(frozen=True, slots=True)
class Writer:
    """One format. `write` writes the events of a stream to an open file, and returns how many; without it, the format
    holds commands. `only_rows`: whether it has no place for what rows do not tell of a recording.
    """

    name: str
    sentence: str
    write: Callable[[OrderEventStream, BinaryIO], int] | None = None
    only_rows: bool = False


def _parquet(stream: OrderEventStream, file: BinaryIO) -> int:
    from lowlat.engine.flow.writers.tables import write_parquet

    return write_parquet(stream, file)


def _arrow(stream: OrderEventStream, file: BinaryIO) -> int:
    from lowlat.engine.flow.writers.tables import write_arrow

    return write_arrow(stream, file)


def _csv(stream: OrderEventStream, file: BinaryIO) -> int:
    from lowlat.engine.flow.writers.tables import write_csv

    return write_csv(stream, file)


WRITERS: Final[Mapping[str, Writer]] = {
    writer.name: writer
    for writer in (
        Writer("parquet", "a table of events, Parquet", _parquet),
        Writer("arrow", "a table of events, Arrow", _arrow),
        Writer("csv", "a table of events, CSV", _csv, only_rows=True),
        Writer("journal", "a journal of the commands that a replay sends"),
    )
}
"""All of them by name, which is also the suffix of their files."""


def writer_of(path: Path, name: str | None) -> Writer:
    """The writer of this name, else the one of the file's suffix. Raises `UsageError`, which lists all."""
    wanted = path.suffix.lower().removeprefix(".") if name is None else name
    if wanted not in WRITERS:
        known = ", ".join(WRITERS)
        said = f"{path}: its suffix does not tell a format" if name is None else f"--to {name} is unknown"
        raise UsageError(f"{said}; name one with --to: {known}")
    return WRITERS[wanted]
