"""Compares an engine with the native one on a case: as a batch, then again one command at a time, after a reset."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeAlias

from lowlat.engine.conformance.cases import Case
from lowlat.engine.foreign.compared import ComparedEngine
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.interface import Executes
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import EXTENDED_COMMAND, Commands, Events

ONE_BY_ONE_MAX: Final = 2_000
"""Commands up to which a case is executed one at a time too: each is a call from Python."""
_LONGEST_PART: Final = 1 << 16

Parts: TypeAlias = Callable[[Commands], Iterable[Commands]]


class ForeignExecutes(Executes, Protocol):
    """An engine of another's: of a library, or of a process."""

    @property
    def not_compared(self) -> tuple[str, ...]:
        """Fields of an event that it does not claim to give."""

    def reset(self) -> None:
        """Empty the books; the next command is number 0 again."""


class MakesEngines(Protocol):
    """A library or a process, which makes engines."""

    def engine(self, settings: EngineConfig, *, extended: bool) -> ForeignExecutes:
        """A new one with these settings."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first difference of a case. `command`: its number, from 0. `how`: the way the commands were given."""

    command: int
    text: str
    how: str


def compare(source: MakesEngines, case: Case) -> tuple[Difference | None, int]:
    """The first difference, None if there is none; and how many events were compared.

    The second time the engine has been reset: a book that is not empty then, or memory that was, shows.
    """
    engine = _made(source, case)
    events = 0
    for at, (how, parts) in enumerate(_ways(case.commands)):
        if at:
            engine.reset()
        compared = ComparedEngine(engine, Engine.of(case.settings), engine.not_compared)
        for part in parts(case.commands):
            compared.process(part)
            if compared.difference is not None:
                return Difference(compared.differs_at or 0, compared.difference, how), events + compared.events
        events += compared.events
    return None, events


def events_of(source: MakesEngines, case: Case, how: str) -> tuple[Events, Events]:
    """The engine's events and the native ones, of the way in which they differ: in one call for a batch."""
    engine = _made(source, case)
    given = engine.process(case.commands)
    if how != _BATCH:
        engine.reset()
        given = engine.process(case.commands)
    return given, Engine.of(case.settings).process(case.commands)


def with_commands(case: Case, commands: Commands) -> Case:
    """The same settings, other commands."""
    return replace(case, commands=commands)


def _made(source: MakesEngines, case: Case) -> ForeignExecutes:
    return source.engine(case.settings, extended=case.commands.dtype == EXTENDED_COMMAND)


_BATCH: Final = "in batches"
_SINGLE: Final = "one at a time, after a reset"
_AGAIN: Final = "in batches, after a reset"


def _ways(commands: Commands) -> tuple[tuple[str, Parts], tuple[str, Parts]]:
    again: tuple[str, Parts] = (_SINGLE, _singly) if len(commands) <= ONE_BY_ONE_MAX else (_AGAIN, _batches)
    return (_BATCH, _batches), again


def _batches(commands: Commands) -> Iterable[Commands]:
    """Of any size, the same for the same number of commands."""
    draw, at = random.Random(len(commands)), 0
    while at < len(commands):
        size = draw.choice((1, 2, 7, 300, 5_000, _LONGEST_PART))
        yield commands[at : at + size]
        at += size


def _singly(commands: Commands) -> Iterable[Commands]:
    return (commands[at : at + 1] for at in range(len(commands)))
