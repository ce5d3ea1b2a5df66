"""Shared by generators: wrapped comments, and names in sentences as spelled in each language."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Callable

from model import REFERENCE, Enumeration, Record, Schema, SchemaError

WIDTH = 120
Spell = Callable[[Enumeration | Record, str, str], str]
"""From an enumeration or record, a member ("" for none) and a field ("" for none), to its name."""


def spelled(sentence: str, schema: Schema, spell: Spell) -> str:
    """A sentence with its schema names spelled for a language; other words are unchanged."""

    def name(found: re.Match[str]) -> str:
        owner, member, field = found[1], found[2] or "", found[3] or ""
        known = schema.enums.get(owner) or schema.records.get(owner)
        if known is None or (member and member not in {each.name for each in getattr(known, "members", ())}):
            return found[0]
        return spell(known, member, field)

    return REFERENCE.sub(name, sentence)


def wrapped(text: str, first: str, later: str | None = None, width: int = WIDTH) -> list[str]:
    """Lines of a comment: `first` starts the first line, `later` the others."""
    rest = first if later is None else later
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def beside(rows: list[tuple[str, str]], gap: int, opening: str, closing: str = "") -> list[str]:
    """Lines of code with their comments, aligned between neighbors as clang-format does.

    Raises `SchemaError` for a line that is too long.
    """
    lines = []
    for commented, group in itertools.groupby(rows, key=lambda row: row[1] != ""):
        listed = list(group)
        column = max(len(code) for code, _ in listed) + gap
        lines += [f"{code:<{column}}{opening}{text}{closing}" if commented else code for code, text in listed]
    for line in lines:
        if len(line) > WIDTH:
            raise SchemaError(f"a line of {len(line)} columns; shorten its sentence:\n{line}")
    return lines
