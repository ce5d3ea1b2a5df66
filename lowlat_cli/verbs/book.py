"""`lowlat book`: the order book that another process publishes, once or live."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat.errors import UsageError
from lowlat_cli.console import Color, console, is_terminal
from lowlat_cli.destination import Destination
from lowlat_cli.listings import books
from lowlat_cli.options.shared import (
    ColorOption,
    DebugOption,
    FormatOption,
    OutputFormat,
    OutputOption,
    QuietOption,
    count,
)
from lowlat_cli.session import color_of

if TYPE_CHECKING:
    from lowlat.reports.model.book import BookDocument, BooksDocument

_FRAME_S = 0.1


def book(
    ctx: typer.Context,
    symbol: Annotated[
        str | None,
        typer.Argument(
            metavar="SYMBOL", autocompletion=books, help="The book to show.  [default: list the available books]"
        ),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show the book live, until Ctrl-C.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--dir", metavar="DIR", help="Directory of the books.  [default: $XDG_RUNTIME_DIR/lowlat, or a private one]"
        ),
    ] = None,
    levels: Annotated[
        int, typer.Option("--levels", metavar="N", parser=count(1, 4096), help="Levels to show per side.")
    ] = 10,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Show an order book that a running engine publishes.

    \b
    Examples:
      lowlat book                          list the available books
      lowlat book AAPL                     the best ten levels, once
      lowlat book AAPL --watch             the same, live, until Ctrl-C
      lowlat book AAPL --levels 5 --json   five levels as one JSON document
    """
    from lowlat.engine.shared_book.directory import MappedBookReader
    from lowlat.engine.shared_book.document import book_document, books_document
    from lowlat.engine.shared_book.file import default_folder

    where = folder or default_folder()
    destination = Destination(output_format, output, color_of(ctx))
    destination.check()
    if watch:
        _check_watchable(symbol, output_format, output)
        assert symbol is not None
        _watch(symbol, where, levels, color_of(ctx))
    elif symbol is None:
        _deliver(books_document(where), destination)
    else:
        with MappedBookReader(symbol, folder=where) as reader:
            document = book_document(reader, levels)
        _deliver(document, destination)
    return 0


def _check_watchable(symbol: str | None, output_format: OutputFormat, output: Path | None) -> None:
    if symbol is None:
        raise UsageError("--watch needs a symbol; 'lowlat book' lists the available books")
    if output_format == "json" or output is not None:
        raise UsageError("--watch draws on the terminal; remove --json and -o, or take one snapshot without --watch")
    if not is_terminal(sys.stdout):
        raise UsageError("--watch needs a terminal to draw on; take one snapshot without it")


def _deliver(document: BookDocument | BooksDocument, destination: Destination) -> None:
    from lowlat.documents import text
    from lowlat.reports.model.book import BookDocument
    from lowlat.reports.terminal.ladder import ladder, listing

    shown = ladder(document) if isinstance(document, BookDocument) else listing(document)
    destination.write(lambda: text(document, ascii_only=False), lambda on: on.print(shown, highlight=False))


def _watch(symbol: str, folder: Path, levels: int, color: Color) -> None:
    """Draw the ladder ten times per second until Ctrl-C. If the writer goes away, wait for it."""
    from rich.live import Live

    from lowlat.engine.shared_book.watch import watched
    from lowlat.reports.terminal.ladder import ladder

    frames = watched(symbol, folder, levels)
    first = next(frames)  # errors on the first read are raised; later ones are waited out
    try:
        with Live(ladder(*first), console=console(sys.stdout, color), auto_refresh=False) as live:
            for document, status in frames:
                live.update(ladder(document, status), refresh=True)
                time.sleep(_FRAME_S)
    except KeyboardInterrupt:
        pass
