"""An engine of a shared library, in the process that loads it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Final

import numpy as np

from lowlat.engine import _core
from lowlat.engine.foreign.capabilities import not_compared
from lowlat.engine.foreign.description import LibraryDescription
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.config_codec import native_rules
from lowlat.engine.matching.records import EVENT, Commands, Events
from lowlat.text import printable

STDERR: Final = 2


class LoadedLibrary:
    """A library in this process, where it stays. `native` is its handle."""

    def __init__(self, native: _core.EngineLibrary, file: str) -> None:
        self.native = native
        self.description = LibraryDescription(
            file=file,
            name=_text(native.name),
            version=_text(native.version),
            calls_back=native.calls_back,
            bits=native.capabilities,
        )

    def engine(self, settings: EngineConfig, *, extended: bool) -> LibraryEngine:
        """A new engine of this library. Raises as `LibraryEngine` does."""
        return LibraryEngine(self, settings, extended=extended)


def loaded(path: str, stall_limit_s: float) -> LoadedLibrary:
    """Load the library of this absolute path.

    From then on a crash in it, or `stall_limit_s` without an event, ends this process with code 3 and one line on
    stderr. Raises `PlugInError` for what is no library with an engine of this interface.
    """
    return LoadedLibrary(_core.EngineLibrary(path, round(1000 * stall_limit_s)), path)


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """What a library prints on stderr goes nowhere meanwhile: nobody may read it, and a full pipe would stop it. How it
    ends this process is still said there.
    """
    own = os.dup(STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDERR)
    os.close(nowhere)
    _core.say_of_libraries_to(own)
    try:
        yield
    finally:
        os.dup2(own, STDERR)
        _core.say_of_libraries_to(STDERR)
        os.close(own)


def null_library(*, calls_back: bool) -> LoadedLibrary:
    """An engine of ours that does nothing, behind the same interface: what it costs is what the calls cost."""
    return LoadedLibrary(_core.EngineLibrary.null(calls_back), "lowlat")


class LibraryEngine:
    """An engine that a library made. `matcher` is what the measured passes take."""

    def __init__(self, library: LoadedLibrary, settings: EngineConfig, *, extended: bool) -> None:
        """`extended`: whether commands are `EXTENDED_COMMAND` records. Raises `NotValidError` if it makes none."""
        self.library = library
        self.settings = settings
        self.matcher = _core.ForeignEngine(library.native, native_rules(settings), settings.orders, extended)

    @property
    def not_compared(self) -> tuple[str, ...]:
        """Fields of an event that it does not claim to give."""
        return not_compared(self.library.description.capabilities)

    def reset(self) -> None:
        """Empty the books; the next command is number 0 again."""
        self.matcher.reset()

    def process(self, commands: Commands) -> Events:
        """Execute commands in order; returns their events as the library wrote them, padding included."""
        return self.matcher.process(commands)


def padding_of(events: Events) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    """The field `zero` of each event, which the dtype leaves out."""
    words: np.ndarray[tuple[int], np.dtype[np.uint32]] = events.view(np.uint32).reshape(-1, EVENT.itemsize // 4)[:, -1]
    return words


def _text(raw: bytes) -> str:
    return printable(raw.decode(errors="replace"))
