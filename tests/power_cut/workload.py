"""What an engine does whose writes are recorded: batches of many sizes, drains, snapshots, segments and compactions.

Run as a program under record_writes.c, it acknowledges each step: `workload.py JOURNAL POLICY WRITER`. A step that is
not `ordinary` comes from a broken writer: see BROKEN.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from lowlat.engine import Engine, JournaledEngine, SyncPolicy
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import COMMAND, EXTENDED_COMMAND, Commands, CommandType, Events, PoolPolicy

SETTINGS: Final = EngineConfig((Instrument(),), 2_000, 30, PoolPolicy.REJECT, PoolPolicy.RECYCLE)
LARGE: Final = 40_000
"""Commands of a batch that takes two blocks."""

BROKEN: Final = {
    "early": "acknowledges a batch before the disk has it",
    "halves": "writes a batch as two",
    "hasty": "removes segments before their snapshot is on the disk",
}

Step: TypeAlias = Callable[[Engine], object]


def orders(first: int, count: int) -> Commands:
    """Limit orders that rest and trade, with ids from `first` on."""
    rows = np.zeros(count, COMMAND)
    ids = np.arange(first, first + count)
    rows["order_id"], rows["kind"], rows["quantity"] = ids, CommandType.LIMIT, 1 + ids % 7
    rows["side"], rows["price"] = ids % 2, 100 + ids % 5
    return rows


def steps(journal: bool, large: bool = False) -> Iterator[Step]:
    """The steps, for an engine with a journal or one without, which skips what concerns only files."""
    batches = [orders(1, 3), np.zeros(100, COMMAND), orders(10, 60), orders(100, 1), np.zeros(70, EXTENDED_COMMAND)]
    for batch in batches:  # the zeros are refused; their sectors are zeros in the journal
        yield lambda engine, batch=batch: engine.process(batch)
    yield lambda engine: engine.drain_trades()
    if large:
        yield lambda engine: engine.process(orders(1_000, LARGE))
        yield lambda engine: engine.process(orders(50_000, 2))
        return
    if journal:
        yield _snapshot
    yield lambda engine: engine.process(orders(200, 40))
    yield lambda engine: engine.process(orders(300, 5))
    if journal:
        yield lambda engine: _journaled(engine).rotate()
    yield lambda engine: engine.process(orders(400, 20))
    if journal:
        yield lambda engine: _journaled(engine).compact(1)
    for first in (500, 600):
        yield lambda engine, first=first: engine.process(orders(first, 33))
    if journal:
        yield lambda engine: _journaled(engine).compact()
    yield lambda engine: engine.process(orders(700, 2))


def _journaled(engine: Engine) -> JournaledEngine:
    assert isinstance(engine, JournaledEngine)
    return engine


def _snapshot(engine: Engine) -> None:
    _journaled(engine).snapshot()


class Halves(JournaledEngine):
    """Broken: writes a batch as two."""

    def process(self, commands: Commands) -> Events:
        middle = len(commands) // 2
        return np.concatenate([super().process(commands[:middle]), super().process(commands[middle:])])


def main(path: Path, policy: str, writer: str) -> None:
    """Take all steps, and acknowledge each."""
    acknowledged = ctypes.CDLL(None).record_acknowledged
    acknowledged.argtypes = [ctypes.c_uint64]
    sync = SyncPolicy.NONE if writer == "early" else SyncPolicy[policy]
    fsync = os.fsync
    engine_type = Halves if writer == "halves" else JournaledEngine
    with engine_type.journaling(path, SETTINGS, sync=sync, interval_ns=2_000_000) as engine:
        for number, step in enumerate(steps(journal=True, large=writer == "large"), 1):
            if writer == "hasty":
                os.fsync = lambda _file: None
            step(engine)
            os.fsync = fsync
            acknowledged(number)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
