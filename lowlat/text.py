"""Safe display of untrusted text on a terminal.

The text comes from files, hosts, commands and peers. Characters that are not printable are shown as Python escapes
(`\\x1b`, `\\n`, `\\u202e`): control characters (C0, C1), line ends, marks of text direction, unassigned and private
characters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text


def printable(text: str) -> str:
    """The text as one line, with unprintable characters escaped."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def printable_lines(text: str) -> str:
    """Text of several lines, each made `printable`; line feeds are the only control characters kept."""
    return text if text.isprintable() else "\n".join(map(printable, text.split("\n")))


def printable_json(document: str) -> str:
    """The same JSON document, with unprintable characters in strings escaped."""
    import json

    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in document)


def plain_text(text: str, style: str = "") -> Text:
    """The `printable` line for rich, with no markup interpreted."""
    from rich.text import Text

    return Text(printable(text), style=style)
