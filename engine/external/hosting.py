"""The process behind an engine: started when it is needed, described, and started again once it has ended."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Self

from lowlat.engine.external.line_engine import LineEngine, ProcessDescription, greeted
from lowlat.engine.external.naming import engine_command, is_process
from lowlat.engine.external.process import EngineProcess
from lowlat.engine.external.ring_engine import RingEngine
from lowlat.engine.foreign.description import STALL_LIMIT_S, LibraryDescription, describe
from lowlat.engine.matching.config import EngineConfig


class EngineHost:
    """Makes engines in one process, one at a time. `description`: what it says of itself."""

    def __init__(self, name: str, stall_limit_s: float = STALL_LIMIT_S, cpus: Collection[int] = ()) -> None:
        """Start it. `name`, `cpus`: as `engine_command` and `EngineProcess` take them, and raise."""
        self._command, self._stall_s, self._cpus = engine_command(name), stall_limit_s, cpus
        self._made: RingEngine | None = None
        self.process, self.description = self._started()

    def engine(self, settings: EngineConfig, *, extended: bool) -> LineEngine | RingEngine:
        """An engine with empty books; the one before is no more. `extended`: whether commands are `EXTENDED_COMMAND`
        records. Raises `NotValidError`.
        """
        return (self.ring_engine if self.has_rings else self.line_engine)(settings, extended=extended)

    @property
    def has_rings(self) -> bool:
        """Whether commands go through rings, not through lines."""
        return self._command.transport == "ring"

    def line_engine(self, settings: EngineConfig, *, extended: bool) -> LineEngine:
        """As `engine`, of a process that talks in lines."""
        del extended  # a line has the fields that are not zero, either way
        self._leave()
        return LineEngine(self.process, settings, self.description.capabilities)

    def ring_engine(self, settings: EngineConfig, *, extended: bool) -> RingEngine:
        """As `engine`, of a process that takes rings."""
        self._leave()
        self._made = RingEngine(self.process, settings, self.description.capabilities, extended=extended)
        return self._made

    def _leave(self) -> None:
        """Close the rings of the engine before, so that its process listens again, and start one if it has ended."""
        if self._made is not None:
            self._made.close()
            self._made = None
        if self.process.over:
            self.process, self.description = self._started()

    def _started(self) -> tuple[EngineProcess, ProcessDescription]:
        process = EngineProcess(self._command, self._stall_s, self._cpus)
        try:
            return process, greeted(process)
        except BaseException:
            process.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._made is not None:
            self._made.close()
        self.process.close()


@cache
def describe_process(name: str) -> ProcessDescription:
    """Start it, ask it, and end it. Raises `UsageError`, `NotValidError`."""
    with EngineHost(name) as host:
        return host.description


def describe_foreign(name: str) -> LibraryDescription | ProcessDescription:
    """What the engine of a process, or else of a library, says of itself."""
    return describe_process(name) if is_process(name) else describe(name)
