"""What all verbs share: help that opens with examples, and options that fall back on environment and settings file.

An option's value is the flag's, else that of `LOWLAT_<OPTION>`, else that of the settings file, else the default.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup, TyperOption

from lowlat_cli.listings import with_names
from lowlat_cli.session import session_of
from lowlat_cli.settings import SettingsError, nearest, read_settings

if TYPE_CHECKING:
    from typer._click import Context, HelpFormatter
    from typer._click.parser import _OptionParser

_PREFIX = "LOWLAT_"
_OF_THE_BUILD = frozenset({"NATIVE", "SANITIZE", "CHECKED"})
"""Variables that the build reads: near to a setting's name or not, they are none."""


class UnknownVariableError(SettingsError):
    """An environment variable whose name is nearly that of a setting: taken for a typing error."""


def key_of(option: TyperOption) -> str:
    """The option's key in a settings file: its long name."""
    return max(option.opts, key=len).removeprefix("--")


def settable(command: Any) -> Iterator[TyperOption]:
    """The options of a command, and of the commands beneath it, that environment and settings file may set."""
    if isinstance(command, TyperGroup):
        for beneath in command.commands.values():
            yield from settable(beneath)
    for parameter in command.params:
        if isinstance(parameter, TyperOption):
            yield parameter


class Verb(TyperCommand):
    """A verb."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for option in settable(self):
            option.envvar = _variable(key_of(option))
            option.show_envvar = False  # the rule stands once, at the end of the help

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Look settings up before the options ask for them."""
        try:
            ctx.default_map = _settings(ctx)
        except SettingsError:
            super().parse_args(ctx, args)  # --help must work beside a broken file; it ends here
            raise
        return super().parse_args(ctx, args)

    def make_parser(self, ctx: Context) -> _OptionParser:
        """Take `--json` for `--format json`, also in the order of what is given: of two, the last counts."""
        parser = super().make_parser(ctx)
        for option in self.params:
            if isinstance(option, TyperOption) and "--format" in option.opts:
                action = "append_const" if option.multiple else "store_const"
                parser.add_option(obj=option, opts=["--json"], dest=option.name, action=action, const="json")
        return parser

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Purpose and examples first, then usage and options."""
        _format_help(self, ctx, formatter)


class Verbs(TyperGroup):
    """The command that holds the verbs."""

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """As for a verb."""
        _format_help(self, ctx, formatter)


def _format_help(command: TyperCommand | TyperGroup, ctx: Context, formatter: HelpFormatter) -> None:
    for option in command.params:
        if isinstance(option, TyperOption) and option.help:
            option.help = with_names(option.help)
    command.format_help_text(ctx, formatter)
    formatter.write_paragraph()
    command.format_usage(ctx, formatter)
    command.format_options(ctx, formatter)
    command.format_epilog(ctx, formatter)


def _settings(ctx: Context) -> dict[str, Any]:
    """The settings of the context's verb, by parameter."""
    root = ctx.find_root().command
    assert isinstance(root, TyperGroup), "a verb is called through the group"
    verbs = root.commands
    keys_by_verb = {name: {key_of(option) for option in settable(verb)} for name, verb in verbs.items()}
    _check_environment({key for keys in keys_by_verb.values() for key in keys})
    found = read_settings(Path())
    session_of(ctx).settings_file = found.where
    by_key = found.of_verb(_verb_of(ctx), keys_by_verb)
    values = {option: by_key[key_of(option)] for option in settable(ctx.command) if key_of(option) in by_key}
    return {
        option.name: [value] if option.multiple and not isinstance(value, list) else value
        for option, value in values.items()
    }


def _verb_of(ctx: Context) -> str:
    """The verb beneath the root that a context belongs to: `affinity` for `lowlat affinity run`."""
    while ctx.parent is not None and ctx.parent.parent is not None:
        ctx = ctx.parent
    return str(ctx.info_name)


def _check_environment(keys: set[str]) -> None:
    """Refuse what is nearly the name of a setting. Other names are left alone: users may have some."""
    known = {_variable(key).removeprefix(_PREFIX) for key in keys}
    given = {name.removeprefix(_PREFIX) for name in os.environ if name.startswith(_PREFIX)} - _OF_THE_BUILD
    for name in sorted(given - known):
        # The shared prefix is left out: it would make every name seem near.
        if near := nearest(name, known):
            raise UnknownVariableError(
                f"unknown variable {_PREFIX}{name}; did you mean {_PREFIX}{near}? Set or unset it"
            )


def _variable(key: str) -> str:
    return _PREFIX + key.upper().replace("-", "_")


def full_command(ctx: Context, typed: list[str]) -> tuple[str, ...]:
    """The command line as typed, and what environment and settings file added, as flags: it repeats the run alone."""
    added: list[str] = []
    for option in settable(ctx.command):
        source, value = ctx.get_parameter_source(option.name), ctx.params[option.name]
        if source is None or source.name not in {"ENVIRONMENT", "DEFAULT_MAP"}:
            continue
        flag = max(option.opts, key=len)
        if isinstance(value, bool):
            added += [flag] * value
        else:
            for one in value if isinstance(value, list | tuple) else [value]:
                added += [flag, str(one)]
    return ("lowlat", *typed, *added)
