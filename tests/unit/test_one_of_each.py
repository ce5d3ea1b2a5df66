"""Each error class, the atomic writer and the terminal sanitizer are defined in one place; these tests find a second
one.

Each rule is also shown to fail on a planted violation.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("lowlat", "lowlat_cli", "engine", "fleet", "probes", "reports")
ONLY_IN = {
    "lowlat/files.py": re.compile(
        r"\bwrite_(?:text|bytes)\(|\bos\.(?:replace|rename)\(|\bmkstemp\(|NamedTemporaryFile\("
    ),
    "lowlat/text.py": re.compile(r"\bisprintable\(|(?<![\w.])Text\((?!\))|\bfrom_markup\("),
}
"""Code that exists in one file only: writing whole files, and making foreign text safe for a terminal."""


def sources(root: Path) -> list[Path]:
    return [file for package in PACKAGES for file in sorted((root / package).rglob("*.py"))]


def elsewhere(root: Path) -> list[str]:
    """Each line that reimplements something that exists in one place."""
    return [
        f"{name}:{number}"
        for file in sources(root)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        for home, pattern in ONLY_IN.items()
        if (name := file.relative_to(root).as_posix()) != home and pattern.search(line)
    ]


def errors(root: Path) -> list[tuple[str, str]]:
    """Files that define error classes, and their names."""
    return [
        (file.relative_to(root).as_posix(), node.name)
        for file in sources(root)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error")
    ]


def astray(root: Path) -> list[str]:
    """Error classes outside an `errors.py`, and duplicate names."""
    found = errors(root)
    twice = [name for name, count in Counter(name for _, name in found).items() if count > 1]
    return [name for file, name in found if Path(file).name != "errors.py"] + twice


def test_there_is_one_of_each() -> None:
    assert elsewhere(ROOT) == []
    assert astray(ROOT) == []


def test_errors_are_few() -> None:
    """A new class is for errors that someone catches or a caller can act on; otherwise a message is enough."""
    assert len(errors(ROOT)) <= 35


@pytest.mark.parametrize(
    "line",
    [
        "path.write_text('x')",
        "os.replace(a, b)",
        "handle, name = tempfile.mkstemp()",
        "''.join(c for c in t if c.isprintable())",
        "table.add_row(Text(name))",
        "Text.from_markup(name)",
    ],
)
def test_a_second_one_is_found(tmp_path: Path, line: str) -> None:
    plant(tmp_path, "reports/io/mine.py", f"x = 1\n{line}\n")
    assert elsewhere(tmp_path) == ["reports/io/mine.py:2"]


def test_an_error_in_the_wrong_place_or_twice_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "engine/journal/errors.py", "class AError(Exception): ...\n")
    assert astray(tmp_path) == []
    plant(tmp_path, "engine/rings/errors.py", "class AError(Exception): ...\n")
    assert astray(tmp_path) == ["AError"]
    plant(tmp_path, "reports/io/loader.py", "class BError(Exception): ...\n")
    assert astray(tmp_path) == ["BError", "AError"]


def plant(root: Path, file: str, text: str) -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text)
