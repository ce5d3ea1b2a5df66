"""Columns of a table as numpy arrays: whole numbers, prices, times and words, converted by pyarrow.

An error names file, row, column, value and what is expected. The row is looked for only once a block has failed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.feed.tables import TableBlock, arrow
from lowlat.errors import InputError
from lowlat.text import cut, printable

Ints = NDArray[np.int64]

_WHOLE: Final = re.compile(r"[0-9]{1,20}")
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,3})?")
_UUID: Final = "^[0-9A-Fa-f]{8}-?([0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}$"
SECOND_NS: Final = 10**9
TIME_UNITS: Final = {"s": SECOND_NS, "ms": 10**6, "us": 10**3, "ns": 1}
"""Nanoseconds of each unit in which a column may give its time."""
CLOCK: Final = "hhmmssmmm"
"""The unit of times such as 93000250: 9:30:00.250 on the venue's clock."""


def text_of(block: TableBlock, column: str) -> Any:
    """A column as text, without blanks around it."""
    import pyarrow.compute as pc

    found = block.columns[column]
    kind = arrow(block.path)
    if not kind.types.is_string(found.type):
        found = found.cast(kind.string())
    return pc.fill_null(pc.ascii_trim_whitespace(found), "")


def whole_numbers(block: TableBlock, column: str, most: int = 2**64 - 1) -> NDArray[np.uint64]:
    """A column of whole numbers up to `most`, as uint64; an empty field is 0."""
    pa = arrow(block.path)
    try:
        cast = _cast(block, column, pa.uint64())
        numbers: NDArray[np.uint64] = cast.to_numpy(zero_copy_only=False)
        if not len(numbers) or int(numbers.max()) <= most:
            return numbers
    except pa.ArrowInvalid:
        pass
    expected = f"a whole number up to {most}"
    raise _first_bad(block, column, lambda text: bool(_WHOLE.fullmatch(text)) and int(text) <= most, expected)


def decimals(block: TableBlock, column: str, unit: Decimal) -> Ints:
    """A column of decimal numbers in units, exactly, as int64; an empty field is 0.

    A floating-point column is rounded to the unit, since it cannot hold decimals exactly.
    """
    pa, found = arrow(block.path), block.columns[column]
    if pa.types.is_floating(found.type):
        return _rounded(block, column, unit)
    places, times = decimal_places(unit)
    try:
        return _divided(block, column, _cast(block, column, pa.decimal128(38, places)), times)
    except pa.ArrowInvalid:
        expected = f"a decimal number of {unit}"
        raise _first_bad(block, column, lambda text: _is_multiple(text, unit), expected) from None


def times_ns(block: TableBlock, column: str, unit: str | None) -> Ints:
    """A column of times as nanoseconds, int64: since the Unix epoch, or of the day for `CLOCK`.

    Without a unit: ISO 8601 (UTC unless an offset is given), seconds if with a decimal point, else nanoseconds.
    """
    pa, found = arrow(block.path), block.columns[column]
    if pa.types.is_timestamp(found.type):
        return _numbers(found.cast(pa.timestamp("ns", found.type.tz)).cast(pa.int64()))
    if pa.types.is_floating(found.type):
        return _rounded(block, column, Decimal(1) / TIME_UNITS[unit or "s"])
    if pa.types.is_integer(found.type) and unit != CLOCK:
        return _in_ns(block, column, TIME_UNITS[unit or "ns"])
    text = text_of(block, column)
    first = text[0].as_py() if len(text) else ""
    if unit == CLOCK:
        return _clock(block, column)
    if unit is None and ("T" in first or ":" in first or first.count("-") > 1):
        return _iso(block, column, text, first)
    unit = unit or ("s" if "." in first else "ns")
    return decimals(block, column, Decimal(1) / TIME_UNITS[unit])


def codes(block: TableBlock, column: str, values: Mapping[str, int], what: str) -> NDArray[np.uint8]:
    """A column of words as the numbers that `values` gives them. The mapping is applied once to each different word."""
    types, found = arrow(block.path).types, block.columns[column]
    words = (found.fill_null("") if types.is_string(found.type) else text_of(block, column)).dictionary_encode()
    known = [str(word).strip() for word in words.dictionary.to_pylist()]
    unknown = [word for word in known if word not in values]
    if unknown:
        index = words.indices.to_pylist().index(known.index(unknown[0]))
        expected = ", ".join(map(repr, values))
        raise block.error(index, column, f"the mapping has no {what} {_shown(unknown[0])}; it has {expected}")
    table = np.array([values[word] for word in known], np.uint8)
    return table[words.indices.to_numpy()] if len(table) else np.zeros(0, np.uint8)


def uuids(block: TableBlock, column: str) -> NDArray[np.uint64]:
    """A column of UUIDs as uint64, from all of their bits; an empty field is 0. Two of ten million are alike with a
    probability of about 1 in 400,000.
    """
    import pyarrow.compute as pc

    text = text_of(block, column)
    good = pc.or_(pc.equal(text, ""), pc.match_substring_regex(text, _UUID)).to_numpy(zero_copy_only=False)
    if not good.all():
        index = int(np.argmin(good))
        raise block.error(index, column, f"{_shown(text[index].as_py())}; expected a UUID")
    digits = pc.if_else(pc.equal(text, ""), "0" * 32, pc.replace_substring(text, "-", "")).to_pylist()
    halves = np.frombuffer(bytes.fromhex("".join(digits)), ">u8").reshape(-1, 2)
    mixed: NDArray[np.uint64] = (halves[:, 0] ^ halves[:, 1]).astype(np.uint64)
    return mixed


def _cast(block: TableBlock, column: str, kind: Any) -> Any:
    """The column as numbers, with 0 for what is empty. Blanks are taken off only where there are some."""
    import pyarrow.compute as pc

    pa, found = arrow(block.path), block.columns[column]
    if not (pa.types.is_string(found.type) or pa.types.is_primitive(found.type) or pa.types.is_decimal(found.type)):
        found = text_of(block, column)
    try:
        return found.cast(kind).fill_null(pa.scalar(0).cast(kind))
    except pa.ArrowInvalid:
        text = text_of(block, column)
        return pc.if_else(pc.equal(text, ""), "0", text).cast(kind)


def _numbers(found: Any) -> Ints:
    return np.asarray(found.fill_null(0).to_numpy(zero_copy_only=False), np.int64)


def _in_ns(block: TableBlock, column: str, each: int) -> Ints:
    """Whole numbers of `each` nanoseconds."""
    numbers, most = _numbers(block.columns[column].cast(arrow(block.path).int64())), (2**63 - 1) // each
    outside = (numbers < -most) | (numbers > most)
    if outside.any():
        at = int(np.argmax(outside))
        raise block.error(at, column, f"{numbers[at]} is after the year 2262; name its unit, as in time=ts:ns")
    return numbers * each


def decimal_places(unit: Decimal) -> tuple[int, int]:
    """A unit as a number of decimal places, and how many of the last of them it is."""
    places = max(0, -int(unit.normalize().as_tuple().exponent))
    return places, int(unit.scaleb(places))


def _divided(block: TableBlock, column: str, scaled: Any, times: int) -> Ints:
    """The unscaled integers of a decimal array, by `times`."""
    halves: Ints = np.frombuffer(scaled.buffers()[1], np.dtype("<i8")).reshape(-1, 2)[scaled.offset :][: len(scaled)]
    low, high = halves.T
    outside = high != low >> 63
    if outside.any():
        raise block.error(int(np.argmax(outside)), column, "more than 64 bits of price units; name a larger unit")
    uneven = low % times != 0
    if uneven.any():
        raise block.error(int(np.argmax(uneven)), column, "not a whole number of price units; name a smaller unit")
    whole: Ints = low // times
    return whole


def _rounded(block: TableBlock, column: str, unit: Decimal) -> Ints:
    values = block.columns[column].fill_null(0).to_numpy(zero_copy_only=False).astype(float)
    with np.errstate(invalid="ignore", over="ignore"):  # what is not a number is seen below
        units: NDArray[np.float64] = np.rint(values / float(unit))
    bad = ~(np.abs(units) < 2**62)
    if bad.any():
        index = int(np.argmax(bad))
        raise block.error(index, column, f"{values[index]} is not a number of at most 2^62 price units")
    return units.astype(np.int64)


def _iso(block: TableBlock, column: str, text: Any, first: str) -> Ints:
    pa = arrow(block.path)
    zone = "UTC" if re.search(r"(Z|[+-][0-9][0-9]:?[0-9][0-9])$", first) else None
    try:
        return _numbers(text.cast(pa.timestamp("ns", zone)).cast(pa.int64()))
    except pa.ArrowInvalid:
        kind = pa.timestamp("ns", zone)

        def readable(value: str) -> bool:
            try:
                return pa.array([value]).cast(kind).is_valid()[0].as_py() is True
            except pa.ArrowInvalid:
                return False

        raise _first_bad(block, column, readable, "a time such as 2026-01-05T09:30:00.000000001Z") from None


def _clock(block: TableBlock, column: str) -> Ints:
    clock = whole_numbers(block, column).astype(np.int64)
    ms, clock = clock % 1000, clock // 1000
    second, minute, hour = clock % 100, clock // 100 % 100, clock // 10_000
    bad = (second > 59) | (minute > 59) | (hour > 23)
    if bad.any():
        raise block.error(int(np.argmax(bad)), column, "not a time of day as hhmmssmmm, such as 93000250")
    return (((hour * 60 + minute) * 60 + second) * 1000 + ms) * 10**6


def _is_multiple(text: str, unit: Decimal) -> bool:
    return (
        bool(_DECIMAL.fullmatch(text)) and abs(Decimal(text).adjusted()) < 30 and Fraction(text) % Fraction(unit) == 0
    )


def _first_bad(block: TableBlock, column: str, good: Any, expected: str) -> InputError:
    for index, value in enumerate(text_of(block, column).to_pylist()):
        if value and not good(value):
            return block.error(index, column, f"{_shown(value)}; expected {expected}")
    return block.error(0, column, f"expected {expected} in each row")


def _shown(value: str) -> str:
    return repr(cut(printable(value), 40))
