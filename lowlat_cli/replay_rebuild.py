"""`lowlat replay --mode rebuild`: the books of a feed from the venue's own word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from lowlat.errors import ExitCode, UsageError
from lowlat_cli.destination import Destination, exit_code_of, tell_status
from lowlat_cli.progress import shown_progress
from lowlat_cli.session import color_of

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.engine.bench.expected_book import BookCheck
    from lowlat.engine.feed.stream import OrderEventStream
    from lowlat.reports.model.rebuild import Rebuild
    from lowlat_cli.options.recording import RecordedInput


def opened(recording: RecordedInput) -> tuple[OrderEventStream, BookCheck | None]:
    """The feed, and the books to compare with if they are given. The beginning of a file is read, to see that it is
    one; the rest only while it is measured. Raises what reading them raises.
    """
    if recording.file.is_file():
        next(iter(_opened(recording).blocks), None)
    return _opened(recording), _expected(recording)


def rebuild(ctx: typer.Context, stream: OrderEventStream, check: BookCheck | None, destination: Destination) -> int:
    """Rebuild the books, write the document, and return the exit code for its status."""
    from lowlat.engine.bench.rebuild import Rebuilding

    with shown_progress(color_of(ctx), verbose=destination.verbose) as progress:
        found = Rebuilding(stream, check, progress).run()
    return _delivered(found, destination)


def _opened(recording: RecordedInput) -> OrderEventStream:
    if recording.reader.open is None:
        raise UsageError(
            f"--mode rebuild is for a feed that tells what became of each order, and {recording.file} is a "
            f"{recording.reader.noun}; remove --mode"
        )
    return recording.reader.events(recording.file, recording.selection.read_options())


def _expected(recording: RecordedInput) -> BookCheck | None:
    if recording.expect is None:
        return None
    if recording.reader.open_book is None:
        raise UsageError(
            f"--expect is for a feed with an order book file, and {recording.file} is a {recording.reader.noun}; "
            "remove it"
        )
    from lowlat.engine.bench.expected_book import BookCheck

    if recording.expect.is_file():
        next(recording.reader.open_book(recording.expect), None)
    return BookCheck(recording.expect, recording.reader.open_book(recording.expect))


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
