"""A foreign engine whose every event is compared with the native engine's."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from lowlat.engine.foreign.library import padding_of
from lowlat.engine.matching.commands import describe
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.interface import Executes
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import EVENT, Commands, Events


class Comparable(Executes, Protocol):
    """An engine that tells with which settings it was made, and which fields of an event it does not claim to give."""

    @property
    def settings(self) -> EngineConfig:
        """Its settings."""

    @property
    def not_compared(self) -> tuple[str, ...]:
        """Names of those fields."""


class ComparedEngine:
    """Executes the same commands on both.

    `events`: how many were compared. `difference`: the first, in words; None while there is none. `not_compared`:
    fields of an event that the engine does not claim to give.
    """

    def __init__(self, engine: Comparable) -> None:
        self.engine = engine
        self.native = Engine.of(engine.settings)
        self.events = self.commands = 0
        self.difference: str | None = None
        self.not_compared = engine.not_compared

    def process(self, commands: Commands) -> Events:
        """The engine's events; where all that is compared is equal, with the native engine's other fields."""
        given, expected = self.engine.process(commands), self.native.process(commands)
        if self.difference is None:
            at = self._first_difference(expected, given)
            if at is not None:
                self.difference = self._in_words(expected, given, at)
            self.events += len(given) if at is None else at
        self.commands += len(commands)
        return expected if self.difference is None else given

    def _first_difference(self, expected: Events, given: Events) -> int | None:
        shorter = min(len(expected), len(given))
        same = padding_of(given)[:shorter] == 0
        for name in EVENT.names or ():
            if name not in self.not_compared:
                same &= expected[name][:shorter] == given[name][:shorter]
        if not same.all():
            return int(np.argmin(same))
        return None if len(expected) == len(given) else shorter

    def _in_words(self, expected: Events, given: Events, at: int) -> str:
        where = f"from event {self.events + at + 1:,}"
        if at == len(given):
            return f"{where} on: none, instead of {_shown(expected[at])}"
        if at == len(expected):
            return f"{where} on: {_shown(given[at])}, instead of none"
        names = (name for name in EVENT.names or () if name not in self.not_compared)
        other = [
            f"{name} {given[at][name]} instead of {expected[at][name]}"
            for name in names
            if _differs(name, expected[at], given[at])
        ]
        other += [f"padding {padding_of(given)[at]} instead of 0"] if padding_of(given)[at] else []
        return f"{where} on: {', '.join(other)} in {_shown(expected[at])}"


def _differs(name: str, expected: Any, given: Any) -> bool:
    return bool(expected[name] != given[name])


def _shown(event: Any) -> str:
    """The event as a line, also where its numbers stand for nothing."""
    try:
        return describe(event)
    except ValueError:
        return f"({', '.join(f'{name}={event[name]}' for name in EVENT.names or ())})"
