"""Safe display of untrusted text, on a terminal and in every output.

The text comes from files, hosts, commands and peers. Characters that are not printable are shown as Python escapes
(`\\x1b`, `\\n`, `\\u202e`): control characters (C0, C1), line ends, marks of text direction, characters of no
width such as variation selectors and fillers, unassigned and private characters.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.text import Text

_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Default_Ignorable_Code_Point of Unicode that Python counts as printable: two names can differ in them alone."""
_FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def is_shown(text: str) -> bool:
    """Whether a reader sees every character, and a terminal obeys none."""
    return text.isprintable() and (text.isascii() or not _UNSEEN.search(text))


def printable(text: str) -> str:
    """The text as one line, with unprintable characters escaped."""
    return text if is_shown(text) else "".join(c if is_shown(c) else ascii(c)[1:-1] for c in text)


def printable_lines(text: str) -> str:
    """Text of several lines, each made `printable`; line feeds are the only control characters kept."""
    return text if is_shown(text) else "\n".join(map(printable, text.split("\n")))


def printable_json(document: str) -> str:
    """The same JSON document, with unprintable characters in strings escaped."""
    import json

    return "".join(c if is_shown(c) or c == "\n" else json.dumps(c)[1:-1] for c in document)


def printable_values(value: Any) -> Any:
    """Lists, dictionaries and tuples with each text in them made `printable`."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable_values(key): printable_values(each) for key, each in value.items()}
    return [printable_values(each) for each in value] if isinstance(value, list | tuple) else value


def spreadsheet_cell(text: str) -> str:
    """The `printable` line, with a quote in front if a spreadsheet would run it as a formula.

    The characters are those of OWASP's "CSV Injection"; control characters among them are escaped.
    """
    line = printable(text)
    return f"'{line}" if line.startswith(_FORMULA) else line


def is_digits(text: str) -> bool:
    """Whether a text is ASCII digits. `str.isdigit` also takes those of other scripts, and `²`, which `int` refuses."""
    return text.isascii() and text.isdigit()


def cut(line: str, most: int) -> str:
    """A line of at most about `most` characters: beginning and end, which says what to do."""
    if len(line) <= most:
        return line
    head, tail = most * 3 // 4, most // 4
    return f"{line[:head]} [... {len(line) - head - tail:,} characters ...] {line[-tail:]}"


_SHOWN_MAX: Final = 80
_BITS_SHOWN_MAX: Final = 512


def shown(value: object) -> str:
    """What a caller passed, for a message: one line that is not long. Python refuses to print very large integers."""
    if isinstance(value, int) and value.bit_length() > _BITS_SHOWN_MAX:
        return f"a number of {value.bit_length():,} bits"
    return cut(" ".join(printable_lines(repr(value)).split()), _SHOWN_MAX)


def plain_text(text: str, style: str = "") -> Text:
    """The `printable` line for rich, with no markup interpreted."""
    from rich.text import Text

    return Text(printable(text), style=style)
