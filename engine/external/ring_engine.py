"""An engine whose process takes commands from one ring in shared memory, and writes their events to another."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lowlat.engine import _core
from lowlat.engine.external.line_engine import answer_in
from lowlat.engine.external.messages import Created, create
from lowlat.engine.external.process import EngineProcess
from lowlat.engine.foreign.capabilities import not_compared
from lowlat.engine.foreign.records import Capability
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.records import COMMAND, EVENT, EXTENDED_COMMAND, Commands, Events
from lowlat.engine.rings.records import RingKind
from lowlat.engine.rings.shared_memory import RingMemory, RingShape, found, made
from lowlat.errors import NotValidError

CAPACITY: Final = 1 << 12
"""Records of each ring: both stay in a second-level cache."""
_MEMORY: Final = Path("/dev/shm")


class RingEngine:
    """An engine with these settings and empty books, made by a process that has been greeted.

    `matcher` is what the measured loops take; `reset` makes another one. The files of its rings have no names any more.
    """

    def __init__(
        self, process: EngineProcess, settings: EngineConfig, claimed: frozenset[Capability], *, extended: bool
    ) -> None:
        """`extended`: whether commands are `EXTENDED_COMMAND` records. Raises `NotValidError` if it makes none."""
        self._process, self._extended = process, extended
        self.settings = settings
        self.not_compared = not_compared(claimed)
        self._blocks: _core.RingBlocks | None = None
        self.reset()

    def reset(self) -> None:
        """Close the rings, and give it new ones: its books are empty then, and the next command is number 0."""

        def where(_done: int) -> str:
            return "when it was to make an engine"

        self.close()
        with tempfile.TemporaryDirectory(prefix="lowlat-", dir=_shared_memory()) as folder:
            blocks, names = _made(Path(folder), extended=self._extended)
            (line,) = self._process.exchange(create(self.settings, names), 1, where)
            answer_in(self._process, line, Created, where)
        self._blocks = blocks
        self.matcher = _core.RingProcess(blocks, self._process.pid, round(1000 * self._process.stall_limit_s))

    def close(self) -> None:
        """Close its rings: the process then waits for the next message."""
        if self._blocks is not None:
            self._blocks.close()

    def process(self, commands: Commands) -> Events:
        """Send all commands, and return their events. Raises `NotValidError`."""
        with self.blamed():
            return self.matcher.process(commands)

    @contextlib.contextmanager
    def blamed(self) -> Iterator[None]:
        """What the engine does wrong in the block ends its process, and is said as its own."""
        try:
            yield
        except NotValidError as error:
            if self._process.over:  # said already
                raise
            hangs = f"hangs: no answer for {self._process.stall_limit_s:g} s"
            self._process.fail_as(
                hangs if str(error) == "hangs" else str(error), lambda _done: f"at command {self.matcher.answered:,}"
            )


def _shared_memory() -> Path | None:
    """Where files are memory that processes share; None where there is no such folder."""
    return _MEMORY if os.access(_MEMORY, os.W_OK) else None


def _made(folder: Path, *, extended: bool) -> tuple[_core.RingBlocks, dict[str, str | int]]:
    """New rings, and what the process is told of them. Raises `OutputPathError`."""
    commands, events, command = folder / "commands", folder / "events", EXTENDED_COMMAND if extended else COMMAND
    blocks = _blocks(
        made(RingShape(RingKind.SPSC, command.itemsize), CAPACITY, commands),
        made(RingShape(RingKind.SPSC, EVENT.itemsize), CAPACITY, events),
        extended=extended,
    )
    return blocks, {"commands": str(commands), "events": str(events), "command_bytes": command.itemsize}


def attached(commands: Path, events: Path, command_bytes: int) -> _core.RingBlocks:
    """The rings of a process that takes part as an engine. Raises `InputError`."""
    return _blocks(
        found(RingShape(RingKind.SPSC, command_bytes), commands),
        found(RingShape(RingKind.SPSC, EVENT.itemsize), events),
        extended=command_bytes == EXTENDED_COMMAND.itemsize,
    )


def _blocks(commands: RingMemory, events: RingMemory, *, extended: bool) -> _core.RingBlocks:
    for ring in (commands, events):
        os.close(ring.descriptor)  # the mapping stays
    return _core.RingBlocks(commands.memory, commands.capacity, events.memory, events.capacity, extended)
