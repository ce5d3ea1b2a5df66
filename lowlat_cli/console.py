"""Consoles: where output goes, and whether it is coloured."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, TextIO, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console

Color: TypeAlias = Literal["auto", "always", "never"]


def wants_color(choice: Color, stream: TextIO) -> bool:
    """Whether to colour what goes to a stream.

    `auto` follows https://no-color.org and https://force-color.org (either counts when not empty, the first wins),
    then whether the stream is a terminal that understands colour.
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or is_terminal(stream)


def is_terminal(stream: TextIO) -> bool:
    """Whether the stream is a terminal that can be drawn on."""
    return stream.isatty() and os.environ.get("TERM", "") not in {"", "dumb", "unknown"}


def console(stream: TextIO, color: Color) -> Console:
    """A console on a stream, as the user wants it coloured."""
    from rich.console import Console

    wanted = wants_color(color, stream)
    made = Console(
        file=stream,
        # Both said, since rich would ask the environment in an order of its own; a colour system of None
        # also leaves out bold and dim, which NO_COLOR alone would let through.
        force_terminal=stream.isatty(),
        no_color=not wanted,
        color_system="auto" if wanted else None,
    )
    if wanted and made.color_system is None:
        return Console(file=stream, force_terminal=stream.isatty(), no_color=False, color_system="standard")
    return made
