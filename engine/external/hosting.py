"""The process behind an engine: started when it is needed, described, and started again once it has ended."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Self

from lowlat.engine.external.line_engine import LineEngine, ProcessDescription, greeted
from lowlat.engine.external.naming import engine_command, is_process
from lowlat.engine.external.process import EngineProcess
from lowlat.engine.foreign.description import STALL_LIMIT_S, LibraryDescription, describe
from lowlat.engine.matching.config import EngineConfig


class EngineHost:
    """Makes engines in one process, one at a time. `description`: what it says of itself."""

    def __init__(self, name: str, stall_limit_s: float = STALL_LIMIT_S, cpus: Collection[int] = ()) -> None:
        """Start it. `name`, `cpus`: as `engine_command` and `EngineProcess` take them, and raise."""
        self._command, self._stall_s, self._cpus = engine_command(name), stall_limit_s, cpus
        self.process, self.description = self._started()

    def engine(self, settings: EngineConfig, *, extended: bool) -> LineEngine:
        """An engine with empty books; the one before is no more. Raises `NotValidError`."""
        del extended  # its commands are lines either way
        if self.process.over:
            self.process, self.description = self._started()
        return LineEngine(self.process, settings, self.description.capabilities)

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
        self.process.close()


@cache
def describe_process(name: str) -> ProcessDescription:
    """Start it, ask it, and end it. Raises `UsageError`, `NotValidError`."""
    with EngineHost(name) as host:
        return host.description


def describe_foreign(name: str) -> LibraryDescription | ProcessDescription:
    """What the engine of a process, or else of a library, says of itself."""
    return describe_process(name) if is_process(name) else describe(name)
