"""Writes a recording in another format: its level-3 events as a table, or the commands made of them as a journal."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from operator import truediv
from pathlib import Path
from typing import Final

from lowlat import units
from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.feed.table_facts import beside_rows
from lowlat.engine.feed.tables import arrow
from lowlat.engine.feed.telling import Progress, Telling
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.registry import Reader
from lowlat.engine.flow.writers import Writer
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.journal.errors import JournalWriteError
from lowlat.engine.journal.records import SyncPolicy
from lowlat.engine.matching.config import EngineConfig
from lowlat.errors import OutputPathError, UsageError
from lowlat.files import check_writable, flush_folder, written_atomically
from lowlat.inputs import real_path

_BATCH: Final = 1 << 14
"""Commands of one batch of a journal."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What was written: `count` of `noun`. `left_out` and `faults`: as the stream counts them, and notes on a flow."""

    noun: str
    count: int
    symbols: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def check_conversion(source: Path, target: Path, reader: Reader, writer: Writer) -> None:
    """Check before the work whether it can be done. Raises `UsageError`, `OutputPathError`."""
    if writer.write is not None and reader.open is None:
        raise UsageError(f"{source}: a {reader.noun} does not hold level-3 events; convert it to a .journal")
    if target.exists() and source.exists() and target.samefile(source):
        raise OutputPathError(f"{target} is the file that is read; name another")
    if writer.write is None and target.exists():
        raise OutputPathError(f"{target} exists, and a journal is never written over; remove it, or name another file")
    check_writable(target)


def convert(source: Path, target: Path, reader: Reader, writer: Writer, options: ReadOptions) -> Conversion:
    """Convert one file. The new one appears when it is whole, and nothing is left of it otherwise.

    Raises what `check_conversion`, the reader and the writer raise.
    """
    check_conversion(source, target, reader, writer)
    if writer.write is None or reader.open is None:
        made = reader.flow(source, options=options)
        return _journaled(made if isinstance(made, Flow) else made.flow(), target, options.progress)
    arrow(source)  # before there is a file: an interruption of this import may be lost
    stream = reader.events(source, options)
    with written_atomically(target) as file:
        count = writer.write(stream, file)
    untold = beside_rows(stream) if writer.only_rows else []
    notes = (f"not in the file: {', '.join(untold)}; a .parquet or .arrow file has it",) if untold else ()
    return Conversion("event", count, len(stream.symbols), stream.left_out, stream.faults, notes)


def _written(count: int, _seconds: float) -> str:
    return f"{units.counted(count, 'command')} written"


def _journaled(flow: Flow, target: Path, progress: Progress | None) -> Conversion:
    """The flow's commands as a journal: written beside the target, synced, and then given its name."""
    target = real_path(target)
    telling, total = Telling(progress) if progress else None, len(flow.commands)
    beside = target.with_name(f".lowlat-{secrets.token_hex(8)}.journal.tmp")  # which is not locked to its end
    settings = EngineConfig(flow.instruments, flow.orders, flow.tape, flow.when_orders_dry, flow.when_trades_dry)
    try:
        with JournaledEngine.journaling(beside, settings, sync=SyncPolicy.INTERVAL) as engine:
            for at in range(0, total, _BATCH):
                engine.process(flow.commands[at : at + _BATCH])
                if telling is not None:
                    telling.tell(partial(_written, at), partial(truediv, at, total))
        try:
            beside.replace(target)
            flush_folder(target.parent)
        except OSError as error:
            raise OutputPathError(f"cannot write {target}: {error.strerror}; choose another file") from error
    except JournalWriteError as error:
        why = str(error).removeprefix(f"{beside} ")
        raise OutputPathError(f"cannot write {target}: it {why}") from error
    finally:
        beside.unlink(missing_ok=True)
    return Conversion("command", total, len(flow.instruments), notes=flow.notes)
