"""Who may import whom is the architecture; this keeps it, in Python (type-checking imports too) and in C++ includes.

Every rule is also shown to fail on a planted violation, for a check that cannot fail proves nothing.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BELOW = {
    "lowlat_cli": {"engine", "probes", "reports", "lowlat"},
    "engine": {"probes", "reports", "lowlat"},
    "probes": {"lowlat"},
    "reports": {"lowlat"},
    "lowlat": set[str](),
}
UNDER_LOWLAT = {"engine", "probes", "reports"}
"""Folders of the repository that are installed as `lowlat.engine` and so on."""
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"](?P<path>[^">]+)[">]', re.MULTILINE)


def violations(root: Path) -> list[str]:
    """Each import or include that the house forbids, as `file: what`."""
    found = []
    for package, below in BELOW.items():
        for file in sorted((root / package).rglob("*")):
            if file.suffix in {".py", ".pyi"}:
                names = (place(name) for name in imported(file, root))
            elif file.suffix in {".hpp", ".cpp", ".h"}:
                names = included(file, root)
            else:
                continue
            forbidden = BELOW.keys() - below - {package}
            found += [f"{file.relative_to(root)}: {name}" for name in names if re.split(r"[./]", name)[0] in forbidden]
    return found


def place(name: str) -> str:
    """Where an installed module lies in the repository: `lowlat.engine.flow` is `engine.flow`."""
    head, _, rest = name.partition(".")
    return rest if head == "lowlat" and rest.split(".")[0] in UNDER_LOWLAT else name


def imported(file: Path, root: Path) -> Iterator[str]:
    """Dotted names of modules that a file imports anywhere: in functions, for type checking, by `import_module`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=module, names=names, level=0):
                yield str(module)
            case ast.ImportFrom(module=module, names=names, level=level):
                beneath = file.relative_to(root).parts[:-level]
                beneath = ("lowlat", *beneath) if beneath[:1] and beneath[0] in UNDER_LOWLAT else beneath
                yield from (".".join([*beneath, module or name.name]) for name in names)
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield name


def included(file: Path, root: Path) -> Iterator[str]:
    """Paths from the root of what a C++ file includes; beside the file counts before the root, as for the compiler."""
    for include in INCLUDE.finditer(file.read_text(encoding="utf-8")):
        beside = (file.parent / include["path"]).resolve()
        yield str(beside.relative_to(root.resolve())) if beside.exists() else include["path"]


def test_the_house_obeys_its_law() -> None:
    assert violations(ROOT) == []


def test_every_package_that_is_shipped_is_in_the_law() -> None:
    shipped = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["scikit-build"]["wheel"]["packages"]
    assert sorted(shipped.values()) == sorted(BELOW)
    assert all(installed == f"lowlat/{folder}" for installed, folder in shipped.items() if folder in UNDER_LOWLAT)


def test_no_module_is_imported_by_the_name_of_its_folder() -> None:
    """`import engine` finds the sources from here and nothing, or another's package, from anywhere else."""
    for package in [*BELOW, "tests", "tools"]:
        for file in (ROOT / package).rglob("*.py"):
            if file != Path(__file__):
                assert not [name for name in imported(file, ROOT) if name.split(".")[0] in UNDER_LOWLAT], file


def test_every_include_of_ours_is_a_path_from_the_root() -> None:
    """So that the law can read it: `"engine/native/book.hpp"`, not `"book.hpp"` or `"../book.hpp"`."""
    sources = [file for package in BELOW for file in (ROOT / package).rglob("*") if file.suffix in {".hpp", ".cpp"}]
    assert sources
    for file in sources:
        for include in re.findall(r'#\s*include\s*"([^"]+)"', file.read_text(encoding="utf-8")):
            assert include.split("/")[0] in BELOW and (ROOT / include).is_file(), f"{file}: {include}"


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("probes/clock.py", "import lowlat.engine", "engine"),
        ("probes/clock.py", "import numpy, lowlat.reports.model as m", "reports.model"),
        ("reports/table.py", "def f() -> None:\n    from lowlat.probes.host import host_facts\n", "probes.host"),
        (
            "reports/table.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from lowlat.engine.flow import Flow\n",
            "engine.flow",
        ),
        ("engine/deep/run.py", "from lowlat_cli.main import main", "lowlat_cli.main"),
        ("engine/_core.pyi", "import lowlat_cli", "lowlat_cli"),
        ("probes/clock.py", "from importlib import import_module\nimport_module('lowlat.engine.run')", "engine.run"),
        ("lowlat/errors.py", "from lowlat.reports.errors import ReportFormatError", "reports.errors"),
        ("probes/native/clock.hpp", '#include "engine/native/book.hpp"', "engine/native/book.hpp"),
        ("reports/native/a.cpp", "  #  include <probes/native/clock.hpp>", "probes/native/clock.hpp"),
        ("probes/native/clock.cpp", '#include "../../engine/native/book.hpp"', "engine/native/book.hpp"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, file: str, text: str, what: str) -> None:
    write(tmp_path, "engine/native/book.hpp", "")
    write(tmp_path, file, text)
    assert violations(tmp_path) == [f"{file}: {what}"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "lowlat_cli/bench.py",
            "from lowlat.engine.run import measure\nimport lowlat.probes, lowlat.reports.table, lowlat.errors",
        ),
        (
            "engine/run.py",
            "import numpy\nfrom lowlat.probes import clock\nfrom lowlat.engine import flow\nfrom . import flow",
        ),
        ("engine/deep/run.py", "from .. import flow\nfrom ..flow import Flow"),
        ("engine/native/book.hpp", '#include <cstdint>\n#include "probes/native/clock.hpp"'),
        ("probes/clock.py", "'import lowlat.engine'  # import lowlat.engine"),
    ],
)
def test_what_the_law_allows_passes(tmp_path: Path, file: str, text: str) -> None:
    write(tmp_path, file, text)
    assert violations(tmp_path) == []


def write(root: Path, file: str, text: str) -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text)
