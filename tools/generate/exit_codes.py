"""The table of exit codes, from the enumeration and the sentence beneath each member."""

from __future__ import annotations

import ast
import inspect
import textwrap

from lowlat.errors import ExitCode


def table() -> str:
    """A row for each exit code: number, name, meaning."""
    meanings = sentences()
    rows = [f"| {code.value} | `{code.name}` | {meanings[code.name]} |" for code in ExitCode]
    return "\n".join(["| code | name | |", "|--:|---|---|", *rows])


def sentences() -> dict[str, str]:
    """The docstring of each member, as Sphinx and griffe read them: the string behind the assignment."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(ExitCode))).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for member, behind in zip(definition.body, definition.body[1:], strict=False):
        match member, behind:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split())
    return found
