"""Each limit is defined once, used by a reader, and a row of the documentation, which is made from the constants."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

from lowlat import limits
from tests.unit.test_one_of_each import ROOT, sources

NAMES = {name for name in vars(limits) if name.isupper()}


def test_the_table_has_a_row_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools/generate/pages"))
    import limits_table

    rows = [row.split(" | ") for row in limits_table.table().splitlines()[2:]]
    assert len(rows) == len(NAMES) > 20
    assert all(len(row) == 4 and row[0].strip("| ") and row[1] and re.search(r"\d", row[2]) for row in rows)
    del sys.modules["limits_table"]
    assert "<!-- insert: limits -->" in (ROOT / "docs/reference/limits.md").read_text(encoding="utf-8")
    assert "reference/limits.md" in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")


def test_each_is_used_and_defined_nowhere_else() -> None:
    used, again = set[str](), []
    for file in sources(ROOT):
        if file == Path(limits.__file__).resolve():
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name) and node.id in NAMES:
                used.add(node.id)
                if isinstance(node.ctx, ast.Store):
                    again.append(f"{file}: {node.id}")
    assert (NAMES - used, again) == (set(), [])
