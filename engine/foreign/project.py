"""The project of an engine of one's own, as `lowlat init-engine` writes it: files of `template/`, and the header."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, Literal, TypeAlias

from lowlat.files import new_folder, write_inside

Language: TypeAlias = Literal["c++", "c", "rust"]
"""Of the engine. Each is a folder of `template/`; the files in `common` go with all of them."""
HEADER: Final = "lowlat_engine.h"


def header() -> str:
    """The interface that an engine implements so that lowlat can load it."""
    return (_package() / HEADER).read_text(encoding="utf-8")


def write_project(path: Path, language: Language) -> tuple[str, ...]:
    """Write a project with a tiny engine as a new folder, whole or not at all. Returns the names of its files.

    Raises `OutputPathError` if the folder is not empty or cannot be written.
    """
    template = _package() / "template"
    texts = {HEADER: header(), **_texts(template / "common"), **_texts(template / language)}
    with new_folder(path) as folder:
        for name, text in texts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_inside(folder, name, text)
    return tuple(sorted(texts))


def _package() -> Traversable:
    return files("lowlat.engine.foreign")


def _texts(folder: Traversable, above: str = "") -> dict[str, str]:
    """Each file in a folder and those below, with its text."""
    texts: dict[str, str] = {}
    for entry in folder.iterdir():
        name = f"{above}{entry.name}"
        texts |= _texts(entry, f"{name}/") if entry.is_dir() else {name: entry.read_text(encoding="utf-8")}
    return texts
