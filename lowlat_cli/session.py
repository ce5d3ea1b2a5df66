"""State of the whole invocation: choices that any level of the command line can set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typer._click import Context

    from lowlat_cli.console import Color


@dataclass(slots=True)
class Session:
    """One invocation of `lowlat`; `Context.obj` at every level."""

    color: Color | None = None
    debug: bool = False
    quiet: bool = False
    settings_file: str | None = None
    """How messages name the file that settings came from."""


def session_of(ctx: Context) -> Session:
    """The session that a context belongs to."""
    session = ctx.find_object(Session)
    assert session is not None, "main() starts every invocation with a Session"
    return session


def color_of(ctx: Context) -> Color:
    """The color choice that applies to a context."""
    return session_of(ctx).color or "auto"
