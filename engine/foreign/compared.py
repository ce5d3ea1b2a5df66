"""An engine whose every event is compared with another's."""

from __future__ import annotations

import numpy as np

from lowlat.engine.foreign.library import padding_of
from lowlat.engine.matching.commands import describe
from lowlat.engine.matching.interface import Executes
from lowlat.engine.matching.records import EVENT, Commands, Events


class ComparedEngine:
    """Executes the same commands on both, from the same state.

    `commands`, `events`: how many were compared. `difference`: the first, in words; None while there is none.
    `differs_at`: the command, from 0, that it is an event of.
    """

    def __init__(
        self, engine: Executes, oracle: Executes, not_compared: tuple[str, ...] = (), *, padded: bool = True
    ) -> None:
        """`not_compared`: fields of an event that need not be equal. `padded`: whether padding is the engine's own."""
        self._engine, self._oracle, self._padded = engine, oracle, padded
        self._names = [name for name in EVENT.names or () if name not in not_compared]
        self.events = self.commands = 0
        self.difference: str | None = None
        self.differs_at: int | None = None

    def process(self, commands: Commands) -> Events:
        """The engine's events; where all that is compared is equal, with the other's remaining fields."""
        given, expected = self._engine.process(commands), self._oracle.process(commands)
        if self.difference is None:
            at = self._first_difference(expected, given)
            if at is not None:
                self.difference = self._in_words(expected, given, at)
                self.differs_at = int((expected if at < len(expected) else given)[at]["sequence"])
            self.events += len(given) if at is None else at
        self.commands += len(commands)
        return expected if self.difference is None else given

    def _first_difference(self, expected: Events, given: Events) -> int | None:
        shorter = min(len(expected), len(given))
        same = padding_of(given)[:shorter] == 0 if self._padded else np.ones(shorter, dtype=bool)
        for name in self._names:
            same &= expected[name][:shorter] == given[name][:shorter]
        if not same.all():
            return int(np.argmin(same))
        return None if len(expected) == len(given) else shorter

    def _in_words(self, expected: Events, given: Events, at: int) -> str:
        where = f"from event {self.events + at + 1:,} on"
        if at == len(given):
            return f"{where}: none instead of {describe(expected[at])}"
        if at == len(expected):
            return f"{where}: {describe(given[at])} instead of none"
        other = [
            f"{name} {given[at][name]} instead of {expected[at][name]}"
            for name in self._names
            if given[at][name] != expected[at][name]
        ]
        if self._padded and padding_of(given)[at]:
            other.append(f"padding {padding_of(given)[at]} instead of 0")
        return f"{where}: {', '.join(other)} in {describe(expected[at])}"
