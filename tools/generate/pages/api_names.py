"""The public names of the Python interface: those that a page lists, and where each is defined."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
SOURCES: Final = ROOT / "build/sources"
LISTED: Final = re.compile(r"^<!-- insert: api (?P<module>\S+) (?P<names>.*) -->$", re.MULTILINE)


def lay_out() -> None:
    """Create `build/sources/lowlat`, a source tree in the layout of the installed package."""
    package = SOURCES / "lowlat"
    package.mkdir(parents=True, exist_ok=True)
    folders = [ROOT / name for name in ("engine", "probes", "reports")]
    for target in (*(ROOT / "lowlat").iterdir(), *folders):
        link = package / target.name
        link.unlink(missing_ok=True)
        link.symlink_to(target)


@cache
def documented() -> dict[str, str]:
    """Where each name that a page lists is defined."""
    pages = sorted((ROOT / "docs/reference/python").glob("*.md"))
    asked = [match for page in pages for match in LISTED.finditer(page.read_text(encoding="utf-8"))]
    names = [(match["module"], name) for match in asked for name in listed(match["module"], *match["names"].split())]
    return {name: home(module, name) for module, name in names}


def listed(module: str, *patterns: str) -> list[str]:
    """The names that a page requests; in a pattern such as `*Error`, `*` matches any public names."""
    public = _public(module)
    asked = ([name for name in public if fnmatchcase(name, each)] if "*" in each else [each] for each in patterns)
    return [name for names in asked for name in names]


def _public(module: str) -> list[str]:
    """The public names of a module, errors last."""
    loaded = importlib.import_module(module)
    names = getattr(loaded, "__all__", None) or [name for name in _defined(module) if not name.startswith("_")]
    return sorted(names, key=lambda name: name.endswith("Error"))


@cache
def home(module: str, name: str) -> str:
    """The full name of the definition of a public name."""
    thing = getattr(importlib.import_module(module), name)
    where = getattr(thing, "__module__", None)
    if isinstance(where, str) and name in _defined(where):
        return f"{where}.{name}"
    for candidate in sorted(sys.modules):
        if (
            candidate.startswith("lowlat.")
            and name in _defined(candidate)
            and getattr(sys.modules[candidate], name) is thing
        ):
            return f"{candidate}.{name}"
    raise LookupError(f"{module}.{name} is defined in no module of lowlat")


@cache
def _defined(module: str) -> tuple[str, ...]:
    """Names defined in a module's own source, in source order."""
    found: list[str] = []
    for node in ast.parse(_source(module)).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                found.append(name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found.append(name)
    return tuple(found)


def _source(module: str) -> str:
    """The source text of a module; for a native module, that of its stub."""
    path = SOURCES.joinpath(*module.split("."))
    ways = (path.with_suffix(".py"), path / "__init__.py", path.with_suffix(".pyi"))
    return next((way.read_text(encoding="utf-8") for way in ways if way.is_file()), "")
