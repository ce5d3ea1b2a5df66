"""Generates `records.py` of each area: enumerations and numpy dtypes, and nothing else."""

from __future__ import annotations

import textwrap

from model import Enumeration, Field, Record, Schema
from text import WIDTH, spelled, wrapped

HEAD = '''\
"""{about}

Generated from `schema/records.toml` by `make stubs`; not to be edited.
"""

from __future__ import annotations

{imports}'''
ABOUT = {
    "matching": """\
The records that cross the border, and the numbers that their fields hold.

Each dtype is byte for byte the struct of `engine/native/matching/records.hpp`. Prices are integers in the symbol's
price unit, quantities integer lots. Records are 32 or 64 bytes long, so that none straddles a cache line.""",
    "journal": "What a journal's blocks hold, and what may be wrong with them.",
    "book": "The header of a mapped book.",
    "level": "What updates levels, and why it may not.",
    "ring": "What a ring is, and how to wait for it.",
    "flow": "What a command of a flow met in the book.",
    "feed": "One event of a level-3 feed, whatever format it came in.",
    "foreign": "What an engine of a shared library may be able to do.",
}
FORMATS = {"uint8": "u1", "uint16": "<u2", "uint32": "<u4", "uint64": "<u8", "int64": "<i8"}


def module(schema: Schema, area: str) -> str:
    """The whole module of one area."""
    part = schema.part(area)
    lines = [HEAD.format(about=ABOUT[area], imports=_imports(part))]
    arrays = [record.array for record in part.records.values() if record.array]
    lines += [""] * bool(arrays)
    lines += [f"{array}: TypeAlias = NDArray[np.void]" for array in arrays]
    lines += [""] * bool(part.constants)
    for constant in part.constants:
        lines += [f"{constant.name}: Final = {constant.value:_}", *_docstring(_spelled(constant.about, schema), "")]
    for enumeration in part.enums.values():
        lines += ["", "", *_enumeration(enumeration, schema)]
    lines += ["", ""] * bool(part.records)
    if "CommandType" in part.enums:
        lines += _kinds(schema)
    for record in part.records.values():
        if record.python:
            lines += [*_record(record, schema), ""]
    return "\n".join([*lines, ""]).rstrip("\n") + "\n"


def _imports(part: Schema) -> str:
    """Imports in ruff's order."""
    arrays = any(record.array for record in part.records.values())
    lines = ["from collections.abc import Mapping"] if "CommandType" in part.enums else []
    lines.append("from enum import IntEnum")
    if part.records:
        lines += [f"from typing import Final{', TypeAlias' if arrays else ''}", "", "import numpy as np"]
    return "\n".join(lines + (["from numpy.typing import NDArray"] if arrays else []))


def _spelled(sentence: str, schema: Schema) -> str:
    def spell(owner: Enumeration | Record, member: str, field: str) -> str:
        return f"`{owner.python}" + (f".{member or field}" if member or field else "") + "`"

    return spelled(sentence, schema, spell)


def _docstring(text: str, indent: str) -> list[str]:
    whole = f'{indent}"""{text}"""'
    if len(whole) <= WIDTH:
        return [whole]
    return [*wrapped(text, f'{indent}"""', indent), f'{indent}"""']


def _enumeration(enumeration: Enumeration, schema: Schema) -> list[str]:
    lines = [f"class {enumeration.python}(IntEnum):", *_docstring(_spelled(enumeration.about, schema), "    "), ""]
    for member in enumeration.members:
        lines += [f"    {member.name} = {member.value}", *_docstring(_spelled(member.about, schema), "    ")]
    return lines


# -- kinds ---------------------------------------------------------------------------------------------------------


def _kinds(schema: Schema) -> list[str]:
    kinds = schema.enums["CommandType"].members
    stops = [f"CommandType.{kind.name}" for kind in kinds if kind.stop]
    priced = [f"CommandType.{kind.name}" for kind in kinds if "price" in kind.states]
    lines = [
        f"STOP_KINDS: Final = frozenset({_braced(stops)})",
        '"""Orders that wait for their trigger."""',
        f"PRICED_KINDS: Final = frozenset({_braced(priced)})",
        '"""Commands that state a price; of the others it is 0."""',
        "STATES: Final[Mapping[CommandType, frozenset[str]]] = {",
        *(f"    CommandType.{kind.name}: frozenset({_braced(quoted(kind.states))})," for kind in kinds),
        "}",
        '"""The fields that a command of a kind says something with, even where they are zero."""',
        "MAY_SAY: Final[Mapping[CommandType, Mapping[TimeInForce, frozenset[str]]]] = {",
    ]
    for order in schema.orders:
        lines.append(f"    CommandType.{order.name}: {{")
        lines += [
            f"        TimeInForce.{time}: frozenset({_braced(quoted(said)) if said else ''}),"
            for time, said in (order.may_say or {}).items()
        ]
        lines.append("    },")
    return [
        *lines,
        "}",
        '"""Of orders: the times in force that each takes, and the flags and further fields that it may have then."""',
        "",
    ]


def quoted(names: tuple[str, ...] | list[str]) -> list[str]:
    """Names as string literals."""
    return [f'"{name}"' for name in names]


def _braced(items: list[str]) -> str:
    return "{" + ", ".join(items) + "}"


# -- records -------------------------------------------------------------------------------------------------------


def _record(record: Record, schema: Schema) -> list[str]:
    shown = _flat(record, schema)
    formats = [_format(field, schema) for field, _ in shown]
    return [
        f"{record.python}: Final = np.dtype(",
        "    {",
        *_listed("names", quoted([field.name for field, _ in shown])),
        *_listed("formats", quoted(formats)),
        *_listed("offsets", [str(offset) for _, offset in shown]),
        f'        "itemsize": {record.bytes},',
        "    }",
        ")",
        *_described(record, [field for field, _ in shown], schema),
    ]


def _flat(record: Record, schema: Schema, start: int = 0) -> list[tuple[Field, int]]:
    """Fields and their offsets, including those of nested records, excluding fields that are not read."""
    found: list[tuple[Field, int]] = []
    for field in record.fields:
        if field.type in schema.records:
            found += _flat(schema.records[field.type], schema, start + field.offset)
        elif not field.is_padding:
            found.append((field, start + field.offset))
    return found


def _format(field: Field, schema: Schema) -> str:
    if field.type == "char":
        return f"S{field.count}"
    return FORMATS[schema.enums[field.type].type if field.type in schema.enums else field.type]


def _listed(key: str, items: list[str]) -> list[str]:
    """A list on one line, or wrapped over several; ruff would put one item on each line."""
    line = f'        "{key}": [{", ".join(items)}],'
    if len(line) <= WIDTH:
        return [line]
    parts = textwrap.wrap(", ".join(items), WIDTH - len("            *[],"))
    return [f'        "{key}": [', *(f"            *[{part.rstrip(',')}]," for part in parts), "        ],"]


def _described(record: Record, fields: list[Field], schema: Schema) -> list[str]:
    about = _spelled(record.about, schema)
    own = [field for field in fields if record.base is None or field not in record.base.fields]
    said = [f"`{field.name}`: {_spelled(field.about, schema)}" for field in own if field.about]
    lines = wrapped(f"{record.bytes} bytes. {about}", '"""', "")
    return [*lines, "", *(line for sentence in said for line in wrapped(sentence, "* ", "  ")), '"""']
