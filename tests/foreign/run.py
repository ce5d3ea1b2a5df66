"""Runs one foreign engine in a process of its own, for the tests of those that take their process with them.

    python -P tests/foreign/run.py LIBRARY EVENTS

EVENTS: where the events of a first and of a second run, with a reset between, go as a `.npz` file, and what the heap
grew by in the second. A refused library or engine ends with code 1, and its error on stderr.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))

import numpy as np

from lowlat.engine import _core
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.config_codec import native_rules
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import Commands
from lowlat.errors import LowlatError
from tests.foreign.within import commands_within
from tests.property.streams import STREAMS

COMMANDS = 3_000
STALL_LIMIT_MS = 1_000
SETTINGS = EngineConfig((Instrument(),), orders=1_000)


def given(capabilities: int) -> Commands:
    """The commands that an engine of these capabilities gets."""
    return commands_within(STREAMS["touch"].commands(1, COMMANDS), capabilities)


def run(library: str, events: str) -> None:
    """Both runs."""
    loaded = _core.EngineLibrary(library, STALL_LIMIT_MS)
    commands = given(loaded.capabilities)
    engine = _core.ForeignEngine(loaded, native_rules(SETTINGS), SETTINGS.orders, extended=False)
    first = engine.process(commands)
    engine.reset()
    before = _core.heap_in_use()
    second = engine.process(commands)
    grown = _core.heap_in_use() - before - second.nbytes
    np.savez(events, first=first, second=second, grown=grown)


if __name__ == "__main__":
    try:
        run(*sys.argv[1:])
    except LowlatError as error:
        sys.exit(f"{type(error).__name__}: {error}")
