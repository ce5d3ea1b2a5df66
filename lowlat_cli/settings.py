"""Settings for options missing on the command line: `lowlat.toml`, or `[tool.lowlat]` in `pyproject.toml`.

Both are read from the current folder only; if `lowlat.toml` exists, `pyproject.toml` is ignored. Keys are the long
names of options. Top-level keys apply to every verb that has the option. Keys in a table named after a verb apply to
that verb only, and take precedence:

    runs = 3
    [bench]
    profile = "deep"
    commands = "5M"

A file of settings comes with a project, perhaps one that somebody else wrote, so it cannot choose what is written:
options that name a file or folder to write are refused.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lowlat.errors import InputError, UsageError, naming
from lowlat.text import cut

_WRITTEN: Final = frozenset(
    {"output", "profile-out", "log", "journal", "capture", "dir", "fix-script", "with-identity"}
)
_SHOWN_MAX: Final = 200
"""Characters of a key or a value in a message."""
_CLUSTERS: Final = ("scheduler", "hosts", "cluster")
_ONLY_READ: Final = frozenset({("book", "dir")})


def names_output(verb: str | None, key: str) -> bool:
    """Whether an option of a verb names what to write; without a verb, of any of them."""
    return key in _WRITTEN and (verb, key) not in _ONLY_READ


def loads_code(key: str, value: object) -> bool:
    """Whether this value of an option is a library, a process or a cluster, whose code would run: what the workers of
    a cluster answer is unpickled here.
    """
    if key in _CLUSTERS:
        return value is not None
    if key != "engine" or value is None:
        return False
    from lowlat.engine.bench.engines import is_foreign

    return is_foreign(str(value))


@dataclass(frozen=True, slots=True)
class Settings:
    """The contents of a settings file. `where` is its name in messages; None if there is no file."""

    where: str | None
    table: Mapping[str, Any]

    def of_verb(self, verb: str, keys_by_verb: Mapping[str, Collection[str]]) -> dict[str, Any]:
        """The settings of one verb, by option. Raises `UsageError` for a key that no verb has, or a path to write."""
        self._check(keys_by_verb)
        own = keys_by_verb[verb]
        shared = {key: value for key, value in self.table.items() if key in own}
        particular: dict[str, Any] = self.table.get(verb, {})
        chosen = shared | particular
        if cluster := next((key for key in _CLUSTERS if loads_code(key, chosen.get(key))), None):
            raise UsageError(
                f"{self.where}: {cluster!r} names a cluster, whose code a project's file cannot have run; remove it, "
                f"and give --{cluster} or set LOWLAT_{cluster.upper()}"
            )
        if loads_code("engine", chosen.get("engine")):
            raise UsageError(
                f"{self.where}: 'engine' names a library or a process, whose code a project's file cannot have run; "
                "remove it, and give --engine or set LOWLAT_ENGINE"
            )
        return chosen

    def _check(self, keys_by_verb: Mapping[str, Collection[str]]) -> None:
        every_key = {key for keys in keys_by_verb.values() for key in keys}
        for key, value in self.table.items():
            if key not in keys_by_verb:
                self._check_key(None, key, every_key | keys_by_verb.keys())
            elif not isinstance(value, dict):
                raise UsageError(f"{self.where}: {key!r} is a command; write its settings as a table [{key}]")
            else:
                for inner in value:
                    self._check_key(key, inner, keys_by_verb[key])

    def _check_key(self, verb: str | None, key: str, every_key: Collection[str]) -> None:
        path = cut(key if verb is None else f"{verb}.{key}", _SHOWN_MAX)
        if key in every_key and names_output(verb, key):
            raise UsageError(
                f"{self.where}: {path!r} names what to write, which a project's file cannot; remove it, and give "
                f"--{key} or set LOWLAT_{key.upper().replace('-', '_')}"
            )
        known = {each for each in every_key if not names_output(verb, each)}
        if key not in known:
            near = "format = 'json'" if key == "json" else nearest(key, known)
            hint = f"did you mean {near!r}?" if near else f"available: {', '.join(sorted(known))}"
            raise UsageError(f"{self.where}: unknown key {path!r}; {hint}")


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known name closest to a misspelled one, if any is close."""
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1)), None)


def read_settings(folder: Path) -> Settings:
    """The settings that apply in a folder. Raises `UsageError` naming the file and what is wrong."""
    table = _read(folder / "lowlat.toml")
    if table is not None:
        return Settings("lowlat.toml", table)
    tool = (_read(folder / "pyproject.toml") or {}).get("tool", {})
    if isinstance(tool, dict) and "lowlat" in tool:
        where = "pyproject.toml [tool.lowlat]"
        if not isinstance(tool["lowlat"], dict):
            shown = cut(repr(tool["lowlat"]), _SHOWN_MAX)
            raise UsageError(f"{where}: {shown} is not a table; write keys under [tool.lowlat]")
        return Settings(where, tool["lowlat"])
    return Settings(None, {})


def _read(path: Path) -> dict[str, Any] | None:
    """The file's table; None if the file does not exist."""
    from lowlat.toml import parse_toml, read_toml_text

    try:
        text = read_toml_text(path)
    except InputError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise InputError(f"{error}; fix it, or move it away") from error
    with naming(path.name):
        return parse_toml(text)
