"""TOML files of bounded cost: `tomllib` takes quadratic time for long dotted keys, and recurses for nested values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from lowlat.errors import FormatError, InputError
from lowlat.inputs import read_bytes
from lowlat.limits import KEY_PART_CHARS_MAX, KEY_PARTS_MAX, TOML_BYTES_MAX

# Tried at every place where a key may begin, whatever is around it: quoting that is hard to follow hides no key.
_LONG_KEY: Final = re.compile(
    rf"""(?:(?>(?<![\w-])[\w-]++|(?<!\\)"(?:[^"\\\n]|\\.){{0,{KEY_PART_CHARS_MAX}}}+"|'[^'\n]{{0,{KEY_PART_CHARS_MAX}}}+')"""
    rf"[ \t]*+\.[ \t]*+){{{KEY_PARTS_MAX}}}"
)


def read_toml_text(path: Path) -> str:
    """The text of a TOML file. Raises `InputError`, naming the path, if it cannot be read or is too large."""
    data = read_bytes(path, TOML_BYTES_MAX)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not valid TOML: {error}") from error


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a text of bounded size. Raises `FormatError`."""
    import tomllib

    if _LONG_KEY.search(text):
        raise FormatError(f"a key has more than {KEY_PARTS_MAX} parts, the limit")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise FormatError("not valid TOML: its values are nested too deeply") from error
    except ValueError as error:  # `TOMLDecodeError`, and the digits that an int may have
        raise FormatError(f"not valid TOML: {error}") from error
