"""Generates the tables in `docs/matching.md`, and the enumerations in JSON schemas."""

from __future__ import annotations

from model import Enumeration, Record, Schema
from text import spelled


def enumeration_table(enumeration: Enumeration, heading: str, schema: Schema) -> str:
    """A table of members with their meanings."""
    rows = [(each.name, *(each.docs or (_phrase(each.about, schema),))) for each in enumeration.members]
    return _table((heading, *enumeration.columns), rows)


def field_table(record: Record, schema: Schema) -> str:
    """A table of a record's fields with their contents."""
    fields = [field for field in record.fields if not field.is_padding]
    return _table(("field", ""), [(field.name, field.docs or _phrase(field.about, schema)) for field in fields])


def _phrase(sentence: str, schema: Schema) -> str:
    """A sentence as a table cell: no capital, no period, names without their enumeration."""
    named = spelled(sentence, schema, lambda owner, member, field: f"`{member or field or owner.name}`")
    return named[:1].lower() + named[1:].removesuffix(".")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["|" + "|".join(f" {cell} " if cell else " " for cell in head) + "|", "|" + "---|" * len(head)]
    lines += [
        "|" + "|".join(f" {cell} " if cell else " " for cell in (f"`{name}`", *cells)) + "|" for name, *cells in rows
    ]
    return "\n".join([*lines, ""])
