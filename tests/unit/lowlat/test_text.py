"""The sanitizer for foreign text on a terminal lets no control characters through, and hides nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowlat.text import is_digits, plain_text, printable, printable_json, printable_lines
from tests.hostile import HOSTILE, SHOWN, assert_harmless


def test_it_is_shown_and_not_obeyed() -> None:
    assert printable(HOSTILE) == SHOWN
    assert (plain_text(HOSTILE, "red").plain, plain_text(HOSTILE).spans) == (SHOWN, [])


@pytest.mark.parametrize("text", ["", "AMD EPYC 7763 · 2 CPUs", "µs ± 0.4 ppm", "数量 ↑ é", "[red] C:\\x1b"])
def test_what_a_terminal_shows_stays_as_it_is(text: str) -> None:
    assert printable(text) == printable_lines(text) == printable_json(text) == text


CONTROLS = [0x00, 0x07, 0x09, 0x0A, 0x0D, 0x1B, 0x7F, 0x85, 0x9B, 0xAD]
DIRECTION_AND_UNSEEN = [0xA0, 0x200B, 0x200E, 0x2028, 0x202A, 0x202E, 0x2066, 0x2069, 0xFEFF, 0xE000, 0xD800, 0xE0041]
IGNORED = [0x034F, 0x115F, 0x1160, 0x17B4, 0x180B, 0x180E, 0x2060, 0x3164, 0xFE00, 0xFE0F, 0xFFA0, 0xE0100, 0xE01EF]
"""Of no width, though Python calls most of them printable: Default_Ignorable_Code_Point of Unicode."""


@pytest.mark.parametrize("code", [*CONTROLS, *DIRECTION_AND_UNSEEN, *IGNORED])
def test_what_a_terminal_would_obey_or_not_show_is_escaped(code: int) -> None:
    assert printable(f"a{chr(code)}b") == f"a{ascii(chr(code))[1:-1]}b"


@given(st.text(st.characters()))
def test_nothing_gets_through(text: str) -> None:
    assert printable(text).isprintable()
    assert all(line.isprintable() for line in printable_lines(text).split("\n"))
    assert printable_lines(text).count("\n") == text.count("\n")


@given(st.recursive(st.text(st.characters(exclude_categories=["Cs"])), lambda inner: st.lists(inner, max_size=3)))
def test_json_keeps_its_content(value: object) -> None:
    document = json.dumps(value, ensure_ascii=False, indent=2)
    shown = printable_json(document)
    assert json.loads(shown) == value
    assert_harmless(shown.replace("FORGED", ""))


@pytest.mark.parametrize(
    ("text", "are"), [("0", True), ("12", True), ("", False), ("²", False), ("٣", False), ("-1", False)]
)
def test_digits_are_those_that_int_reads_as_written(text: str, are: bool) -> None:
    assert is_digits(text) is are
