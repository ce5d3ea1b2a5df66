"""CPU lists from people and from kernels are parsed correctly: a mistake would measure, or pin to, the wrong CPU."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowlat.errors import FormatError, UsageError
from lowlat.probes.cpu.cpulist import format_cpu_list, parse_cpu_list, parse_cpu_mask


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("3", (3,)),
        ("0-3,8", (0, 1, 2, 3, 8)),
        (" 8 , 0-1 ", (0, 1, 8)),
        ("1,1,0-1", (0, 1)),
        ("0-31:2/8", (0, 1, 8, 9, 16, 17, 24, 25)),
        ("1-9:1/4", (1, 5, 9)),
        ("0-7:3", (0, 3, 6)),
        ("N", (11,)),
        ("n", (11,)),
        ("8-N", (8, 9, 10, 11)),
        ("N-N", (11,)),
        ("all", tuple(range(12))),
        ("ALL:1/6", (0, 6)),
        ("0-1,N", (0, 1, 11)),
    ],
)
def test_lists_people_write(text: str, cpus: tuple[int, ...]) -> None:
    assert parse_cpu_list(text, last_cpu=11) == cpus


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3-1", "'3-1' as a CPU list is reversed; write 1-3"),
        ("0,3-1", "'3-1' in CPU list '0,3-1' is reversed"),
        ("0-", "'0-' as a CPU list has no end"),
        ("-3", "'-3' as a CPU list has no start"),
        ("a", "'a' as a CPU list is not a CPU number or range"),
        ("0,a", "'a' in CPU list '0,a' is not"),
        ("", "empty"),
        ("  ", "empty"),
        ("1,,2", "an empty part in CPU list '1,,2'"),
        ("1,", "an empty part"),
        ("0-3:0", "stride of 0"),
        ("0-3:3/2", "3 of every 2"),
        ("0-3:0/2", "0 of every 2"),
        ("0-3:1/0", "1 of every 0"),
        ("all-3", "already a whole range"),
        ("1-2-3", "not a CPU number or range"),
        ("0x3", "not a CPU number or range"),
        ("1.5", "not a CPU number or range"),
        ("65536", "above 65535"),
        ("0-99999999999999999999", "above 65535"),
        ("٣", "not a CPU number"),
    ],
)
def test_wrong_part_is_named(text: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_cpu_list(text, last_cpu=11)
    assert message in str(caught.value)
    assert isinstance(caught.value, UsageError)


def test_last_cpu_must_be_known_for_all() -> None:
    with pytest.raises(FormatError, match="needs the last CPU number"):
        parse_cpu_list("0-N")


def test_kernel_prints_the_empty_set_as_nothing() -> None:
    assert parse_cpu_list("\n", allow_empty=True) == ()


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("", ()),
        ("0", ()),
        ("3", (0, 1)),
        ("0x5", (0, 2)),
        ("00000001,00000000", (32,)),
        ("1,0", (32,)),
        ("ffffffff,00000000,00000000", tuple(range(64, 96))),
        ("ff00000000", tuple(range(32, 40))),
    ],
)
def test_masks(text: str, cpus: tuple[int, ...]) -> None:
    assert parse_cpu_mask(text) == cpus


def test_mask_of_the_longest_kernel_is_read() -> None:
    text = ",".join(["80000000"] + ["00000000"] * 127)
    assert len(text) == 1_151
    assert parse_cpu_mask(text) == (4_095,)


@pytest.mark.parametrize("text", ["g", "1,,1", "1,123456789", "-1", "0x", "1 2"])
def test_wrong_masks_are_refused(text: str) -> None:
    with pytest.raises(FormatError, match="hexadecimal"):
        parse_cpu_mask(text)


def test_lists_are_written_as_the_kernel_writes_them() -> None:
    assert format_cpu_list([]) == ""
    assert format_cpu_list([8, 3, 2, 1, 0, 8]) == "0-3,8"
    assert format_cpu_list([0, 1, 3]) == "0-1,3"


@given(st.sets(st.integers(0, 5_000)))
def test_what_is_written_reads_back(cpus: set[int]) -> None:
    assert parse_cpu_list(format_cpu_list(cpus), allow_empty=True) == tuple(sorted(cpus))
