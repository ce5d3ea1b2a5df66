"""A support bundle on the terminal: its parts, and what to check before it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import RenderableType

from lowlat import units
from lowlat.reports.model.capture import Capture, CapturedPart
from lowlat.text import plain_text
from lowlat_cli.views import layout


def capture_view(found: Capture, folder: Path) -> Iterator[RenderableType]:
    """The parts, then what identifies the host."""
    rows = layout.table("part", "status", "files", wrap=("files",))
    for part in found.parts:
        rows.add_row(plain_text(part.name), plain_text(part.status), plain_text(_files(part)))
    yield rows
    identity = "names, addresses and serial numbers are kept: share it with those who may know them"
    if not found.with_identity:
        identity = "no names of host and users, addresses, serial numbers; look through it before you share it"
    yield layout.spaced(
        layout.facts([("written", str(folder)), ("identity", identity), ("read it", f"lowlat doctor --root {folder}")])
    )


def _files(part: CapturedPart) -> str:
    if part.reason is not None:
        return part.reason
    return part.files[0] if len(part.files) == 1 else units.plural(len(part.files), "file")
