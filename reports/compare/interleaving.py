"""Interleaved runs: their order, and what is said of a comparison that has fewer pairs than it was to have.

A document says both seed and order, and a reader derives one from the other. So only `random()` is called: of
`random.Random`, nothing else promises the same numbers in every version of Python.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal, TypeAlias

from lowlat import units
from lowlat.reports.model.comparison import Interleaving

SideName: TypeAlias = Literal["base", "head"]
Status: TypeAlias = Literal["ok", "interrupted"]


def order_of(pairs: int, seed: int) -> tuple[SideName, ...]:
    """The side that runs first in each pair: each side once in every two pairs, so in half of them at every look."""
    chance = random.Random(seed)
    first: list[SideName] = []
    while len(first) < pairs:
        first += ("base", "head") if chance.random() < 0.5 else ("head", "base")
    return tuple(first[:pairs])


def rounds_of(names: Sequence[str], rounds: int, chance: random.Random) -> tuple[tuple[str, ...], ...]:
    """The names in the order in which each round has them."""
    return tuple(tuple(sorted(names, key=lambda _name: chance.random())) for _ in range(rounds))


def status_of(order: Interleaving | None, pairs: int) -> tuple[Status, tuple[str, ...]]:
    """The status after so many pairs, and why it is not ok. `order`: None for runs that were not interleaved."""
    if order is None or pairs >= order.pairs:
        return "ok", ()
    return "interrupted", (f"interrupted after {pairs} of {units.counted(order.pairs, 'pair')}",)
