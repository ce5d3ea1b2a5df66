"""A griffe extension that turns public names (those in capitals) and pages mentioned in docstrings into links."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, Final

import griffe

sys.path.insert(0, str(Path(__file__).parent))

import api_names

_NAME: Final = re.compile(r"`(?P<name>[A-Z]\w*)(?P<member>\.\w+)?`")
_PAGE: Final = re.compile(r"`docs/(?P<page>[\w/-]+)\.md`")


class DocstringLinks(griffe.Extension):
    """Links each name that has a page; all pages of the Python interface are in one folder."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite an object's docstring."""
        if obj.docstring is not None:
            obj.docstring.value = linked(obj.docstring.value, obj.name)


def linked(text: str, own: str) -> str:
    """A docstring with links, except to the documented name itself."""
    pages = _PAGE.sub(r"[`docs/\g<page>.md`](../../\g<page>.md)", text)
    return _NAME.sub(lambda match: _link(match, own), pages)


def _link(match: re.Match[str], own: str) -> str:
    full = api_names.documented().get(match["name"])
    if full is None or match["name"] == own:
        return match[0]
    return f"[{match[0]}][{full}]"
