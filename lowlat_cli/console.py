"""Consoles for output streams, and whether they use color."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, TextIO, TypeAlias

from lowlat.columns import columns_chosen

if TYPE_CHECKING:
    from rich.console import Console

Color: TypeAlias = Literal["auto", "always", "never"]


def wants_color(choice: Color, stream: TextIO) -> bool:
    """Whether output to a stream is colored.

    `auto` follows https://no-color.org, then https://force-color.org (a variable counts if not empty), then checks
    whether the stream is a terminal that supports color.
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or is_terminal(stream)


def is_terminal(stream: TextIO) -> bool:
    """Whether the stream is a terminal that supports cursor control."""
    return stream.isatty() and os.environ.get("TERM", "") not in {"", "dumb", "unknown"}


def console(stream: TextIO, color: Color, *, into: TextIO | None = None) -> Console:
    """A console for a stream, with the color choice for that stream; with `into`, it prints there instead."""
    from rich.console import Console

    wanted = wants_color(color, stream)

    def made(color_system: Literal["auto", "standard"] | None) -> Console:
        # Set everything, since rich would check the environment in a different order. A color system of None also
        # disables bold and dim, which `no_color` does not.
        return Console(
            file=into or stream,
            width=columns_chosen(),
            _environ={name: value for name, value in os.environ.items() if name != "COLUMNS"},
            force_terminal=stream.isatty(),
            no_color=not wanted,
            color_system=color_system,
            markup=False,  # foreign text may contain brackets and colons
            emoji=False,
        )

    detected = made("auto" if wanted else None)
    return made("standard") if wanted and detected.color_system is None else detected
