"""Text of others on a terminal: it may say anything, and have the terminal do nothing.

Of files, hosts, commands and peers. What is not printable is shown as Python writes it (`\\x1b`, `\\n`, `\\u202e`):
control characters (C0, C1), line ends, marks of text direction, unassigned and private characters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text


def printable(text: str) -> str:
    """The text as one line that a terminal shows as it is."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def printable_lines(text: str) -> str:
    """Text of several lines, each of them `printable`; of its control characters only the line feed stays."""
    return text if text.isprintable() else "\n".join(map(printable, text.split("\n")))


def printable_json(document: str) -> str:
    """A JSON document of the same content, its strings escaped where a terminal would not show them."""
    import json

    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in document)


def plain_text(text: str, style: str = "") -> Text:
    """The `printable` line for rich, to which no part of it is markup."""
    from rich.text import Text

    return Text(printable(text), style=style)
