"""`records.hpp` of each area, and `engine/native/c_api/same_bytes.hpp`, which compares the C header with it."""

from __future__ import annotations

from model import Enumeration, Field, Record, Schema
from text import beside, spelled, wrapped

HEAD = """\
// Generated from schema/records.toml by `make stubs`; not to be edited.
//
// {about}
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace lowlat {{
"""
ABOUT = {
    "matching": """\
The records that cross the border to Python and to C, and the numbers that their fields hold. One without `alignas`
// may start at any multiple of 8, as callers' arrays do; arrays made here start at one of 64.""",
    "journal": "What a journal's blocks hold, and what may be wrong with them.",
    "book": "The header of a mapped book.",
    "level": "What updates levels, and why it may not.",
    "ring": "What a ring is, and how to wait for it.",
    "flow": "What a command of a flow met in the book.",
    "feed": "One event of a level-3 feed, whatever format it came in.",
}
SAME_BYTES = """\
// Generated from schema/records.toml by `make stubs`; not to be edited.
//
// Records of lowlat.h are those of records.hpp: arrays of the one are read as arrays of the other.
#pragma once

#include <cstddef>

#include "engine/native/c_api/lowlat.h"
#include "engine/native/matching/records.hpp"

namespace lowlat {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"  // of a struct with a base; both compilers have it
"""


def header(schema: Schema, area: str) -> str:
    """The whole header of one area."""
    part = schema.part(area)
    lines = [HEAD.format(about=ABOUT[area])]
    for enumeration in part.enums.values():
        lines += [*_enumeration(enumeration, schema), ""]
    for constant in part.constants:
        lines += [
            *wrapped(_spelled(constant.about, schema), "/// "),
            _constant(constant.name, constant.type, constant.value),
        ]
    lines += [""] * bool(part.constants)
    for record in part.records.values():
        lines += [*_record(record, schema), ""]
    if "CommandType" in part.enums:
        lines += [*_orders(schema), ""]
    return "\n".join([*lines, "}  // namespace lowlat", ""])


def same_bytes(schema: Schema) -> str:
    """The whole of `same_bytes.hpp`."""
    lines = [SAME_BYTES]
    for record in schema.records.values():
        if record.c:
            lines += [*_layout(record, f"lowlat_{record.c}"), ""]
    return "\n".join([*lines, "#pragma GCC diagnostic pop", "", "}  // namespace lowlat", ""])


def _spelled(sentence: str, schema: Schema) -> str:
    def spell(owner: Enumeration | Record, member: str, field: str) -> str:
        if isinstance(owner, Enumeration) and owner.bits and member:
            return f"{owner.cpp_prefix}_{member.lower()}"
        return "::".join(part for part in (owner.name, member.lower(), field) if part)

    return spelled(sentence, schema, spell)


def _constant(name: str, type_: str, value: int) -> str:
    return f"inline constexpr std::{type_}_t {name.lower()} = {value};"


# -- enumerations --------------------------------------------------------------------------------------------------


def _enumeration(enumeration: Enumeration, schema: Schema) -> list[str]:
    about = wrapped(_spelled(enumeration.about, schema), "/// ")
    if enumeration.bits:
        return [*about, *_bits(enumeration, schema)]
    rows = [(f"    {each.name.lower()} = {each.value},", _spelled(each.about, schema)) for each in enumeration.members]
    body = [f"enum class {enumeration.name} : std::{enumeration.type}_t {{", *beside(rows, 2, "// "), "};"]
    return [*about, *body, *(_known(enumeration) if enumeration.received else [])]


def _bits(enumeration: Enumeration, schema: Schema) -> list[str]:
    rows = [
        (_constant(f"{enumeration.cpp_prefix}_{each.name}", enumeration.type, each.value), _spelled(each.about, schema))
        for each in enumeration.members
    ]
    known = sum(each.value for each in enumeration.members)
    return [*beside(rows, 2, "// "), _constant(f"{enumeration.cpp_prefix}s_known", enumeration.type, known)]


def _known(enumeration: Enumeration) -> list[str]:
    """The check for a known value: values have no gaps, so two comparisons suffice, or one for an unsigned type."""
    first, last = enumeration.members[0], enumeration.members[-1]
    below = first.value > 0 or enumeration.type.startswith("int")
    name = enumeration.name
    tests = [f"value >= {name}::{first.name.lower()}"] * below + [f"value <= {name}::{last.name.lower()}"]
    return [f"constexpr bool known({name} value) {{", f"    return {' && '.join(tests)};", "}"]


# -- kinds that are orders -----------------------------------------------------------------------------------------


def _orders(schema: Schema) -> list[str]:
    kinds, orders = schema.enums["CommandType"].members, schema.orders
    predicates = {
        "is_order": ("Whether it enters an order.", orders),
        "is_stop": ("Whether it enters an order that waits for its trigger.", [kind for kind in kinds if kind.stop]),
        "has_price": ("Whether it states a price.", [kind for kind in kinds if "price" in kind.states]),
    }
    lines: list[str] = []
    for name, (about, those) in predicates.items():
        lines += _predicate(name, about, [kind.name for kind in those])
    return [*lines, "", *_may_say(schema)]


def _predicate(name: str, about: str, kinds: list[str]) -> list[str]:
    tests = [f"command.kind\u00a0==\u00a0CommandType::{kind.lower()}" for kind in kinds]  # no line breaks inside
    text = "\u00a0|| ".join(tests) + ";"
    lines = [line.replace("\u00a0", " ") for line in wrapped(text, "    return ", "           ")]
    return [f"/// {about}", f"constexpr bool {name}(const Command& command) {{", *lines, "}"]


def _may_say(schema: Schema) -> list[str]:
    """The valid attributes of an order, as bits: flags, then fields, then time in force."""
    flags = len(schema.enums["ExecInst"].members)
    fields = schema.terms[flags:]
    bits = {term: 1 << at for at, term in enumerate((*schema.terms, "time"))}
    kinds, times = schema.enums["CommandType"].members, schema.enums["TimeInForce"].members
    rows = [(f"    {{{', '.join(['0x00'] * len(times))}}},", "no command")]
    for kind in kinds:
        says = kind.may_say or {}
        cells = [sum(bits[term] for term in (*says[time.name], "time")) if time.name in says else 0 for time in times]
        rows.append(("    {" + ", ".join(f"0x{cell:02X}" for cell in cells) + "},", kind.name.lower()))
    listed = ", ".join(time.name.lower() for time in times)
    about = f"All that an order may say, by kind and time in force ({listed}): 0 where it does not take that time."
    return [
        "/// What an order says, in the bits behind those of its flags.",
        *(f"inline constexpr unsigned says_{field} = {bits[field]};" for field in fields),
        f"inline constexpr unsigned says_time = {bits['time']};  // every order: its time in force",
        "",
        *wrapped(
            f"{about} A row for each kind, so that one index finds it; kinds that are no orders say nothing.", "/// "
        ),
        f"inline constexpr std::uint{8 if bits['time'] < 256 else 16}_t may_say[][{len(times)}] = {{",
        *beside(rows, 2, "// "),
        "};",
        f"static_assert(std::size(may_say) == static_cast<std::size_t>(CommandType::{kinds[-1].name.lower()}) + 1);",
    ]


# -- records -------------------------------------------------------------------------------------------------------


def _record(record: Record, schema: Schema) -> list[str]:
    aligned = f"alignas({record.align}) " if record.align else ""
    base = f" : {record.base.name}" if record.base else ""
    rows = [(f"    {_declared(field, schema)};", _beside(field, schema)) for field in record.own]
    return [
        *wrapped(_spelled(record.about, schema), "/// "),
        f"struct {aligned}{record.name}{base} {{",
        *beside(rows, 2, "// "),
        "};",
        *_guarded(record),
    ]


def _declared(field: Field, schema: Schema) -> str:
    owned = field.type in schema.enums or field.type in schema.records
    type_ = field.type if owned or field.type == "char" else f"std::{field.type}_t"
    length = f"[{field.count}]" if field.count else ""
    if field.default is None:
        return f"{type_} {field.name}{length}"
    value = f"{type_}::{field.default.lower()}" if isinstance(field.default, str) else field.default
    return f"{type_} {field.name} = {value}"


def _beside(field: Field, schema: Schema) -> str:
    comment = _spelled(field.about, schema)
    return "" if comment == field.type else comment


def _guarded(record: Record) -> list[str]:
    if record.base is None:
        return _layout(record, record.name)
    return [
        "#pragma GCC diagnostic push",
        '#pragma GCC diagnostic ignored "-Winvalid-offsetof"  // of a struct with a base; both compilers have it',
        *_layout(record, record.name),
        "#pragma GCC diagnostic pop",
    ]


def _layout(record: Record, name: str) -> list[str]:
    """Asserts of size, alignment and every offset, as many per line as fit."""
    facts = [f"sizeof({name}) == {record.bytes}", f"alignof({name}) == {record.align or 8}" * (name == record.name)]
    facts += [f"offsetof({name}, {field.name}) == {field.offset}" for field in record.fields]
    return [f"static_assert({fact});" for fact in facts if fact]
