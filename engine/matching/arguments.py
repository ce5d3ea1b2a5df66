"""Checks of arguments that several classes of engines and books take. What is refused is a `UsageError`."""

from __future__ import annotations

from lowlat.arguments import is_integer
from lowlat.engine.matching.records import Side
from lowlat.errors import UsageError
from lowlat.text import shown


def checked_side(side: object) -> Side:
    """Return the `Side` that a number is."""
    if is_integer(side) and side in frozenset(Side):
        return Side(int(side))
    raise UsageError(f"side {shown(side)} is neither Side.BUY nor Side.SELL")


def checked_levels(levels: object, most: int) -> int:
    """Return as many levels as are asked for, and as there can be."""
    if is_integer(levels):
        return max(0, min(int(levels), most))
    raise UsageError(f"levels: {shown(levels)} is not an integer")


def checked_symbol(symbol: object, symbols: int) -> int:
    """Return the number of a book, of an engine that holds so many."""
    if is_integer(symbol) and 0 <= symbol < symbols:
        return int(symbol)
    raise UsageError(f"symbol {shown(symbol)} is unknown; this engine holds 0..{symbols - 1}")
