"""An order book as a ladder on a terminal, and the books of a folder as a list."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.reports.model.book import STALE_S, BookDocument, BooksDocument, LadderLevel, WriterState
from lowlat.text import plain_text


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
    title = Text.assemble(plain_text(book.symbol, "bold"), "  ", plain_text(" · ".join(_about(book))))
    return Group(title, table, plain_text(status, style="dim")) if status else Group(title, table)


def listing(books: BooksDocument) -> RenderableType:
    """One line a book."""
    if not books.books:
        return plain_text(f"no books in {books.folder}")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("book", "writer", "bid", "ask", "updates"):
        table.add_column(name, justify="left" if name in {"book", "writer"} else "right")
    table.add_column("", overflow="fold")  # what is not as it should be
    for book in books.books:
        writer = f"process {book.writer_pid}" if book.live and book.writer_pid else "live" if book.live else "none"
        cells = ["-" if price is None else _decimal(price, book.unit) for price in (book.bid, book.ask)]
        cells.append("-" if book.sequence is None else f"{book.sequence // 2:,}")
        note = book.trouble or _quiet(book.age_s, book.writer_state)
        table.add_row(plain_text(book.symbol, style="bold"), writer, *cells, plain_text(note))
    return table


def _about(book: BookDocument) -> list[str]:
    parts = [f"command {book.command:,}", f"update {book.sequence // 2:,}"]
    if book.bids and book.asks:
        parts.insert(0, f"spread {_decimal(book.asks[0].price - book.bids[0].price, book.unit)}")
    parts.append(f"writer {book.writer_pid}" if book.live else "no writer")
    if book.generation > 1:
        parts.append(f"generation {book.generation}")
    if note := _quiet(book.age_s, book.writer_state):
        parts.append(note)
    return parts


def _quiet(age_s: float | None, writer: WriterState | None) -> str:
    """What to say of a book that may be old, e.g. `not updated for 12 s, writer stopped`; nothing of any other."""
    parts = [] if age_s is None or age_s < STALE_S else [f"not updated for {units.age(age_s)}"]
    if writer is not None and (parts or writer == "stopped"):
        parts.append(f"writer {writer}")
    return ", ".join(parts)


def _cells(book: BookDocument, levels: tuple[LadderLevel, ...], n: int) -> list[str]:
    if n >= len(levels):
        return ["", "", ""]
    level = levels[n]
    return [_decimal(level.price, book.unit), f"{level.quantity:,}", f"{level.orders:,}"]


def _decimal(price: int, unit: str) -> str:
    return f"{Decimal(price) * Decimal(unit):,f}"
