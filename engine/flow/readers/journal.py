"""Reads the commands of a journal as a flow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np

from lowlat import units
from lowlat.engine import _core
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.registry import Reader
from lowlat.engine.journal.errors import JournalError
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.header import JOURNAL
from lowlat.engine.journal.records import Fault
from lowlat.engine.journal.verify import Tally
from lowlat.engine.matching.aligned import aligned_empty
from lowlat.engine.matching.price_grid import grid_notes
from lowlat.engine.matching.records import COMMAND, EXTENDED_COMMAND, Commands, CommandType, PoolPolicy


def read_journal_flow(path: str | Path) -> Flow:
    """All commands of a journal, for an engine with the same settings. There are no seeding commands.

    The array is of `EXTENDED_COMMAND` if any block is; the extra fields of plain commands are then zero. Raises what
    `JournalFile` raises, `JournalDamagedError` for damage anywhere, `JournalError` for a journal without commands,
    `MemoryError`.
    """
    with JournalFile(path) as file:
        _check_whole(file)
        tally, place = Tally(), file.beginning
        for reached in file.stretches(place):
            tally.add(file, place, reached.place)
            place = reached.place
        file.check(reached)
        _check_measurable(file, tally)
        commands = _commands(file, tally, place)
        head, settings = file.head, file.settings
        notes = [f"journal {head.identity} of {head.created:%Y-%m-%d %H:%M:%S} UTC"]
        if tally.drains:
            notes.append(
                f"the trade tape was emptied {units.plural(tally.drains, 'time')}, which does not affect events here"
            )
        if reached.fault is Fault.TORN:
            notes.append(f"skipped: torn tail of {units.counted(file.torn_bytes(reached), 'byte')}")
        if file.held:
            notes.append("still being written; read as of now")
        notes += grid_notes(commands, settings.instruments)
    return Flow(
        name=file.path.name,
        commands=commands,
        seeded=0,
        orders=settings.orders,
        mix=_mix(commands),
        instruments=settings.instruments,
        notes=tuple(notes),
        tape=settings.trades,
        when_orders_dry=settings.when_orders_dry,
        when_trades_dry=settings.when_trades_dry,
    )


def _check_whole(file: JournalFile) -> None:
    if not file.whole:
        why = file.gap or "compaction removed those before"
        raise JournalError(
            f"{file.path} cannot be measured: it begins with command {file.beginning.sequence:,}, since {why}; use "
            "'lowlat journal verify' instead"
        )


def _check_measurable(file: JournalFile, tally: Tally) -> None:
    if not tally.commands:
        raise JournalError(f"{file.path} has no commands: there is nothing to measure")
    if tally.drains and file.settings.when_trades_dry is PoolPolicy.REJECT:
        raise JournalError(
            f"{file.path} cannot be measured: its engine rejects commands while the trade tape is full, and emptied it "
            f"{units.plural(tally.drains, 'time')}, which a benchmark cannot repeat; "
            "use 'lowlat journal verify' instead"
        )


def _commands(file: JournalFile, tally: Tally, end: _core.JournalPosition) -> Commands:
    dtype = EXTENDED_COMMAND if tally.wide else COMMAND
    commands = aligned_empty(tally.commands, dtype)
    # Copied as bytes: a plain command is a prefix of a wide one, including the padding after its last field.
    rows = commands.view(np.uint8).reshape(-1, dtype.itemsize)
    for head in file.heads(file.beginning, end):
        block = file.block(head).commands
        width = block.dtype.itemsize
        into = rows[head.sequence : head.sequence + len(block)]
        into[:, :width] = block.view(np.uint8).reshape(-1, width)
        into[:, width:] = 0
    return commands


def _mix(commands: Commands) -> dict[str, int]:
    counted = np.bincount(commands["kind"], minlength=len(CommandType) + 1).tolist()
    named = {kind.name.lower(): counted[kind] for kind in CommandType}
    return named | {"other": len(commands) - sum(named.values())}


READER: Final = Reader(
    name="journal",
    noun="journal",
    sentence="an engine's journal",
    read=read_journal_flow,
    begins=re.compile(re.escape(JOURNAL)),
)
