"""Writes the JSON Schema of every document into a folder: `python tools/generate/schemas.py lowlat/schema`."""

from __future__ import annotations

import sys
from pathlib import Path

from lowlat_cli.documents import DOCUMENTS


def main() -> None:
    """Write the schemas, and delete all others from the folder."""
    folder = Path(sys.argv[1])
    for stale in folder.glob("*.schema.json"):
        stale.unlink()
    for document in DOCUMENTS:
        (folder / document.file).write_text(document.text, encoding="utf-8")


if __name__ == "__main__":
    main()
