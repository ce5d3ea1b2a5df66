"""Text with terminal control characters, and checks that none of it reached the output."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Iterator
from typing import Any

import msgspec

HOSTILE = "[bold]x[/bold]:skull:\x1b[2J\x9b31m\x07\u202eb\nFORGED line\r\u2028"
"""Markup and an emoji of rich, C0 and C1 controls, a mark of text direction, line ends of three kinds."""
SHOWN = r"[bold]x[/bold]:skull:\x1b[2J\x9b31m\x07\u202eb\nFORGED line\r\u2028"
"""The text that a terminal should get for it."""


def assert_harmless(text: str) -> None:
    """Only printable characters and line feeds, and no line started by foreign text."""
    found = {c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}}
    assert not found, f"{sorted(map(ascii, found))} reached the terminal in {text!r}"
    assert not any(line.strip().startswith("FORGED") for line in text.split("\n")), text


def hostile_documents(document: Any) -> Iterator[tuple[str, Any]]:
    """For each text of a msgspec document, its path and the document with hostile text there.

    Texts from a fixed list of the model are left out; so is every element of a tuple but the first.
    """
    plain = msgspec.to_builtins(document)
    for path in _texts(plain):
        changed = _with(plain, path, HOSTILE)
        try:
            yield ".".join(map(str, path)), msgspec.convert(changed, type(document))
        except msgspec.ValidationError:
            continue


def hostile_copy(thing: Any) -> Any:
    """A copy of a dataclass with hostile text appended to every text in it, at any depth."""
    if isinstance(thing, str):
        return thing + HOSTILE
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        fields = {field.name: hostile_copy(getattr(thing, field.name)) for field in dataclasses.fields(thing)}
        return dataclasses.replace(thing, **fields)
    if isinstance(thing, tuple):
        return tuple(map(hostile_copy, thing))
    return thing


def _texts(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, (*path, key))
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value[:1]):
            yield from _texts(each, (*path, index))


def _with(value: Any, path: tuple[str | int, ...], text: str) -> Any:
    if not path:
        return text
    key, rest = path[0], path[1:]
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[key] = _with(value[key], rest, text)
    return changed


def hostile_everywhere(document: Any, spared: tuple[str, ...] = ("hdr", "started")) -> Any:
    """A copy with hostile text in every text of a msgspec document that its model takes there, at once."""
    plain = msgspec.to_builtins(document)
    for path in list(_texts(plain)):
        if path[-1] not in spared:
            changed = _with(plain, path, HOSTILE)
            try:
                msgspec.convert(changed, type(document))
            except msgspec.ValidationError:
                continue
            plain = changed
    return msgspec.convert(plain, type(document))
