"""The help of a command: purpose and examples first, then usage, arguments, options by group, and commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from typer.core import TyperArgument, TyperGroup, TyperOption

from lowlat.columns import columns_chosen
from lowlat_cli.listings import with_names

if TYPE_CHECKING:
    from typer._click import Context, HelpFormatter

WIDTH_MAX: Final = 100
"""Columns of a help page on a wide terminal. `COLUMNS` overrides it."""
WIDTH_OFF_TERMINAL: Final = 80
WIDTH_MIN: Final = 40
"""Columns at least: below this, a column of text has no room beside the names of options."""

OTHERS: Final = "Options"
"""The group of all options that are in no other."""
_GROUPS: Final[Mapping[str, frozenset[str]]] = {
    "Order flow": frozenset({"profile", "commands", "seed", "columns", "symbols", "from", "to"}),
    "Load": frozenset({"pipeline", "producers", "rate", "arrivals", "sweep", "objective", "dir"}),
    "Journal": frozenset({"journal", "batch"}),
    "Runs": frozenset(
        {"only", "quick", "runs", "until-decided", "max-runs", "cpu", "wait", "no-lock", "no-kernel-path"}
    ),
    "Engine": frozenset({"engine", "orders", "trades", "on-exhaustion"}),
    "Network": frozenset({"peer", "listen", "bind"}),
    "Gate": frozenset({"gate", "strict"}),
    "Output": frozenset({"format", "output", "profile-out", "log", "plot", "verbose", "quiet"}),
    "General": frozenset({"color", "debug", "help", "version"}),
}
"""Options by the keys of settings, in the order of the page."""


def key_of(option: TyperOption) -> str:
    """The option's key in a settings file: its long name."""
    return max(option.opts, key=len).removeprefix("--")


def summary(command: Any) -> str:
    """The first paragraph of a command's help, on one line."""
    return " ".join(str(command.help).partition("\n\n")[0].split())


def arguments_of(command: Any, ctx: Context) -> list[TyperArgument]:
    """The arguments that the help of a command shows."""
    return [each for each in command.get_params(ctx) if isinstance(each, TyperArgument) and not each.hidden]


def option_groups(command: Any, ctx: Context) -> dict[str, list[TyperOption]]:
    """The options that the help of a command shows, by group. A group of one option is none: it is among the others."""
    shown = [each for each in command.get_params(ctx) if isinstance(each, TyperOption) and not each.hidden]
    grouped = {name: [each for each in shown if key_of(each) in keys] for name, keys in _GROUPS.items()}
    grouped = {name: options for name, options in grouped.items() if len(options) > 1}
    inside = [option for options in grouped.values() for option in options]
    others = [each for each in shown if each not in inside]
    return ({OTHERS: others} if others else {}) | grouped


def record_of(parameter: TyperArgument | TyperOption, ctx: Context) -> tuple[str, str]:
    """How a parameter is written, and what it means, with its default."""
    record = parameter.get_help_record(ctx)
    assert record is not None, "hidden parameters are not shown"
    name = record[0] if isinstance(parameter, TyperOption) else parameter.metavar or record[0]
    return name, with_names(record[1])


def subcommands(command: Any) -> Iterator[tuple[str, Any]]:
    """The commands beneath a command that its help lists."""
    if isinstance(command, TyperGroup):
        yield from ((name, each) for name, each in command.commands.items() if not each.hidden)


def context_of(command: Any, name: str, above: Context | None) -> Context:
    """The context in which a command's help is written, as if it were called."""
    from typer import Context

    return Context(command, info_name=name, parent=above, **command.context_settings)


def write_help(command: Any, ctx: Context, formatter: HelpFormatter) -> None:
    """Write the page."""
    formatter.width = _width()
    command.format_help_text(ctx, formatter)
    formatter.write_paragraph()
    command.format_usage(ctx, formatter)
    sections: dict[str, Sequence[TyperArgument | TyperOption]] = {"Arguments": arguments_of(command, ctx)}
    sections |= option_groups(command, ctx)
    for name, parameters in sections.items():
        if parameters:
            with formatter.section(name):
                formatter.write_dl([record_of(each, ctx) for each in parameters])
    if beneath := [(name, summary(each)) for name, each in subcommands(command)]:
        with formatter.section("Commands"):
            formatter.write_dl(beneath)
    command.format_epilog(ctx, formatter)


def _width() -> int:
    return max(columns_chosen() or min(_terminal_columns(), WIDTH_MAX), WIDTH_MIN) - 2


def _terminal_columns() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or WIDTH_OFF_TERMINAL
    except (OSError, ValueError):  # not a terminal, or closed
        return WIDTH_OFF_TERMINAL
