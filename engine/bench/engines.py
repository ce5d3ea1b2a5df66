"""Every engine that can be measured. To add one, add a line to `_built_in`, install a package with an entry point in
the group `lowlat.engines`, or name the file of a shared library behind `lowlat_engine.h` or the command of a process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lowlat.engine.external.naming import engine_command, is_process
from lowlat.errors import PlugInError, UsageError
from lowlat.registry import Registry

if TYPE_CHECKING:
    from lowlat.engine.external.line_engine import ProcessDescription
    from lowlat.engine.foreign.description import LibraryDescription
    from lowlat.engine.foreign.records import Capability
    from lowlat.engine.matching.config import EngineConfig
    from lowlat.engine.matching.interface import Executes
    from lowlat.engine.matching.native import Engine


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """An engine by name.

    `make` returns an engine with the given settings and empty books: any object whose `process(commands)` returns their
    events. `commands`: how many a run of `lowlat bench` measures by default, so that it ends within seconds.
    `compiled`: whether `make` returns a `lowlat.engine.Engine`, which the compiled measured loops need. Any other
    engine is called from Python, its events must equal the native engine's, and it only runs in a closed loop: without
    intended start times, pipeline, interval log or journal. `library`: file of the shared library with the engine,
    which the compiled loops measure too; `process`: command of the process that is the engine, which they measure if it
    takes rings. `make` then returns the native engine, which its events must equal.
    `capabilities`: what the engine takes beside limit orders and cancels, and which fields of its events are compared;
    None for all. A library and a process tell their own.
    """

    name: str
    sentence: str
    make: Callable[[EngineConfig], Executes]
    commands: int = 20_000
    compiled: bool = False
    library: str | None = None
    process: str | None = None
    capabilities: frozenset[Capability] | None = None

    @property
    def told(self) -> LibraryDescription | ProcessDescription | None:
        """What a library or a process says of its engine. Raises as `describe` and `describe_process` do."""
        if self.foreign is None:
            return None
        from lowlat.engine.external.hosting import describe_foreign

        return describe_foreign(self.foreign)

    @property
    def foreign(self) -> str | None:
        """The library or the process; None for an engine of Python's."""
        return self.library or self.process

    @property
    def claimed(self) -> frozenset[Capability]:
        """What it can do by its own word."""
        from lowlat.engine.foreign.records import Capability

        if self.told:
            return self.told.capabilities
        return frozenset(Capability) if self.capabilities is None else self.capabilities

    @property
    def stand_in(self) -> EngineEntry:
        """The compiled engine whose books are checked in its place: the native one for an engine whose every event is
        compared with that one's.
        """
        return self if self.compiled and not self.foreign else NATIVE

    def make_compiled(self, settings: EngineConfig) -> Engine:
        """As `make`. Raises `PlugInError` if that fails, or the engine is declared compiled but is not."""
        from lowlat.engine.foreign.python_engine import blaming
        from lowlat.engine.matching.native import Engine

        with blaming(self.name):
            engine = self.make(settings)
        if not isinstance(engine, Engine):
            raise PlugInError(f"{type(engine).__name__}, which {self.name} makes, is no compiled engine")
        return engine


def _native(settings: EngineConfig) -> Engine:
    from lowlat.engine.matching.native import Engine

    return Engine.of(settings)


def _reference(settings: EngineConfig) -> Executes:
    from lowlat.engine.reference.engine import ReferenceEngine

    return ReferenceEngine.of(settings)


LINE_COMMANDS: Final = 10_000
RING_COMMANDS: Final = 200_000
"""How many a run of a process measures by default: a line takes it as long as several hundred commands take our engine,
and a record in a ring as long as some ten.
"""
NATIVE: Final = EngineEntry("native", "the engine, in C++", _native, commands=2_000_000, compiled=True)
REFERENCE: Final = EngineEntry(
    "reference", "the same contract in plain Python, some hundred times slower, in a closed loop only", _reference
)


def _built_in() -> Sequence[EngineEntry]:
    return NATIVE, REFERENCE


ENGINES: Final = Registry("lowlat.engines", EngineEntry, _built_in)


def is_foreign(name: str) -> bool:
    """Whether this is a library or a process, whose code would run, and no name of `ENGINES`."""
    return is_process(name) or is_library(name)


def is_library(name: str) -> bool:
    """Whether this is the file of a library."""
    return not is_process(name) and ("/" in name or name.endswith((".so", ".dylib")))


def engine_entry(name: str) -> EngineEntry:
    """The engine of this name, of the library in this file, or of this process. Raises `UsageError` and what
    `Registry.get` does.
    """
    if is_process(name):
        rings = engine_command(name).transport == "ring"
        count = RING_COMMANDS if rings else LINE_COMMANDS
        return EngineEntry(name, "the engine of a process", _native, count, compiled=rings, process=name)
    if not is_library(name):
        return ENGINES.get(name)
    path = Path(name).expanduser().absolute()
    if not path.is_file():
        raise UsageError(
            f"{name}: {'is not a regular file' if path.exists() else 'no such file'}; build the library first"
        )
    return EngineEntry(
        str(path), "the engine of a shared library", _native, NATIVE.commands, compiled=True, library=str(path)
    )
