"""Progress on stderr. Drawn only on updates, which come between measured sections; no thread refreshes it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from lowlat.text import printable
from lowlat_cli.console import Color, console, is_terminal
from lowlat_cli.stdio import notes_shown, say

Progress: TypeAlias = Callable[[str, float | None], None]
"""Takes what comes next and the share done, 0 to 1; None: it is not known."""


@contextmanager
def shown_progress(color: Color, *, verbose: bool) -> Iterator[Progress]:
    """A bar on a terminal; otherwise one line per update if `verbose`, else nothing. With --quiet, nothing."""
    if not notes_shown():
        yield _nothing
    elif is_terminal(sys.stderr):
        with _bar(color) as progress:
            yield progress
    elif verbose:
        yield _line
    else:
        yield _nothing


@contextmanager
def _bar(color: Color) -> Iterator[Progress]:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (BarColumn(bar_width=24), TaskProgressColumn(), TextColumn("{task.description}", markup=False))
    drawn = Progress(
        *columns,
        console=console(sys.stderr, color),
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with drawn:
        task = drawn.add_task("", total=1.0)

        def progress(text: str, share: float | None) -> None:
            known = None if share is None else 1.0
            drawn.tasks[task].total = known  # update() would take None for no change
            drawn.update(task, description=printable(text), completed=share or 0.0, refresh=True)

        yield progress


def _line(text: str, share: float | None) -> None:
    say(text if share is None else f"{text} ({share:.0%})")


def _nothing(_text: str, _share: float | None) -> None:
    pass
