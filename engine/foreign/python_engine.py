"""An engine that is called from Python: any object with `process(commands) -> events`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from lowlat import units
from lowlat.engine.foreign.capabilities import not_compared
from lowlat.engine.foreign.records import Capability
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.interface import Executes
from lowlat.engine.matching.records import EVENT, Commands, Events
from lowlat.errors import PlugInError
from lowlat.text import printable

_SHOWN_MAX: Final = 200
"""Characters of what an engine said or returned."""


class PythonEngine:
    """An engine that `make` made, called only through `process`, whose events are checked.

    `made`: the object itself, for loops that measure it. `not_compared`: fields of an event that it does not claim to
    give.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[EngineConfig], Executes],
        settings: EngineConfig,
        claimed: frozenset[Capability],
    ) -> None:
        """Raises `PlugInError` if `make` fails or returns an object without `process`."""
        self.name = name
        self.settings = settings
        self.not_compared = not_compared(claimed)
        with blaming(name):
            self.made = make(settings)
            usable = callable(getattr(self.made, "process", None))
        if not usable:
            raise PlugInError(
                f"the {name} engine is {_shown(self.made)}, which has no process(commands); let its make return an "
                "object that has"
            )

    def process(self, commands: Commands) -> Events:
        """Its events, with padding zeroed. Raises `PlugInError` if it fails or returns something else than events."""
        with blaming(self.name):
            given: object = self.made.process(commands)
        if not isinstance(given, np.ndarray) or not _of_events(given) or given.ndim != 1:
            raise PlugInError(
                f"the {self.name} engine returned {_shown(given)} for {units.counted(len(commands), 'command')}; let "
                "process return an array of lowlat.engine.EVENT records with one dimension"
            )
        events = np.zeros(len(given), dtype=EVENT)
        events[:] = given
        return events


@contextmanager
def blaming(name: str) -> Iterator[None]:
    """Raise `PlugInError`, naming the engine, for what it raises in the block. Memory that runs out is not its own.

    `SystemExit` and `KeyboardInterrupt` are: Ctrl-C does not reach the processes that call engines.
    """
    try:
        yield
    except MemoryError:
        raise
    except BaseException as error:
        raise PlugInError(f"the {name} engine failed: {_named(error)}; repair it, or measure another") from error


def _named(error: BaseException) -> str:
    said = _cut(str(error))
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _of_events(given: np.ndarray[Any, Any]) -> bool:
    """Whether these are records of events, however far apart: numpy drops the padding where it joins arrays."""
    names = given.dtype.names
    return names is not None and names == EVENT.names and all(given.dtype[name] == EVENT[name] for name in names)


def _shown(given: object) -> str:
    if isinstance(given, np.ndarray):
        records = f"other records, {units.size(given.dtype.itemsize)} each," if given.dtype.names else str(given.dtype)
        return f"an array of {'EVENT' if _of_events(given) else records} and shape {given.shape}"
    return "None" if given is None else f"an object of {type(given).__name__}"


def _cut(text: str) -> str:
    line = printable(" ".join(text.split()))
    return line if len(line) <= _SHOWN_MAX else f"{line[:_SHOWN_MAX]}..."
