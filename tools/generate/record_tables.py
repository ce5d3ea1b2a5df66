"""The tables of record dtypes: each field with its type and where it lies."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

import api_names
import numpy as np


def page(module: str, *names: str) -> str:
    """A section for each dtype: its size, its fields, what the source says of it."""
    loaded = importlib.import_module(module)
    return "\n\n".join(_section(module, name, getattr(loaded, name)) for name in names)


def _section(module: str, name: str, dtype: np.dtype[np.void]) -> str:
    rows = ["| field | type | offset |", "|---|---|--:|"]
    for field in dtype.names or ():
        kind, offset = dtype.fields[field][:2]  # type: ignore[index]
        rows.append(f"| `{field}` | {kind.name} | {offset} |")
    about = _about(api_names.home(module, name))
    return f"### `{name}` {{#{name.lower()}}}\n\n{dtype.itemsize} bytes. {about}\n\n" + "\n".join(rows)


def _about(full_name: str) -> str:
    """The string behind a constant's assignment."""
    where, _, name = full_name.rpartition(".")
    body = ast.parse(Path(str(sys.modules[where].__file__)).read_text(encoding="utf-8")).body
    for node, behind in zip(body, body[1:], strict=False):
        match node, behind:
            case ast.AnnAssign(target=ast.Name(id=found)), ast.Expr(value=ast.Constant(value=str(text))) if found == name:
                return text
    return ""
