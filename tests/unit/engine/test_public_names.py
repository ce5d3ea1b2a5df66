"""Public names are loaded lazily: each exists, mypy sees the same ones, and records load without the engine."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lowlat import engine
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[3]


def loaded_by(code: str) -> set[str]:
    """Our modules, and native ones, loaded in a fresh interpreter after this code."""
    program = f"import json, sys\n{code}\nprint(json.dumps([m for m in sys.modules if m.split('.')[0] == 'lowlat']))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], check=True, capture_output=True, text=True, timeout=PATIENCE_S
    )
    return set(json.loads(done.stdout))


def test_every_public_name_is_there() -> None:
    assert all(getattr(engine, name) is not None for name in engine.__all__)
    assert set(engine.__all__) <= set(dir(engine))
    with pytest.raises(AttributeError, match=r"module 'lowlat\.engine' has no attribute 'Orderbook'"):
        _ = engine.Orderbook


def test_type_checkers_see_the_names_that_there_are() -> None:
    tree = ast.parse((ROOT / "engine/__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname: statement.module
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    assert seen == engine._MODULE_OF


def test_records_come_without_the_engine() -> None:
    packages = {"lowlat", "lowlat.engine", "lowlat.engine.matching"}
    assert loaded_by("import lowlat.engine.matching.records") == packages | {"lowlat.engine.matching.records"}


@pytest.mark.parametrize("package", ["lowlat.engine", "lowlat.probes", "lowlat.reports"])
def test_a_package_alone_loads_nothing(package: str) -> None:
    assert loaded_by(f"import {package}") == {"lowlat", package}
