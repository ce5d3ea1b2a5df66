"""The page of a C header, generated from it: comments as text, declarations as code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_COMMENT: Final = re.compile(r"\A/\*(?P<text>.*?)\*/\s*(?P<code>.*)\Z", re.DOTALL)
_SECTION: Final = re.compile(r"\A-- (?P<title>.*?) -{4,}")
_MARKS: Final = re.compile(r"^/\* (?:generated: \w+|end of generated) \*/$", re.MULTILINE)
_GUARDS: Final = re.compile(r"^#ifndef (LOWLAT_[A-Z]+)\n#define \1\n(.*?)^#endif$", re.DOTALL | re.MULTILINE)
"""Around a block that two headers have."""
_NAMES: Final = re.compile(r"\b(?:LOWLAT|lowlat)_\w+\b(?!\.h)")
_FUNCTION: Final = re.compile(r"\b(lowlat_\w+)\(")
_TYPE: Final = re.compile(r"^(?:typedef struct|enum) (lowlat_\w+)", re.MULTILINE)


def page(header: Path) -> str:
    """Everything between the header's guards, in order."""
    text = header.read_text(encoding="utf-8")
    intro = _COMMENT.match(text)
    assert intro, f"{header} does not begin with a comment"
    body = text[text.index("/* -- ") : text.rindex("#ifdef __cplusplus")]
    body = _GUARDS.sub(r"\2", _MARKS.sub("", body))
    paragraphs = re.split(r"\n{2,}(?! )", body.strip())  # a line within braces begins with a space
    return "\n\n".join([*_prose(intro["text"]), *(part for each in paragraphs for part in _told(each))])


def _told(paragraph: str) -> Iterator[str]:
    """A paragraph of the header: a heading, or a comment and its declarations."""
    for piece in _declarations(paragraph):
        comment = _COMMENT.match(piece)
        text, code = (comment["text"], comment["code"]) if comment else ("", piece)
        section = _SECTION.match(text.strip())
        if section:
            yield f"## {section['title'].capitalize()}"
            continue
        if name := _FUNCTION.search(code) or _TYPE.search(code):
            yield f"### `{name[1]}` {{#{name[1]}}}"
        yield from _prose(text)
        if code.strip():
            yield f"```c\n{code.strip()}\n```"


def _declarations(paragraph: str) -> list[str]:
    """Functions, each with the preceding comment, one by one even without a blank line between them."""
    if "LOWLAT_API" not in paragraph:
        return [paragraph]
    pieces = re.split(r"(?<=LOWLAT_NOEXCEPT;)\n", paragraph)
    return [piece for piece in pieces if piece.strip()]


def _prose(comment: str) -> Iterator[str]:
    lines = [re.sub(r"^ ?\* ?", "", line).rstrip() for line in comment.strip().splitlines()]
    for paragraph in "\n".join(lines).split("\n\n"):
        text = " ".join(paragraph.split()).rstrip("-").strip()
        if text:
            text = re.sub(r"^(Contract|Capabilities|Ownership|Threads|Units|Layouts|Errors)\.", r"**\1.**", text)
            text = _NAMES.sub(lambda match: f"`{match[0]}`", text.replace("*", "\\*").replace("\\*\\*", "**"))
            yield text.replace("docs/matching.md", "[the matching contract](../matching.md)")
