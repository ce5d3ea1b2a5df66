"""Streams some or all commands of a journal; nothing is kept in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec

from lowlat.documents import values
from lowlat.engine.journal.document import JournalEnd
from lowlat.engine.journal.dump_document import DumpedCommand, DumpedDrain, DumpHeading, dumped_command
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.records import BlockKind, Fault
from lowlat.engine.journal.segment import Block
from lowlat.engine.journal.verify import state_of

PART: Final = 2_048
"""Commands per part."""


class Listing:
    """Commands of a journal from `first` on, at most `limit` of them; None: all."""

    def __init__(self, file: JournalFile, first: int = 0, limit: int | None = None) -> None:
        self.file = file
        self.first = first
        self.limit = limit
        self.listed = 0
        """Number of commands in the last listing."""

    def blocks(self) -> Iterator[Block]:
        """The listed commands of the blocks, in parts of at most `PART`; a drain of the trade tape is a block without
        commands.
        """
        self.listed = 0
        for block in self.file.blocks():
            if self.at_limit:
                return
            if block.kind is not BlockKind.DRAIN:
                yield from self._parts(block)
            elif block.sequence >= self.first:
                yield block

    @property
    def at_limit(self) -> bool:
        """Whether it ended at the limit rather than at the end of the journal."""
        return self.limit is not None and self.listed >= self.limit

    def _parts(self, block: Block) -> Iterator[Block]:
        begin = max(self.first - block.sequence, 0)
        end = len(block.commands)
        if self.limit is not None:
            end = min(end, begin + self.limit - self.listed)
        for at in range(begin, end, PART):
            commands = block.commands[at : min(at + PART, end)]
            self.listed += len(commands)
            yield replace(block, sequence=block.sequence + at, commands=commands)

    def document(self) -> Iterator[str]:
        """A `lowlat.journal-commands/1` document in pieces, one command per line; complete however the journal ends."""
        heading = DumpHeading.of(str(self.file.path), self.file.head, self.first)
        yield json.dumps(values(heading))[:-1] + ', "commands": ['
        separator = "\n"
        for block in self.blocks():
            yield separator + ",\n".join(_lines(block))
            separator = ",\n"
        yield f'\n], "end": {json.dumps(values(self._end()))}}}\n'

    def _end(self) -> JournalEnd | None:
        if self.at_limit:
            return None
        stop = self.file.stop
        return JournalEnd(
            state=state_of(stop.fault),
            segment=stop.place.segment,
            blocks=stop.place.blocks,
            byte=stop.place.end,
            commands=stop.place.sequence,
            reason=None if stop.fault is Fault.NONE else self.file.explain(stop),
        )


def _lines(block: Block) -> Iterator[str]:
    if block.kind is BlockKind.DRAIN:
        yield _line(DumpedDrain(block.sequence))
    for sequence, record in enumerate(block.commands.tolist(), block.sequence):
        yield _line(dumped_command(sequence, record))


def _line(dumped: DumpedCommand | DumpedDrain) -> str:
    return msgspec.json.encode(dumped).decode()
