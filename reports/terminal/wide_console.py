"""Room for output that no terminal bounds: a pipe or a file has no edge to cut cells at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console

OFF_TERMINAL_WIDTH: Final = 160
"""Columns at least, where no terminal sets them."""


@contextmanager
def uncut(console: Console) -> Iterator[None]:
    """Widen a console that is no terminal for a `with` block; a terminal keeps its width."""
    before = console.width
    console.width = before if console.is_terminal else max(before, OFF_TERMINAL_WIDTH)
    try:
        yield
    finally:
        console.width = before
