"""Generates what an engine in Rust needs of the enumerations, records and limits in `lowlat_engine.h`, in the layout of
rustfmt, which aligns comments of fields only.
"""

from __future__ import annotations

from model import Enumeration, Field, Record, Schema
from text import beside, spelled, wrapped

RECORDS = ("Command", "ExtendedCommand", "Event", "SymbolRules")
"""What crosses the interface of an engine."""
TYPES = {"uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64", "int64": "i64"}


def enumerations(schema: Schema) -> str:
    """A module of constants for each: a field of a record is a number, which may be none of them."""
    listed = [each for each in schema.part("matching").enums.values() if each.c and each.name != "PoolPolicy"]
    lines: list[str] = []
    for enumeration in [*listed, schema.enums["Capability"]]:
        lines += [*_enumeration(enumeration, schema), ""]
    return "\n".join(lines)


def records(schema: Schema) -> str:
    """The records in their memory layout."""
    lines: list[str] = []
    for name in RECORDS:
        lines += [*_record(schema.records[name], schema), ""]
    return "\n".join(lines)


def limits(schema: Schema) -> str:
    """The largest quantity."""
    (found,) = (each for each in schema.constants if each.name == "QUANTITY_MAX")
    return "\n".join([*_doc(found.about, schema), f"pub const {found.name}: {TYPES[found.type]} = {found.value};", ""])


def _enumeration(enumeration: Enumeration, schema: Schema) -> list[str]:
    type_ = TYPES[enumeration.type]
    rows = [
        f"    pub const {member.name}: {type_} = {member.value}; // {_spelled(member.about, schema)}"
        for member in enumeration.members
    ]
    return [*_doc(enumeration.about, schema), f"pub mod {enumeration.c} {{", *rows, "}"]


def _record(record: Record, schema: Schema) -> list[str]:
    rows = [(f"    pub {_declared(field, schema)},", _spelled(field.about, schema)) for field in record.fields]
    return [
        *_doc(f"{record.bytes} bytes. {record.about}", schema),
        "#[repr(C)]",
        "#[derive(Clone, Copy, Debug, Default)]",
        f"pub struct {record.name} {{",
        *beside(rows, 1, "// "),
        "}",
        f"const _: () = assert!(std::mem::size_of::<{record.name}>() == {record.bytes});",
    ]


def _declared(field: Field, schema: Schema) -> str:
    type_ = TYPES[schema.enums[field.type].type if field.type in schema.enums else field.type]
    return f"{field.name}: " + (f"[{type_}; {field.count}]" if field.count else type_)


def _doc(text: str, schema: Schema) -> list[str]:
    return wrapped(_spelled(text, schema), "/// ")


def _spelled(sentence: str, schema: Schema) -> str:
    def spell(owner: Enumeration | Record, member: str, field: str) -> str:
        if isinstance(owner, Enumeration):
            return f"`{owner.c}" + (f"::{member}" if member else "") + "`"
        return f"`{owner.name}" + (f".{field or member}" if field or member else "") + "`"

    return spelled(sentence, schema, spell)
