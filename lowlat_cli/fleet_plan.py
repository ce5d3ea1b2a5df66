"""The options that every host of a fleet gets: checked here, so that mistakes are found before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import typer

from lowlat.errors import UsageError
from lowlat_cli.command import settable
from lowlat_cli.help_page import key_of
from lowlat_cli.settings import names_output

_OF_ONE_HOST: Final = frozenset({"peer", "listen", "bind", "root", "sweep", "plot", "format"})
"""Options that make no report, or one that hosts cannot be compared by."""
_ABOUT_SHOWING: Final = frozenset({"format", "output", "plot", "verbose", "quiet", "color", "debug", "wait", "no-lock"})
"""Settings that change nothing in what is measured."""
_FLAG: Final = "--{}"
_WHENCE: Final = {"COMMANDLINE": _FLAG, "ENVIRONMENT": "{1}", "DEFAULT_MAP": "the setting {!r}"}
"""How a value is called that is no default, from its key and its variable, by where it is from."""


def options_of_verb(ctx: typer.Context, verb: str, words: Sequence[str]) -> tuple[str, ...]:
    """The words, and settings of the verb from environment and file as flags. Raises what the verb's parser does, and
    `UsageError` for an option that does not go with a fleet.
    """
    from lowlat_cli.app import command_line

    command = command_line().commands[verb]
    with command.make_context(verb, list(words), parent=ctx.find_root()) as own:
        added: list[str] = []
        for option in settable(command):
            key = key_of(option)
            source = own.get_parameter_source(option.name)
            whence = _WHENCE.get("" if source is None else source.name)
            if whence is None or (whence != _FLAG and key in _ABOUT_SHOWING):
                continue
            if key in _OF_ONE_HOST or names_output(verb, key):
                raise UsageError(f"{whence.format(key, option.envvar)} does not go with a fleet; leave it out")
            if whence != _FLAG:
                added += _as_flags(key, own.params[option.name])
    return (*words, *added)


def _as_flags(key: str, value: object) -> list[str]:
    if isinstance(value, bool):
        return [f"--{key}"] * value
    values = value if isinstance(value, list | tuple) else [value]
    return [word for one in values for word in (f"--{key}", str(one))]
