"""`lowlat help`: the help of a verb, as `lowlat VERB --help` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lowlat.errors import UsageError
from lowlat_cli.help_page import context_of
from lowlat_cli.options.shared import ColorOption, DebugOption, QuietOption
from lowlat_cli.stdio import emit

if TYPE_CHECKING:
    from typer._click import Context


def help_(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="VERB...", help="A command.  [default: lowlat itself]")
    ] = None,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Show the help of a command.

    \b
    Examples:
      lowlat help
      lowlat help bench            the same as 'lowlat bench --help'
      lowlat help journal verify
    """
    above: Context = ctx.find_root()
    rest = list(words or ())
    while rest:
        above, rest = _beneath(above, rest)
    emit(f"{above.get_help()}\n")
    return 0


def _beneath(above: Context, words: list[str]) -> tuple[Context, list[str]]:
    """The context of the command that the first word names, and the other words."""
    command: Any = above.command
    if not hasattr(command, "resolve_command"):
        raise UsageError(f"{above.command_path} has no command {words[0]!r}; see '{above.command_path} --help'")
    name, found, rest = command.resolve_command(above, words)
    return context_of(found, str(name), above), rest
