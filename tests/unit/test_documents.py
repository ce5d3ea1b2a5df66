"""Lists of names in the documents match the tables that the command itself uses."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"<!-- shows: python (tools/generate/registry_tables\.py \w+) -->\n(.*?)\n<!-- end -->", re.DOTALL)


def test_lists_of_names_are_made_from_the_tables(tmp_path: Path) -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    blocks = [block for document in documents for block in BLOCK.findall(document.read_text(encoding="utf-8"))]
    assert blocks
    for command, shown in blocks:
        script, what = command.split()
        printed = subprocess.run(
            [sys.executable, "-P", ROOT / script, what], check=True, capture_output=True, text=True, cwd=tmp_path
        ).stdout
        assert shown == printed.rstrip("\n"), "run `make readme`"


def test_files_that_contributing_names_are_there() -> None:
    """Names of files yet to be written contain a `<name>`."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    steps = text[text.index("## To add a verb") : text.index("## Commits")]
    named = re.findall(r"`((?:lowlat|lowlat_cli|engine|probes|reports|tests|docs|tools)/[\w./-]+)`", steps)
    assert len(named) > 30
    assert [name for name in named if not (ROOT / name).exists()] == []
    assert len({name for name in named if name.endswith("registry.py")}) == 3
