"""`lowlat replay --mode rebuild`: the books of a feed from the venue's own word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lowlat.errors import ExitCode, UsageError
from lowlat_cli.destination import Destination, exit_code_of, tell_status
from lowlat_cli.options.flow_file import reader_for
from lowlat_cli.progress import shown_progress
from lowlat_cli.session import color_of

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.engine.bench.expected_book import BookCheck
    from lowlat.engine.feed.stream import OrderEventStream
    from lowlat.engine.flow.registry import Reader
    from lowlat.reports.model.rebuild import Rebuild


def rebuild(
    ctx: typer.Context, file: Path, formats: list[str] | None, expect: Path | None, destination: Destination
) -> int:
    """Rebuild the books, write the document, and return the exit code for its status."""
    from lowlat.engine.bench.rebuild import Rebuilding

    reader = reader_for(file, formats)
    stream, check = _opened(reader, file), _expected(reader, file, expect)
    with shown_progress(color_of(ctx), verbose=destination.verbose) as progress:
        found = Rebuilding(stream, check, progress).run()
    return _delivered(found, destination)


def _opened(reader: Reader, file: Path) -> OrderEventStream:
    from lowlat.engine.feed.stream import ReadOptions

    if reader.open is None:
        raise UsageError(
            f"--mode rebuild is for a feed that tells what became of each order, and {file} is a {reader.noun}; "
            "remove --mode"
        )
    return reader.open(file, ReadOptions())


def _expected(reader: Reader, file: Path, expect: Path | None) -> BookCheck | None:
    if expect is None:
        return None
    if reader.open_book is None:
        raise UsageError(f"--expect is for a feed with an order book file, and {file} is a {reader.noun}; remove it")
    from lowlat.engine.bench.expected_book import BookCheck

    return BookCheck(expect, reader.open_book(expect))


def _delivered(found: Rebuild, destination: Destination) -> ExitCode:
    def document() -> str:
        from lowlat.documents import text

        return text(found)

    def draw(on: Console) -> None:
        from lowlat_cli.views.rebuild import rebuild_view

        for part in rebuild_view(found):
            on.print(part)

    destination.write(document, draw)
    tell_status(found)
    return exit_code_of(found)
