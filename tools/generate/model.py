"""`schema/records.toml` as data, checked: enumerations without gaps, records without padding.

Every generator reads only this model, so an error in it shows up everywhere.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SIZES: Final = {"uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8, "int64": 8, "char": 1}
"""Plain types and their bytes."""
REFERENCE: Final = re.compile(r"`([A-Z]\w+?)(?:\.([A-Z][A-Z_]*))?`(?:\.(\w+))?")
"""A name in a sentence: `CommandType.PHASE`, `CommandType`, or `Command`.kind."""


class SchemaError(Exception):
    """A part of the schema that cannot be generated; the message names it."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number used in more than one language."""

    name: str
    value: int
    type: str
    about: str


@dataclass(frozen=True, slots=True)
class Member:
    """One value of an enumeration. The valid attributes of orders are by time in force; None if it is not an order."""

    name: str
    value: int
    about: str
    docs: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    may_say: dict[str, list[str]] | None = None
    stop: bool = False


@dataclass(frozen=True, slots=True)
class Enumeration:
    """An enumeration, or the bits of a field. `received`: callers supply its values, so code checks them. `cpp_prefix`:
    of the names of bits in C++.
    """

    name: str
    about: str
    type: str
    members: tuple[Member, ...]
    bits: bool = False
    received: bool = False
    area: str = "matching"
    python: str = ""
    c: str = ""
    c_prefix: str = ""
    cpp_prefix: str = "flag"
    c_note: str = ""
    columns: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record. `type`: a plain type, an enumeration or a record; `count`: 0, or the length of an array."""

    name: str
    type: str
    count: int
    offset: int
    size: int
    about: str = ""
    docs: str = ""
    default: int | str | None = None

    @property
    def is_padding(self) -> bool:
        """Whether it is padding."""
        return self.name == "zero"


@dataclass(frozen=True, slots=True)
class Record:
    """A record of fixed layout; `own` are its fields except those of `base`."""

    name: str
    about: str
    bytes: int
    own: tuple[Field, ...]
    base: Record | None = None
    align: int = 0
    area: str = "matching"
    c: str = ""
    python: str = ""
    array: str = ""

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields, those of the base first."""
        return (self.base.fields if self.base else ()) + self.own


@dataclass(frozen=True, slots=True)
class Schema:
    """The whole schema, in source order."""

    constants: tuple[Constant, ...]
    enums: dict[str, Enumeration]
    records: dict[str, Record]

    def part(self, area: str) -> Schema:
        """The part of one area. Constants and orders belong to matching."""
        return Schema(
            self.constants if area == "matching" else (),
            {name: each for name, each in self.enums.items() if each.area == area},
            {name: each for name, each in self.records.items() if each.area == area},
        )

    @property
    def orders(self) -> tuple[Member, ...]:
        """The kinds that enter an order."""
        return tuple(kind for kind in self.enums["CommandType"].members if kind.may_say is not None)

    @property
    def terms(self) -> tuple[str, ...]:
        """Attributes of an order beyond the fields of every command: flags, then fields of extended commands."""
        flags = [flag.name for flag in self.enums["ExecInst"].members]
        said = {term for order in self.orders for terms in (order.may_say or {}).values() for term in terms}
        return (*flags, *(field.name for field in self.records["ExtendedCommand"].own if field.name in said))


def load(path: Path) -> Schema:
    """The schema, checked. Raises `SchemaError`."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    constants = tuple(Constant(name, *spec) for name, spec in raw["constants"].items())
    enums = {name: _enumeration(name, **spec) for name, spec in raw["enums"].items()}
    records: dict[str, Record] = {}
    for name, spec in raw["records"].items():
        records[name] = _record(name, enums, records, **spec)
    schema = Schema(constants, enums, records)
    _check_kinds(schema)
    return schema


def _enumeration(name: str, *, members: dict[str, Any], columns: list[str] | None = None, **rest: Any) -> Enumeration:
    listed = tuple(_member(each, spec) for each, spec in members.items())
    made = Enumeration(name, members=listed, columns=tuple(columns or [""]), **({"python": name} | rest))
    values = [member.value for member in listed]
    expected = [1 << bit for bit in range(len(values))] if made.bits else [*range(values[0], values[0] + len(values))]
    if values != expected or values[0] not in (0, 1):
        raise SchemaError(f"{name} has the values {values}, which leave a gap; use {expected}")
    return made


def _member(name: str, spec: Any) -> Member:
    if isinstance(spec, list):
        return Member(name, *spec)
    lists: dict[str, Any] = {key: tuple(spec.pop(key)) for key in ("docs", "states") if key in spec}
    return Member(name, **spec, **lists)


def _record(
    name: str,
    enums: dict[str, Enumeration],
    records: dict[str, Record],
    *,
    fields: dict[str, Any],
    base: str = "",
    **rest: Any,
) -> Record:
    beneath = records[base] if base else None
    offset = beneath.bytes if beneath else 0
    own = []
    for field, spec in fields.items():
        made = _field(field, spec, offset, enums, records)
        own.append(made)
        offset += made.size
    record = Record(name, own=tuple(own), base=beneath, **rest)
    if offset != record.bytes:
        raise SchemaError(f"the fields of {name} take {offset} bytes, not {record.bytes}; fill up with `zero`")
    return record


def _field(name: str, spec: Any, offset: int, enums: dict[str, Enumeration], records: dict[str, Record]) -> Field:
    keys = dict(zip(("type", "about", "docs"), spec, strict=False)) if isinstance(spec, list) else dict(spec)
    base, _, count = keys.pop("type").rstrip("]").partition("[")
    if base in records:
        size, alignment = records[base].bytes, 8
    else:
        size = alignment = SIZES[enums[base].type if base in enums else base]
    if offset % alignment:
        raise SchemaError(f"{name} would be at byte {offset}, which leaves a gap before it; fill up with `zero`")
    length = int(count or 0)
    return Field(name, base, length, offset, size * max(length, 1), **keys)


def _check_kinds(schema: Schema) -> None:
    """Check that everything that order kinds refer to exists."""
    fields = {field.name for field in schema.records["ExtendedCommand"].fields if not field.is_padding}
    times = {time.name for time in schema.enums["TimeInForce"].members}
    terms = set(schema.terms)
    for kind in schema.enums["CommandType"].members:
        said = {term for each in (kind.may_say or {}).values() for term in each}
        if unknown := (set(kind.states) - fields) | (said - terms) | (set(kind.may_say or {}) - times):
            raise SchemaError(f"{kind.name} names {', '.join(sorted(unknown))}, which no command has")
        if kind.stop and "trigger" not in kind.states:
            raise SchemaError(f"{kind.name} is a stop without a trigger")
