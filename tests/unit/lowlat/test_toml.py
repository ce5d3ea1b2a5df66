"""TOML is read as `tomllib` reads it, in time that grows with its size only."""

from __future__ import annotations

from pathlib import Path

import pytest

from lowlat.errors import FormatError, InputError
from lowlat.limits import KEY_PARTS_MAX, TOML_BYTES_MAX
from lowlat.toml import parse_toml, read_toml_text
from tests.effort import effort, start_interpreter

LONG = "a." * 100_000
HOSTILE = {
    "dots": LONG + "a = 1",
    "quoted dots": '"a" . ' * 30_000 + "a = 1",
    "literal dots": "'a'." * 50_000 + "a = 1",
    "a long header": f"[{LONG}a]\nb = 1",
    "in an inline table, after a string that is hard to follow": f'a = {{ b = """x"""", {LONG}c = 1 }}',
    "levels": f"a = {'[' * 100_000}",
    "tables in tables": "a = " + "{ b = " * 40_000,
    "digits": "a = " + "9" * 100_000,
    "an unclosed string of escapes": '"' + '\\"' * 120_000,
    "quotes": '"' * 250_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_an_error_of_bounded_cost(name: str) -> None:
    def work() -> None:
        with pytest.raises(FormatError):
            parse_toml(HOSTILE[name])

    assert effort(work, start_interpreter, repeats=2) < 60


def test_the_deepest_keys_of_the_longest_files_cost_little() -> None:
    """What passes costs at most the parts of a key for each line: 64 and not 100,000."""
    header = ".".join(["a"] * KEY_PARTS_MAX)
    text = f"[{header}]\n" + "".join(f"k{number} = 1\n" for number in range(18_000))
    assert len(text) < TOML_BYTES_MAX
    assert effort(lambda: parse_toml(text), start_interpreter, repeats=2) < 100


@pytest.mark.parametrize(
    "text",
    [
        "a.b.c = 1",
        f"{'.'.join(['a'] * KEY_PARTS_MAX)} = 1",
        "rows = [" + ", ".join(f"[{n}, 0.{n:04}]" for n in range(256)) + "]",
        'text = "' + "a.b. " * 12 + '"',
        "x" * 100_000 + " = 1",
    ],
)
def test_what_people_write_is_read(text: str) -> None:
    assert parse_toml(text)


def test_a_file_of_the_limit_is_read_and_one_byte_more_is_not(tmp_path: Path) -> None:
    file = tmp_path / "file.toml"
    file.write_text("#" * TOML_BYTES_MAX)
    assert parse_toml(read_toml_text(file)) == {}
    file.write_text("#" * (TOML_BYTES_MAX + 1))
    with pytest.raises(InputError, match=r"file.toml: it is larger than 256 KiB"):
        read_toml_text(file)
    file.write_bytes(b"a = '\xff'")
    with pytest.raises(InputError, match=r"file.toml: not valid TOML: 'utf-8' codec"):
        read_toml_text(file)
