"""What a notebook shows of a document or a table: the same as a terminal."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from lowlat.text import printable

if TYPE_CHECKING:
    from rich.console import Console

WIDTH: Final = 120
"""Columns of a terminal that a notebook's page has room for."""
_STYLE: Final = "white-space: pre; overflow-x: auto; line-height: normal; font-family: Menlo, Consolas, monospace"
"""Jupyter's own style would wrap lines, and set them in a proportional font."""
_FORMAT: Final = f'<pre style="{_STYLE}">{{code}}</pre>\n'


def line_of(schema: str, status: str, *parts: str) -> str:
    """A document in a line, for prompts, logs and whatever shows no HTML."""
    return printable(f"<{schema} {status}: {', '.join(parts)}>")


def html_of(draw: Callable[[Console], None], width: int = WIDTH) -> str:
    """What is drawn on a console, as HTML; text that looks like markup is escaped."""
    from rich.console import Console

    console = Console(
        file=io.StringIO(),
        record=True,
        width=width,
        force_terminal=True,
        force_jupyter=False,  # in a notebook, rich would display what is drawn once more by itself
        color_system="standard",
        markup=False,
        emoji=False,
    )
    draw(console)
    return console.export_html(code_format=_FORMAT, inline_styles=True)
