"""Widens the console for output to a pipe or a file, so that cells are not cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from lowlat.columns import columns_chosen

if TYPE_CHECKING:
    from rich.console import Console

OFF_TERMINAL_WIDTH: Final = 160
"""Columns at least, where neither a terminal nor `COLUMNS` sets them."""


@contextmanager
def uncut(console: Console) -> Iterator[None]:
    """Widen a console for a `with` block, unless it is a terminal or `COLUMNS` sets its width."""
    before = console.width
    sets_it = console.is_terminal or columns_chosen() is not None
    console.width = before if sets_it else max(before, OFF_TERMINAL_WIDTH)
    try:
        yield
    finally:
        console.width = before
