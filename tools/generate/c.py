"""Generates the enumerations, records and limits of the C headers.

`lowlat.h` and `lowlat_engine.h` each have all of them, so that neither needs another file. A program may include both:
each block has a guard.
"""

from __future__ import annotations

from model import Enumeration, Field, Record, Schema
from text import beside, spelled, wrapped


def enumerations(schema: Schema) -> str:
    """Every enumeration of commands and events."""
    lines: list[str] = []
    for enumeration in schema.part("matching").enums.values():
        if enumeration.c:
            lines += [*_enumeration(enumeration, schema), ""]
    return _guarded("ENUMERATIONS", lines)


def capabilities(schema: Schema) -> str:
    """What an engine may be able to do."""
    return "\n".join([*_enumeration(schema.enums["Capability"], schema), ""])


def records(schema: Schema) -> str:
    """Every record that crosses the interface in its memory layout."""
    lines: list[str] = []
    for record in schema.records.values():
        if record.c:
            lines += [*_record(record, schema), ""]
    return _guarded("RECORDS", lines)


def limits(schema: Schema) -> str:
    """Constants, as macros, which C requires for array lengths and `#if`."""
    lines: list[str] = []
    for constant in schema.constants:
        suffix = "UINT32_C" if constant.value < 1 << 32 else "UINT64_C"
        lines += [
            *_comment(_spelled(constant.about, schema)),
            f"#define LOWLAT_{constant.name} {suffix}({constant.value})",
        ]
    return _guarded("LIMITS", [*lines, ""])


def _guarded(block: str, lines: list[str]) -> str:
    name = f"LOWLAT_{block}"
    return "\n".join([f"#ifndef {name}", f"#define {name}", "", *lines, "#endif", ""])


def _spelled(sentence: str, schema: Schema) -> str:
    def spell(owner: Enumeration | Record, member: str, field: str) -> str:
        if isinstance(owner, Enumeration) and member:
            return f"LOWLAT_{owner.c_prefix}{member}"
        return f"lowlat_{owner.c}" + (f".{field}" if field else "")

    return spelled(sentence, schema, spell)


def _comment(text: str) -> list[str]:
    lines = wrapped(text, "/* ", " * ", width=117)
    return [*lines[:-1], f"{lines[-1]} */"]


def _enumeration(enumeration: Enumeration, schema: Schema) -> list[str]:
    note = f" {enumeration.c_note}" if enumeration.c_note else ""
    members = enumeration.members
    rows = [
        (
            f"    LOWLAT_{enumeration.c_prefix}{member.name} = {member.value}{'' if member is members[-1] else ','}",
            _spelled(member.about, schema),
        )
        for member in members
    ]
    return [
        *_comment(_spelled(enumeration.about + note, schema)),
        f"enum lowlat_{enumeration.c} {{",
        *beside(rows, 1, "/* ", " */"),
        "};",
    ]


def _record(record: Record, schema: Schema) -> list[str]:
    rows = [(f"    {_declared(field, schema)};", _spelled(field.about, schema)) for field in record.fields]
    return [
        *_comment(f"{record.bytes} bytes. {_spelled(record.about, schema)}"),
        f"typedef struct lowlat_{record.c} {{",
        *beside(rows, 1, "/* ", " */"),
        f"}} lowlat_{record.c};",
    ]


def _declared(field: Field, schema: Schema) -> str:
    type_ = schema.enums[field.type].type if field.type in schema.enums else field.type
    return f"{type_}_t {field.name}" + (f"[{field.count}]" if field.count else "")
