"""An order book as it stood at one moment, and the books of a folder: `lowlat.book/1` and `lowlat.books/1`.

`engine/shared_book` makes them, `reports/terminal/ladder.py` draws them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from lowlat.bounded import Amount, Count, Positive, Word

BOOK_SCHEMA: Final = "lowlat.book/1"
BOOKS_SCHEMA: Final = "lowlat.books/1"
STALE_S: Final = 2.0
"""A book without an update or a heartbeat for this long is called not updated."""

WriterState: TypeAlias = Literal["running", "stopped", "exited"]
"""What the process of a book's writer does; stopped: by a signal, such as that of Ctrl-Z, or by a debugger."""

_STATE: Final = "What the writer's process does; stopped: by a signal or a debugger"
_AGE: Final = (
    "Seconds since the writer last published or said that it lives, to some milliseconds; null: it never did, or the "
    "clock was set back"
)


@dataclass(frozen=True, slots=True)
class LadderLevel:
    """One price level."""

    price: Annotated[int, Meta(description="In the symbol's units of price")]
    quantity: Annotated[Count, Meta(description="Total quantity of its orders, in lots")]
    orders: Annotated[Count, Meta(description="Number of its orders")]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookDocument:
    """A live book as it stood at one moment."""

    schema: Annotated[Literal["lowlat.book/1"], Meta(description="Kind and version of the document")] = BOOK_SCHEMA
    symbol: Annotated[str, Meta(description="Name of the book")]
    unit: Annotated[str, Meta(description="What one unit of price is worth, a decimal number")]
    tick: Annotated[Positive, Meta(description="Prices are multiples of it, in units of price")]
    depth: Annotated[Positive, Meta(description="Levels a side that the writer publishes at most")]
    live: Annotated[bool, Meta(description="Whether a process holds the book for writing")]
    writer_pid: Annotated[Word, Meta(description="Process id of the writer")]
    writer_state: Annotated[WriterState, Meta(description=_STATE)]
    age_s: Annotated[Amount | None, Meta(description=_AGE)]
    generation: Annotated[Word, Meta(description="Writers so far")]
    sequence: Annotated[
        Word, Meta(description="Even, higher by 2 after every update", extra_json_schema={"multipleOf": 2})
    ]
    command: Annotated[
        Word, Meta(description="The source's number of the command after which the book first looked so")
    ]
    bids: Annotated[tuple[LadderLevel, ...], Meta(description="Buy levels, the highest price first")]
    asks: Annotated[tuple[LadderLevel, ...], Meta(description="Sell levels, the lowest price first")]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLine:
    """One book of a folder."""

    symbol: Annotated[str, Meta(description="Name of the book")]
    live: Annotated[bool, Meta(description="Whether a process holds the book for writing")]
    unit: Annotated[str, Meta(description="What one unit of price is worth, a decimal number; 1 when unknown")] = "1"
    writer_pid: Annotated[Word | None, Meta(description="Process id of the last writer; null when unknown")] = None
    writer_state: Annotated[WriterState | None, Meta(description=f"{_STATE}; null when unknown")] = None
    age_s: Annotated[Amount | None, Meta(description=f"{_AGE}, or the book cannot be read")] = None
    generation: Annotated[Word | None, Meta(description="Writers so far; null when unknown")] = None
    sequence: Annotated[
        Word | None, Meta(description="Even, higher by 2 after every update; null when the book cannot be read")
    ] = None
    bid: Annotated[int | None, Meta(description="Best bid, in units of price; null without one")] = None
    ask: Annotated[int | None, Meta(description="Best ask, in units of price; null without one")] = None
    trouble: Annotated[str | None, Meta(description="Why the book cannot be read; null: it can")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksDocument:
    """The books of a folder."""

    schema: Annotated[Literal["lowlat.books/1"], Meta(description="Kind and version of the document")] = BOOKS_SCHEMA
    folder: Annotated[str, Meta(description="Path of the folder")]
    books: Annotated[tuple[BookLine, ...], Meta(description="Its books, by symbol")]
