"""Generates the enumerations and records of `engine/native/c_api/lowlat.h`."""

from __future__ import annotations

from model import Enumeration, Field, Record, Schema
from text import beside, spelled, wrapped


def enumerations(schema: Schema) -> str:
    """Every enumeration of the interface."""
    lines: list[str] = []
    for enumeration in schema.enums.values():
        if enumeration.c:
            lines += [*_enumeration(enumeration, schema), ""]
    return "\n".join(lines)


def records(schema: Schema) -> str:
    """Every record that crosses the interface in its memory layout."""
    lines: list[str] = []
    for record in schema.records.values():
        if record.c:
            lines += [*_record(record, schema), ""]
    return "\n".join(lines)


def limits(schema: Schema) -> str:
    """Constants, as macros, which C requires for array lengths and `#if`."""
    lines: list[str] = []
    for constant in schema.constants:
        suffix = "UINT32_C" if constant.value < 1 << 32 else "UINT64_C"
        lines += [
            *_comment(_spelled(constant.about, schema)),
            f"#define LOWLAT_{constant.name} {suffix}({constant.value})",
        ]
    return "\n".join([*lines, ""])


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
