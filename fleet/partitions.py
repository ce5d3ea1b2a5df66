"""The partitions of recordings, in a stated order: they are what they are for any number of workers.

By file: each file is a partition, in the order in which the files are named, those of a folder or a pattern by name.
By symbol: each symbol of a file is one, within a file by name; symbols without an event have none. A partition has its
own books, so partitions need not know of one another. What it gives depends on its file and symbols alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from lowlat import units
from lowlat.errors import UsageError
from lowlat.fleet.identity import FileIdentity
from lowlat.fleet.survey import SurveyedFile
from lowlat.reports.model.replays import Division, Mode

PARTITIONS_MAX: Final = 100_000
"""Their results are held until the end, and a scheduler gets them all at once."""
BASE_BYTES: Final = 128 << 20
"""What a partition takes without an event: Python, numpy, an engine, and a run."""
SYMBOL_BYTES: Final[dict[Mode, int]] = {"match": 24 << 10, "rebuild": 8 << 10}
"""What a symbol's book adds, rounded up (`python tools/measure/partition_memory.py`, of a day of 8,000 symbols)."""
EVENT_BYTES: Final[dict[Mode, int]] = {"match": 600, "rebuild": 300}
"""What an event adds, rounded up: 480 bytes resident to match, 75 to rebuild, where address space that is kept for
orders counts too (`python tools/measure/partition_memory.py`). Departures from price-time priority take more.
"""


class ReplayPartition(msgspec.Struct, frozen=True):
    """One partition: `number` from 1, `symbols` empty for all of the file, `events` and `books` (symbols that have an
    event) as surveyed.
    """

    number: int
    file: FileIdentity
    format: str
    symbols: tuple[str, ...]
    events: int
    books: int

    @property
    def name(self) -> str:
        """For messages."""
        return " ".join([self.file.path, *self.symbols])

    def memory_bytes(self, mode: Mode) -> int:
        """What its processes need, at most."""
        return BASE_BYTES + SYMBOL_BYTES[mode] * self.books + EVENT_BYTES[mode] * self.events


def partitions_of(files: Iterable[SurveyedFile], by: Division, symbols: tuple[str, ...]) -> tuple[ReplayPartition, ...]:
    """The partitions in their order. `symbols`: those asked for, empty for all.

    Raises `UsageError` for more than `PARTITIONS_MAX`.
    """
    found: list[ReplayPartition] = []
    for file in files:
        for names, events, books in _divided(file, by, symbols):
            found.append(ReplayPartition(len(found) + 1, file.identity, file.format, names, events, books))
            if len(found) > PARTITIONS_MAX:
                raise UsageError(
                    f"more than {PARTITIONS_MAX:,} partitions; name fewer files or --symbols, or --by file"
                )
    return tuple(found)


def _divided(file: SurveyedFile, by: Division, symbols: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int, int]]:
    if by == "file":
        yield tuple(sorted(symbols)), sum(file.events.values()), len(file.events)
    else:
        for name in sorted(file.events):
            yield (name,), file.events[name], 1


def check_memory(partitions: Iterable[ReplayPartition], mode: Mode, limit_bytes: int | None, whose: str) -> int:
    """What the largest partition needs. Raises `UsageError`, naming it, if `limit_bytes` is less; None: no limit.

    `whose`: the one whose limit it is, for the message.
    """
    largest = max(partitions, key=lambda each: each.memory_bytes(mode))
    need = largest.memory_bytes(mode)
    if limit_bytes is not None and need > limit_bytes:
        held = f"{units.counted(largest.events, 'event')} of {units.counted(largest.books, 'symbol')}"
        raise UsageError(
            f"{largest.name} needs {units.size(need)} for {held}, and {whose} has a limit of "
            f"{units.size(limit_bytes)}; raise it, use fewer workers, divide --by symbol, or name fewer --symbols"
        )
    return need
