"""Tables of records and enumerations: each field with its type and offset, each member with its value."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from enum import Enum
from itertools import pairwise
from pathlib import Path

import numpy as np
from docstring_links import linked

from lowlat.errors import ExitCode


def record(home: str, dtype: np.dtype[np.void]) -> str:
    """A record's size, description and fields."""
    rows = ["| field | type | offset |", "|---|---|--:|"]
    for field in dtype.names or ():
        kind, offset = dtype.fields[field][:2]  # type: ignore[index]
        rows.append(f"| `{field}` | {kind.name} | {offset} |")
    where, _, name = home.rpartition(".")
    source = Path(str(sys.modules[where].__file__)).read_text(encoding="utf-8")
    about = linked(_strings(ast.parse(source).body).get(name, ""), name)
    return "\n".join([f"### `{name}` {{#{home}}}", "", about, "", *rows])


def enumeration(home: str, members: type[Enum]) -> str:
    """An enumeration's purpose and members."""
    meanings = sentences(members)
    head = ["| member | value | |", "|---|---|---|"] if meanings else ["| member | value |", "|---|---|"]
    rows = [f"| `{member.name}` | {member.value} | {meanings.get(member.name, '')}" for member in members]
    about = linked(inspect.cleandoc(members.__doc__ or ""), members.__name__)
    return "\n".join([f"### `{members.__name__}` {{#{home}}}", "", about, "", *head, *rows])


def exit_codes() -> str:
    """A row for each exit code: number, name, meaning."""
    meanings = sentences(ExitCode)
    rows = [f"| {code.value} | `{code.name}` | {meanings[code.name]} |" for code in ExitCode]
    return "\n".join(["| code | name | |", "|--:|---|---|", *rows])


def sentences(members: type[Enum]) -> dict[str, str]:
    """The description of each member in the source."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(members))).body
    assert isinstance(definition, ast.ClassDef)
    return {name: " ".join(text.split()) for name, text in _strings(definition.body).items()}


def _strings(body: list[ast.stmt]) -> dict[str, str]:
    """The string after an assignment, by name: its docstring according to Sphinx and griffe."""
    found = {}
    for node, behind in pairwise(body):
        match node, behind:
            case (
                ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = text
    return found
