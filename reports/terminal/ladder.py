"""An order book as a ladder on a terminal, and as a `lowlat.book/1` document."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

BOOK_SCHEMA = "lowlat.book/1"
BOOKS_SCHEMA = "lowlat.books/1"


class LadderLevel(msgspec.Struct, frozen=True):
    """One price level: price in the symbol's price units, quantity in lots, number of orders."""

    price: int
    quantity: int
    orders: int


class BookDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A book as it stood at one moment, best levels first.

    `unit`: decimal worth of one price unit. `depth`: levels a side that the writer publishes at most. `live`: whether
    a process holds the book for writing; `writer_pid`: which. `generation`: writers so far. `sequence`: even, higher
    after every update. `command`: the source's number of the command after which the book first looked so.
    """

    schema: str = BOOK_SCHEMA
    symbol: str
    unit: str
    tick: int
    depth: int
    live: bool
    writer_pid: int
    generation: int
    sequence: int
    command: int
    bids: list[LadderLevel]
    asks: list[LadderLevel]


class BookLine(msgspec.Struct, frozen=True, kw_only=True):
    """One book of a folder. `trouble`: why its levels cannot be read; then there are none."""

    symbol: str
    live: bool
    unit: str = "1"
    writer_pid: int | None = None
    generation: int | None = None
    sequence: int | None = None
    bid: int | None = None
    ask: int | None = None
    trouble: str | None = None


class BooksDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The books of a folder, by symbol."""

    schema: str = BOOKS_SCHEMA
    folder: str
    books: list[BookLine]


def to_text(document: BookDocument | BooksDocument) -> str:
    """The document as JSON text with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def ladder(book: BookDocument, status: str = "") -> RenderableType:
    """Both sides, the best level on top; `status` goes under them."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, style in (("orders", "dim"), ("quantity", ""), ("bid", "green"), ("ask", "red")):
        table.add_column(name, justify="right", style=style, min_width=9, no_wrap=True)
    table.add_column("quantity", justify="right", min_width=9, no_wrap=True)
    table.add_column("orders", justify="right", style="dim", min_width=9, no_wrap=True)
    for n in range(max(len(book.bids), len(book.asks), 1)):
        bid, ask = _cells(book, book.bids, n), _cells(book, book.asks, n)
        table.add_row(bid[2], bid[1], bid[0], *ask)
    title = Text.assemble((book.symbol, "bold"), "  ", " · ".join(_about(book)))
    return Group(title, table, Text(status, style="dim")) if status else Group(title, table)


def listing(books: BooksDocument) -> RenderableType:
    """One line a book."""
    if not books.books:
        return Text(f"no books in {books.folder}")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("book", "writer", "bid", "ask", "updates"):
        table.add_column(name, justify="left" if name in {"book", "writer"} else "right")
    table.add_column("", overflow="fold")
    for book in books.books:
        writer = f"process {book.writer_pid}" if book.live and book.writer_pid else "live" if book.live else "none"
        cells = ["-" if price is None else _decimal(price, book.unit) for price in (book.bid, book.ask)]
        cells.append("-" if book.sequence is None else f"{book.sequence // 2:,}")
        table.add_row(Text(book.symbol, style="bold"), writer, *cells, Text(book.trouble or ""))
    return table


def _about(book: BookDocument) -> list[str]:
    parts = [f"command {book.command:,}", f"update {book.sequence // 2:,}"]
    if book.bids and book.asks:
        parts.insert(0, f"spread {_decimal(book.asks[0].price - book.bids[0].price, book.unit)}")
    parts.append(f"writer {book.writer_pid}" if book.live else "no writer")
    if book.generation > 1:
        parts.append(f"generation {book.generation}")
    return parts


def _cells(book: BookDocument, levels: list[LadderLevel], n: int) -> list[str]:
    if n >= len(levels):
        return ["", "", ""]
    level = levels[n]
    return [_decimal(level.price, book.unit), f"{level.quantity:,}", f"{level.orders:,}"]


def _decimal(price: int, unit: str) -> str:
    return f"{Decimal(price) * Decimal(unit):,f}"
