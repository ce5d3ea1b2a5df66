"""Widens the console for output to a pipe or a file, so that cells are not cut."""

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
    """Widen a console that is not a terminal for a `with` block; a terminal keeps its width."""
    before = console.width
    console.width = before if console.is_terminal else max(before, OFF_TERMINAL_WIDTH)
    try:
        yield
    finally:
        console.width = before
