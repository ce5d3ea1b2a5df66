"""An engine in Python as a source of engines to compare: a new object for each, and for each reset."""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

import msgspec

from lowlat.engine.bench.engines import ENGINES, EngineEntry
from lowlat.engine.foreign.description import STALL_LIMIT_S
from lowlat.engine.foreign.python_engine import PythonEngine
from lowlat.engine.foreign.records import Capability
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.records import Commands, Events
from lowlat.errors import ExitCode, NotValidError, PlugInError

_SLOWEST_S: Final = 0.01
"""Time of a command beyond `STALL_LIMIT_S` for a batch: hundreds of times that of the reference engine."""
_GRACE_S: Final = 1.0
"""How long an engine may take to end after it was told to."""


class PythonDescription(msgspec.Struct, frozen=True, kw_only=True):
    """The engine of a package. `file`: the package."""

    file: str
    name: str
    version: str
    capabilities: frozenset[Capability]


def describe_python(entry: EngineEntry) -> PythonDescription:
    """What is known of it."""
    package, version = ENGINES.provider(entry.name)
    return PythonDescription(file=f"package {package}", name=entry.name, version=version, capabilities=entry.claimed)


class PythonEngines:
    """Makes engines of one entry."""

    def __init__(self, entry: EngineEntry) -> None:
        self._entry = entry
        self.description = describe_python(entry)

    def engine(self, settings: EngineConfig, *, extended: bool) -> ResetEngine:
        """A new one. Raises `NotValidError` if it cannot be made."""
        del extended  # it is called with either record
        return ResetEngine(self._entry, settings)


class ResetEngine:
    """A `PythonEngine` that is made again when it is reset. What it does wrong is `NotValidError`."""

    def __init__(self, entry: EngineEntry, settings: EngineConfig) -> None:
        self._entry, self._settings = entry, settings
        self.reset()
        self.not_compared = self._engine.not_compared

    def reset(self) -> None:
        """Empty the books."""
        with _judged(self._entry.name, STALL_LIMIT_S):
            self._engine = PythonEngine(self._entry.name, self._entry.make, self._settings, self._entry.claimed)

    def process(self, commands: Commands) -> Events:
        """Its events."""
        with _judged(self._entry.name, STALL_LIMIT_S + _SLOWEST_S * len(commands)):
            return self._engine.process(commands)


@contextmanager
def _judged(name: str, limit_s: float) -> Iterator[None]:
    """What the engine raises in the block, or that it does not end, is an engine that failed. If that exception is
    swallowed, or no Python code runs that could raise it, the process ends, with a traceback on stderr.

    A process that the engine forked and that leaves the block too ends there: there would be two that compare.
    """
    own, hangs = os.getpid(), f"the {name} engine hangs: no events for {limit_s:g} s"
    late = False

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        nonlocal late
        late = True
        raise NotValidError(hangs)

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    faulthandler.dump_traceback_later(limit_s + _GRACE_S, exit=True)
    try:
        yield
    except PlugInError as error:
        raise NotValidError(hangs if late else str(error)) from error
    finally:
        if os.getpid() != own:
            os._exit(ExitCode.OK)
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
