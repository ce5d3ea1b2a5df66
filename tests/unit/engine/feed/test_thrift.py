"""What is asked for is read and the rest read over; what two readers could take for different things is refused."""

from __future__ import annotations

import pytest

from lowlat.engine.feed.thrift import I32, I64, CompactReader, Shape

SHAPE: Shape = {1: I64, 2: I32, 3: {1: I32}, 4: [{1: I64}]}


def read(data: bytes) -> dict[int, object]:
    return CompactReader(data).struct(SHAPE)


def test_numbers_structs_and_lists_that_are_asked_for() -> None:
    numbers = b"\x16\x03" + b"\x15\x82\x01"  # -2 as int64, 65 as int32
    structs = b"\x1c\x15\x04\0" + b"\x19\x2c\x16\x02\0\x16\x01\0"  # {1: 2}, then [{1: 1}, {1: -1}]
    assert read(numbers + structs + b"\0") == {1: -2, 2: 65, 3: {1: 2}, 4: [{1: 1}, {1: -1}]}


@pytest.mark.parametrize(
    "field",
    {
        "true": b"\x01",
        "false": b"\x02",
        "byte": b"\x03\x7f",
        "int16": b"\x04\x02",
        "int64": b"\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        "double": b"\x07" + b"d" * 8,
        "text": b"\x08\x03abc",
        "list of true": b"\x09\x31\x01\x02\x01",
        "long list of int32": b"\x09\xf5\x10" + b"\x02" * 16,
        "list of lists": b"\x09\x29\x13\x00\x23\x01\x02",
        "set of texts": b"\x0a\x28\x01a\x00",
        "no map": b"\x0b\x00",
        "map of texts to lists": b"\x0b\x02\x89\x01a\x13\x00\x00\x03",
        "struct": b"\x0c\x15\x04\x18\x01a\0",
        "identifier": b"\x0d" + b"u" * 16,
    }.items(),
    ids=lambda item: item[0],
)
def test_other_fields_are_read_over(field: tuple[str, bytes]) -> None:
    """Of number 9, by its number and not by how far it is from the one before."""
    head, *rest = field[1]
    reader = CompactReader(bytes([head, 18, *rest]) + b"\0")
    assert reader.struct(SHAPE) == {}
    assert reader.at == len(field[1]) + 2


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x9c" + b"\x1c" * 30, "nested too deeply"),
        (b"\x09\x12" + b"\x19" * 30, "nested too deeply"),
        (b"\x16" + b"\xff" * 11, "more than 64 bits"),
        (b"\x16" + b"\xff" * 9 + b"\x02", "more than 64 bits"),
        (b"\x25\x80\x80\x80\x80\x10", "more than 32 bits"),  # 2**32 for a reader of 64 bits, 0 for one of 32
        (b"\x06\x82\x80\x08", "more than 16 bits"),  # a field's number, likewise 1 or 65537
        (b"\x06\x00\x02", "a field of number 0"),
        (b"\x16\x02\x06\x02\x04", "field 1 stands twice"),
        (b"\x15\x02", "a field of another type, 5"),
        (b"\x11", "a field of another type, 1"),
        (b"\x36\x02", "a field of another type, 6"),
        (b"\x49\x15\x02", "a field of another type, 5"),
        (b"\x0f\x12", "a field of type 15, which is none"),
        (b"\x09\x12\x1f\x00", "a field of type 15, which is none"),
    ],
)
def test_what_is_no_struct_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(data)


ENDS_EARLY = [
    b"",
    b"\x16",
    b"\x16\x80",
    b"\x58\x7f",
    b"\x57",
    b"\x3c",
    b"\x49\x2c\0",
    b"\x59\xf3\xff\xff\xff\xff\x0f",
    b"\x5b\2",
]


@pytest.mark.parametrize("data", ENDS_EARLY)
def test_what_ends_within_a_value_says_so(data: bytes) -> None:
    with pytest.raises(IndexError):
        read(data)
