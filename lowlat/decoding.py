"""What is wrong with a decoded document, in words: the place first, as its author wrote it."""

from __future__ import annotations

import re
from typing import Final

import msgspec

_PLACE: Final = re.compile(r"(?P<what>.*?)(?: - at `(?P<of_key>key in )?\$(?P<place>.*)`)?", re.DOTALL)
_TYPES: Final = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
    "null": "nothing",
    "object": "a table",
    "str": "text",
}
_NAMED: Final = (
    (re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL), "this key is unknown"),
    (re.compile(r"Object missing required field `(?P<name>.*)`", re.DOTALL), "this key is missing"),
)


def explain(error: msgspec.ValidationError) -> str:
    """One line such as `mix.add: expected a whole number >= 0, got text`."""
    found = _PLACE.fullmatch(str(error))
    assert found is not None, "the pattern matches any text"
    what, place = found["what"], (found["place"] or "").removeprefix(".")
    for form, meaning in _NAMED:
        if named := form.fullmatch(what):
            return f"{place}.{named['name']}: {meaning}".removeprefix(".")
    words = re.sub(r"`(\w+)`", lambda name: _TYPES.get(name[1], name[1]), what)
    line = words[:1].lower() + words[1:]
    return f"{place}{' (a key)' if found['of_key'] else ''}: {line}" if place else line
