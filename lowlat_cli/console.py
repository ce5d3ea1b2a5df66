"""Consoles: where output goes, and whether it is colored."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, TextIO, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console

Color: TypeAlias = Literal["auto", "always", "never"]


def wants_color(choice: Color, stream: TextIO) -> bool:
    """Whether to color what goes to a stream.

    `auto` follows https://no-color.org and https://force-color.org (either counts when not empty, the first wins),
    then whether the stream is a terminal that understands color.
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or is_terminal(stream)


def is_terminal(stream: TextIO) -> bool:
    """Whether the stream is a terminal that can be drawn on."""
    return stream.isatty() and os.environ.get("TERM", "") not in {"", "dumb", "unknown"}


def console(stream: TextIO, color: Color, *, into: TextIO | None = None) -> Console:
    """A console for a stream, colored as the user wants it there; with `into`, what it prints goes there instead."""
    from rich.console import Console

    wanted = wants_color(color, stream)

    def made(color_system: Literal["auto", "standard"] | None) -> Console:
        # All said, since rich would ask the environment in an order of its own. A color system of None also leaves
        # out bold and dim, which its `no_color` lets through.
        return Console(
            file=into or stream,
            force_terminal=stream.isatty(),
            no_color=not wanted,
            color_system=color_system,
            markup=False,  # brackets and colons in the text of others mean themselves
            emoji=False,
        )

    detected = made("auto" if wanted else None)
    return made("standard") if wanted and detected.color_system is None else detected
