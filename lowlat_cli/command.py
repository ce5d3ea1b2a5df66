"""Base classes of all verbs: help that starts with examples, and options from the environment and the settings file.

An option takes its value from the flag, then `LOWLAT_<OPTION>`, then the settings file, then the default.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup, TyperOption

from lowlat.errors import UsageError
from lowlat_cli.help_page import key_of, write_help
from lowlat_cli.session import session_of
from lowlat_cli.settings import nearest, read_settings

if TYPE_CHECKING:
    from typer._click import Context, HelpFormatter
    from typer._click.parser import _OptionParser

_PREFIX = "LOWLAT_"
_OF_THE_BUILD = frozenset({"NATIVE", "SANITIZE", "CHECKED"})
"""Variables that the build reads: near to a setting's name or not, they are none."""
_WHEN = frozenset({"wait", "no-lock"})
"""Settings that decide when a run takes place, and change nothing in it."""
_PROFILES = "profiles"
"""Short for two commands beneath `profile`."""


def settable(command: Any) -> Iterator[TyperOption]:
    """The options of a command and its subcommands that the environment and the settings file may set."""
    if isinstance(command, TyperGroup):
        for beneath in command.commands.values():
            yield from settable(beneath)
    for parameter in command.params:
        if isinstance(parameter, TyperOption):
            yield parameter


class PlainVerb(TyperCommand):
    """A verb that no setting changes, so that it works beside a broken settings file."""

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Purpose and examples first, then usage and options."""
        write_help(self, ctx, formatter)


class Verb(PlainVerb):
    """A verb."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for option in settable(self):
            option.envvar = _variable(key_of(option))
            option.show_envvar = False  # the end of the help states the rule once

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Look up settings before the options need them."""
        try:
            ctx.default_map = _settings(ctx)
        except UsageError:
            super().parse_args(ctx, args)  # --help exits here, so it works even if the settings file is broken
            raise
        return super().parse_args(ctx, args)

    def make_parser(self, ctx: Context) -> _OptionParser:
        """Accept `--json` as `--format json`, with the same precedence: the last one given wins."""
        parser = super().make_parser(ctx)
        for option in self.params:
            if isinstance(option, TyperOption) and "--format" in option.opts:
                action = "append_const" if option.multiple else "store_const"
                parser.add_option(obj=option, opts=["--json"], dest=option.name, action=action, const="json")
        return parser


class Verbs(TyperGroup):
    """A command that contains verbs. Those that do no work of their own, such as `help`, come last."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        last = {name for name, verb in self.commands.items() if not _has_settings(verb)}
        self.commands = dict(sorted(self.commands.items(), key=lambda item: item[0] in last))

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Accept `lowlat profiles [NAME]` as `lowlat profile list`, or `lowlat profile show NAME`."""
        if ctx.parent is None and args[0] == _PROFILES:
            named = ctx.resilient_parsing or (len(args) > 1 and not args[1].startswith("-"))
            args = ["profile", "show" if named else "list", *args[1:]]
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Same as for a verb."""
        write_help(self, ctx, formatter)


def _settings(ctx: Context) -> dict[str, Any]:
    """The settings of the context's verb, by parameter."""
    root = ctx.find_root().command
    assert isinstance(root, TyperGroup), "a verb is called through the group"
    verbs = root.commands
    keys_by_verb = {
        name: {key_of(option) for option in settable(verb)} for name, verb in verbs.items() if _has_settings(verb)
    }
    _check_environment({key for keys in keys_by_verb.values() for key in keys})
    found = read_settings(Path())
    session_of(ctx).settings_file = found.where
    by_key = found.of_verb(_verb_of(ctx), keys_by_verb)
    values = {option: by_key[key_of(option)] for option in settable(ctx.command) if key_of(option) in by_key}
    return {
        option.name: [value] if option.multiple and not isinstance(value, list) else value
        for option, value in values.items()
    }


def _has_settings(verb: Any) -> bool:
    return not isinstance(verb, PlainVerb) or isinstance(verb, Verb)


def _verb_of(ctx: Context) -> str:
    """The top-level verb of a context: `affinity` for `lowlat affinity run`."""
    while ctx.parent is not None and ctx.parent.parent is not None:
        ctx = ctx.parent
    return str(ctx.info_name)


def _check_environment(keys: set[str]) -> None:
    """Reject misspelled names of settings. Ignore other variables with the prefix: users may have some."""
    known = {_variable(key).removeprefix(_PREFIX) for key in keys}
    given = {name.removeprefix(_PREFIX) for name in os.environ if name.startswith(_PREFIX)} - _OF_THE_BUILD
    for name in sorted(given - known):
        # Compare without the common prefix, which would make all names look similar.
        if name == "JSON":
            raise UsageError(
                f"{_PREFIX}JSON is not a setting: --json is short for --format json; set {_PREFIX}FORMAT=json"
            )
        if near := nearest(name, known):
            raise UsageError(f"unknown variable {_PREFIX}{name}; did you mean {_PREFIX}{near}? Rename it, or unset it")


def _variable(key: str) -> str:
    return _PREFIX + key.upper().replace("-", "_")


def full_command(ctx: Context, typed: list[str]) -> tuple[str, ...]:
    """The command line as typed, plus settings from environment and file as flags, so that it alone repeats the run."""
    added: list[str] = []
    for option in settable(ctx.command):
        source, value = ctx.get_parameter_source(option.name), ctx.params[option.name]
        if key_of(option) in _WHEN or source is None or source.name not in {"ENVIRONMENT", "DEFAULT_MAP"}:
            continue
        flag = max(option.opts, key=len)
        if isinstance(value, bool):
            added += [flag] * value
        else:
            for one in value if isinstance(value, list | tuple) else [value]:
                added += [flag, str(one)]
    return ("lowlat", *typed, *added)
