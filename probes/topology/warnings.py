"""Warnings about contradictory kernel output: one line for each kind, however many CPUs show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

Warn = Callable[[str, str], None]
"""Takes what is wrong and where."""


class Warnings:
    """Collects warnings; the same fault in several places is one line."""

    def __init__(self) -> None:
        self._places: dict[str, dict[str, None]] = defaultdict(dict)  # in order, each once

    def add(self, what: str, where: str) -> None:
        """Record one fault at one place."""
        self._places[what][where] = None

    def lines(self) -> tuple[str, ...]:
        """All kinds of faults in order of appearance, each with its first place and the number of others."""
        return tuple(
            f"{what} ({next(iter(places))}{f' and {len(places) - 1} more' if len(places) > 1 else ''})"
            for what, places in self._places.items()
        )
