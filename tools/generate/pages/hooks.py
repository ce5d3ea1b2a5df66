"""Hooks of the documentation site, which generate content during the build.

A line `<!-- insert: command bench -->` in a page is replaced by the output of the generator in `GENERATORS`. A verb or
a JSON schema without a page gets one. Generated content is not committed, so it cannot be out of date.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import api_names
import api_pages
import c_header
import command_pages
import limits_table
import profile_keys
import record_tables
import schema_pages
import settings_table
import technique_sections
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).resolve().parents[3]
DIRECTIVE: Final = re.compile(r"^<!-- insert: (?P<name>\S+) ?(?P<words>.*?) -->$", re.MULTILINE)
EXTERNAL: Final = re.compile(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="?(?P<url>(?:https?:)?//[^" >]+)')
MARKS: Final = re.compile(r"^<!-- (?:shows: .*|generated: .*|not run: .*|end) -->\n", re.MULTILINE)

GENERATORS: Final[dict[str, Callable[..., str]]] = {
    "api": api_pages.page,
    "c-api": lambda: c_header.page(ROOT / "engine/native/c_api/lowlat.h"),
    "command": command_pages.page,
    "commands": command_pages.index,
    "common-options": command_pages.common,
    "document": lambda name: schema_pages.page(ROOT, name),
    "documents": lambda: schema_pages.index(ROOT),
    "engine-interface": lambda: c_header.page(ROOT / "engine/native/foreign/lowlat_engine.h"),
    "exit-codes": record_tables.exit_codes,
    "limits": limits_table.table,
    "module": api_pages.introduction,
    "profile-keys": profile_keys.keys,
    "profiles": profile_keys.table,
    "settings": settings_table.table,
    "techniques": technique_sections.sections,
}


def on_startup(command: str, dirty: bool) -> None:
    """Lay out the sources before any plug-in looks for their folder, which they do but once."""
    del command, dirty
    api_names.lay_out()


def on_config(config: MkDocsConfig) -> None:
    """Add the pages of all verbs and documents to the navigation."""
    assert isinstance(config.nav, list)
    _extend(config.nav, "Command line", [f"reference/commands/{name}.md" for name in command_pages.verbs()])
    _extend(config.nav, "JSON documents", [f"reference/documents/{name}.md" for name in schema_pages.names(ROOT)])


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add a page for each verb and document that has none, and the pages at the root of the repository."""
    for name in ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"):
        files.append(File.generated(config, name.lower(), abs_src_path=str(ROOT / name)))
    for name in command_pages.verbs():
        _generate(files, config, f"reference/commands/{name}.md", f"lowlat {name}", f"command {name}")
    for name in schema_pages.names(ROOT):
        _generate(files, config, f"reference/documents/{name}.md", schema_pages.kind(ROOT, name), f"document {name}")


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Expand the insert lines of a page."""

    def generated(match: re.Match[str]) -> str:
        generate = GENERATORS.get(match["name"])
        if generate is None:
            raise PluginError(f"{page.file.src_uri}: {match[0]} names none of {', '.join(GENERATORS)}")
        return generate(*match["words"].split())

    return DIRECTIVE.sub(generated, MARKS.sub("", markdown))


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> None:
    """Make the page work without a network."""
    if found := EXTERNAL.search(output):
        raise PluginError(f"{page.file.src_uri}: the page would load {found['url']}; put it into docs/")


def _generate(files: Files, config: MkDocsConfig, path: str, title: str, words: str) -> None:
    """Add a page with only generated content, unless a written one exists."""
    if files.get_file_from_path(path) is None:
        files.append(File.generated(config, path, content=f"# {title}\n\n<!-- insert: {words} -->\n"))


def _extend(nav: list[Any], title: str, pages: list[str]) -> None:
    """Append missing pages to the section of this title."""
    for entry in nav:
        for name, beneath in entry.items() if isinstance(entry, dict) else ():
            if name == title:
                beneath += [page for page in pages if page not in beneath]
            elif isinstance(beneath, list):
                _extend(beneath, title, pages)
