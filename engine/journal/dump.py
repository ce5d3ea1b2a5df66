"""The commands of a journal, some or all, as they are read: nothing of them is held."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec

from lowlat.engine.journal.document import COMMANDS_SCHEMA, command_document, end_document, head_document
from lowlat.engine.journal.file import Block, JournalFile
from lowlat.engine.journal.records import BlockKind, Fault
from lowlat.engine.journal.verify import state_of

PART: Final = 2_048
"""Commands that are told at a time."""


class Listing:
    """Commands of a journal from `first` on, at most `limit` of them; None: all."""

    def __init__(self, file: JournalFile, first: int = 0, limit: int | None = None) -> None:
        self.file = file
        self.first = first
        self.limit = limit
        self.listed = 0
        """How many there were, the last time."""

    def blocks(self) -> Iterator[Block]:
        """What the blocks hold of them, in parts of at most `PART`; and where the trade tape was emptied, as blocks
        without commands.
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
        """Whether the limit, not the journal's end, ended it."""
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
        """A `lowlat.journal-commands/1` document, a command a line, in pieces. It is whole whatever the end is like."""
        opening = {
            "schema": COMMANDS_SCHEMA,
            "file": str(self.file.path),
            **head_document(self.file.head),
            "from": self.first,
        }
        yield json.dumps(opening)[:-1] + ', "commands": ['
        separator = "\n"
        for block in self.blocks():
            yield separator + ",\n".join(_lines(block))
            separator = ",\n"
        yield f'\n], "end": {json.dumps(self._end())}}}\n'

    def _end(self) -> dict[str, object] | None:
        if self.at_limit:
            return None
        end, fault = self.file.end, self.file.fault
        return end_document(end, state_of(fault), None if fault is Fault.NONE else self.file.explain(end, fault))


def _lines(block: Block) -> Iterator[str]:
    if block.kind is BlockKind.DRAIN:
        yield f'{{"command":{block.sequence},"kind":"DRAIN"}}'
    for sequence, record in enumerate(block.commands.tolist(), block.sequence):
        yield msgspec.json.encode(command_document(sequence, record)).decode()
