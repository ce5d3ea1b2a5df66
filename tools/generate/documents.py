"""Where documents list what the schema has: tables in `docs/matching.md`, and enumerations in JSON schemas."""

from __future__ import annotations

import re

from model import Enumeration, Record, Schema, SchemaError
from python import quoted
from text import WIDTH, spelled


def enumeration_table(enumeration: Enumeration, heading: str, schema: Schema) -> str:
    """Each member, and what it means."""
    rows = [(each.name, *(each.docs or (_phrase(each.about, schema),))) for each in enumeration.members]
    return _table((heading, *enumeration.columns), rows)


def field_table(record: Record, schema: Schema) -> str:
    """Each field of a record, and what it holds."""
    fields = [field for field in record.fields if not field.is_padding]
    return _table(("field", ""), [(field.name, field.docs or _phrase(field.about, schema)) for field in fields])


def _phrase(sentence: str, schema: Schema) -> str:
    """A sentence as a table's cell: no capital, no period, names without their enumeration."""
    named = spelled(sentence, schema, lambda owner, member, field: f"`{member or field or owner.name}`")
    return named[:1].lower() + named[1:].removesuffix(".")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["|" + "|".join(f" {cell} " if cell else " " for cell in head) + "|", "|" + "---|" * len(head)]
    lines += [
        "|" + "|".join(f" {cell} " if cell else " " for cell in (f"`{name}`", *cells)) + "|" for name, *cells in rows
    ]
    return "\n".join([*lines, ""])


def with_enumeration(text: str, field: str, names: list[str]) -> str:
    """A JSON schema in which the first list of names behind the property `field` is this one."""
    found = re.search(rf'^( *)"{field}": {{.*?"enum": \[(.*?)\]', text, re.DOTALL | re.MULTILINE)
    if found is None:
        raise SchemaError(f"no property {field} with an enumeration")
    begin, end = found.span(2)
    line = text[text.rindex("\n", 0, begin) + 1 : begin]
    listed = ", ".join(quoted(names))
    if len(line) + len(listed) + 1 > WIDTH:
        margin = " " * (len(line) - len(line.lstrip()))
        listed = f"\n{margin}  {listed}\n{margin}"
    return text[:begin] + listed + text[end:]
