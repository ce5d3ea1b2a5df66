"""Writes a profile as the TOML file that `load_profile` reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from lowlat.engine.flow.profile import Profile


def profile_text(profile: Profile, comments: Sequence[str] = ()) -> str:
    """The TOML of a profile, below comments. Keys that have their default are left out; so is the name, which
    `load_profile` takes from the file's name.
    """
    lines = [f"# {line}" for comment in comments for line in comment.splitlines()]
    scalars, tables = [], []
    for key, value in _changed(profile):
        if isinstance(value, msgspec.Struct):
            tables += ["", f"[{key}]", *_pairs(_changed(value))]
        elif key == "lifetime":
            for band in value:
                tables += ["", f"[[{key}]]", *_pairs(_changed(band))]
        elif key != "name":
            scalars.append((key, value))
    return "\n".join([*lines, *_pairs(scalars), *tables]) + "\n"


def _changed(struct: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    """Fields that have another value than their default, in the order of the struct."""
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if field.required or value != field.default:
            yield field.encode_name, value


def _pairs(values: Iterable[tuple[str, Any]]) -> Iterator[str]:
    for key, value in values:
        yield f"{key} = {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, str):
        # A TOML basic string has the escapes of a JSON string, but takes no unescaped DEL.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)
