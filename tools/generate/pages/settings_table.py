"""The table of settings: every option that the environment and the settings file can set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.core import TyperGroup, TyperOption

from lowlat_cli.app import command_line
from lowlat_cli.settings import names_output


def table() -> str:
    """A row for each setting: key, variable, and the verbs that use it. Keys for the environment only are in
    parentheses.
    """
    verbs: dict[tuple[str, str, bool], list[str]] = {}
    for name, verb in command_line().commands.items():
        for option in _options(verb):
            key = max(option.opts, key=len).removeprefix("--")
            users = verbs.setdefault((key, str(option.envvar), names_output(name, key)), [])
            if name not in users:
                users.append(name)
    rows = [
        f"| {f'(`{key}`)' if in_no_file else f'`{key}`'} | `{variable}` | "
        f"{', '.join(f'[{user}](commands/{user}.md)' for user in users)} |"
        for (key, variable, in_no_file), users in sorted(verbs.items())
    ]
    return "\n".join(["| key | variable | verbs |", "|---|---|---|", *rows])


def _options(command: Any) -> Iterator[TyperOption]:
    if isinstance(command, TyperGroup):
        for beneath in command.commands.values():
            yield from _options(beneath)
    yield from (each for each in command.params if isinstance(each, TyperOption) and each.envvar)
