"""Checks of arguments that several classes take. What is refused is a `UsageError`, whatever its type."""

from __future__ import annotations

import numpy as np

from lowlat.engine.matching.records import Side
from lowlat.errors import UsageError
from lowlat.text import shown


def checked_number(name: str, value: object, lowest: int, highest: int) -> int:
    """Return an integer of this range."""
    if isinstance(value, (int, np.integer)) and lowest <= int(value) <= highest:
        return int(value)
    raise UsageError(f"{name}: {shown(value)} is not an integer from {lowest} to {highest}")


def checked_side(side: object) -> Side:
    """Return the `Side` that a number is."""
    if isinstance(side, (int, np.integer)) and side in frozenset(Side):
        return Side(int(side))
    raise UsageError(f"side {shown(side)} is neither Side.BUY nor Side.SELL")


def checked_symbol(symbol: object, symbols: int) -> int:
    """Return the number of a book, of an engine that holds so many."""
    if isinstance(symbol, (int, np.integer)) and 0 <= symbol < symbols:
        return int(symbol)
    raise UsageError(f"symbol {shown(symbol)} is unknown; this engine holds 0..{symbols - 1}")
