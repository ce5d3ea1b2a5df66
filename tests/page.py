"""Parses an HTML report with Python's HTML parser, and provides text that must never become part of its markup."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{ 7*7 }}</script><!--"
VOID = {"meta", "link", "img", "br", "input"}


class Page(HTMLParser):
    """Elements by name, scripts, style, tables as rows of cells (text, value of `<data>`), and text outside scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.style = ""
        self.tables: list[list[list[str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        match tag:
            case "script":
                self.scripts.append("")
            case "table":
                self.tables.append([])
            case "tr":
                self.tables[-1].append([])
            case "td" | "th":
                self.tables[-1][-1].append("")
            case "data":
                self.tables and self.tables[-1] and self._into_cell(f"[{dict(attrs)['value']}] ")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "script" in self._open:
            self.scripts[-1] += data
        elif "style" in self._open:
            self.style += data
        else:
            self.text += data
            self._into_cell(data)

    def _into_cell(self, data: str) -> None:
        if {"td", "th"} & set(self._open):
            self.tables[-1][-1][-1] += data

    @property
    def tooltips(self) -> dict[str, list[list[tuple[float, float, str, str]]]]:
        """For each chart and series its points: left and top in percent, what it is, and its value."""
        read: dict[str, Any] = json.loads(self.scripts[0])
        return {
            name: [[(left, top, what, value) for left, top, what, value in each] for each in series]
            for name, series in read.items()
        }
