"""`lowlat book`: the order book that another process publishes, once or live."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat_cli.console import Color, console, is_terminal
from lowlat_cli.options import ColorOption, DebugOption, OutputFormat, OutputOption, count
from lowlat_cli.session import color_of
from lowlat_cli.streams import emit, say
from lowlat_errors import UsageError

if TYPE_CHECKING:
    from reports.ladder import BookDocument, BooksDocument

_FRAME_S = 0.1


def book(
    ctx: typer.Context,
    symbol: Annotated[
        str | None, typer.Argument(metavar="SYMBOL", help="The book to show; without it, list the books there are.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show the book live, until Ctrl-C.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Where the books are.  [default: $XDG_RUNTIME_DIR/lowlat]"),
    ] = None,
    levels: Annotated[
        int, typer.Option("--levels", metavar="N", parser=count(1, 4096), help="Levels to show a side.")
    ] = 10,
    output_format: Annotated[
        OutputFormat, typer.Option("--format", help="What to print; --json means --format json.")
    ] = "table",
    output: OutputOption = None,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Show an order book that a running engine publishes.

    \b
    Examples:
      lowlat book                          list the books there are
      lowlat book AAPL                     the best ten levels, once
      lowlat book AAPL --watch             the same, live, until Ctrl-C
      lowlat book AAPL --levels 5 --json   five levels as one JSON document
    """
    from engine.book_document import book_document, books_document
    from engine.book_file import default_folder
    from engine.mapped_book import MappedBookReader

    where = folder or default_folder()
    if watch:
        _check_watchable(symbol, output_format, output)
        assert symbol is not None
        _watch(symbol, where, levels, color_of(ctx))
    elif symbol is None:
        _deliver(books_document(where), output_format, output, color_of(ctx))
    else:
        with MappedBookReader(symbol, folder=where) as reader:
            document = book_document(reader, levels)
        _deliver(document, output_format, output, color_of(ctx))
    return 0


def _check_watchable(symbol: str | None, output_format: OutputFormat, output: Path | None) -> None:
    if symbol is None:
        raise UsageError("--watch needs a symbol; 'lowlat book' lists the books there are")
    if output_format == "json" or output is not None:
        raise UsageError("--watch draws on the terminal; leave out --json and -o, or take one snapshot without --watch")
    if not is_terminal(sys.stdout):
        raise UsageError("--watch needs a terminal to draw on; take one snapshot without it")


def _deliver(
    document: BookDocument | BooksDocument, output_format: OutputFormat, output: Path | None, color: Color
) -> None:
    file_format: OutputFormat = "json" if output is not None and output.suffix == ".json" else output_format
    if output is not None:
        from reports.output import write_atomically

        write_atomically(output, _text(document, "always" if color == "always" else "never", file_format))
    if output is None or file_format != output_format:
        emit(_text(document, color, output_format))
    if output is not None:
        say(f"wrote {output}")


def _text(document: BookDocument | BooksDocument, color: Color, output_format: OutputFormat) -> str:
    from reports.ladder import BookDocument, ladder, listing, render, to_text

    if output_format == "json":
        return to_text(document)
    text = io.StringIO()
    on = console(sys.stdout, color, into=text)
    render(ladder(document) if isinstance(document, BookDocument) else listing(document), on)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _watch(symbol: str, folder: Path, levels: int, color: Color) -> None:
    """Draw the ladder ten times a second; a writer that goes away is waited for. Ctrl-C is the way to end it."""
    from rich.live import Live

    from engine.book_watch import watched
    from reports.ladder import ladder

    frames = watched(symbol, folder, levels)
    first = next(frames)  # an error on the way here is an error, not something to wait for
    try:
        with Live(ladder(*first), console=console(sys.stdout, color), auto_refresh=False) as live:
            for document, status in frames:
                live.update(ladder(document, status), refresh=True)
                time.sleep(_FRAME_S)
    except KeyboardInterrupt:
        pass
