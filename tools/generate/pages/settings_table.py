"""The table of settings: every option that the environment and the settings file can set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.core import TyperGroup, TyperOption
from typer.main import get_command

from lowlat_cli.app import app


def table() -> str:
    """A row for each setting: key, variable, and the verbs that use it."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for name, verb in get_command(app).commands.items():  # type: ignore[attr-defined]
        for option in _options(verb):
            key = max(option.opts, key=len).removeprefix("--")
            users = verbs.setdefault((key, str(option.envvar)), [])
            if name not in users:
                users.append(name)
    rows = [
        f"| `{key}` | `{variable}` | {', '.join(f'[{user}](commands/{user}.md)' for user in users)} |"
        for (key, variable), users in sorted(verbs.items())
    ]
    return "\n".join(["| key | variable | verbs |", "|---|---|---|", *rows])


def _options(command: Any) -> Iterator[TyperOption]:
    if isinstance(command, TyperGroup):
        for beneath in command.commands.values():
            yield from _options(beneath)
    yield from (each for each in command.params if isinstance(each, TyperOption) and each.envvar)
