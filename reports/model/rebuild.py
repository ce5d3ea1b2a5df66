"""The rebuild document: what it took to apply a feed to its books, and where it contradicted them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat.bounded import Amount, Count
from lowlat.reports.model.context import Tool
from lowlat.reports.model.results import Series

SCHEMA: Final = "lowlat.rebuild/1"

Counted = Annotated[dict[str, Count], Meta(description="How many, by kind; kinds without any are left out")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Time that one part of the work took."""

    cpu_ns: Annotated[Count, Meta(description="CPU time of the thread, nanoseconds")]
    wall_ns: Annotated[Count, Meta(description="Elapsed time, nanoseconds")]
    cpu_ns_per_event: Annotated[Amount | None, Meta(description="CPU time over events; null without events")]
    wall_ns_per_event: Annotated[Amount | None, Meta(description="Elapsed time over events; null without events")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedBook:
    """The books compared with those of the venue's own file, row by row."""

    file: Annotated[str, Meta(description="The venue's file")]
    levels: Annotated[Count, Meta(description="Price levels of each side that were compared")]
    rows: Annotated[Count, Meta(description="Rows that were compared: those of the feed that have an event")]
    equal: Annotated[Count, Meta(description="Of these, rows with the same prices and quantities at all levels")]
    missing: Annotated[Count, Meta(description="Rows of the feed after the end of the venue's file")]
    first_difference: Annotated[str | None, Meta(description="The first row that differs, and how; null if none does")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """The books of a feed, rebuilt from its events; nothing was matched."""

    schema: Annotated[Literal["lowlat.rebuild/1"], Meta(description="Kind and version of the document")] = field(
        default=SCHEMA
    )
    status: Annotated[
        Literal["ok", "invalid"], Meta(description="invalid: the books differ from those that were expected")
    ]
    status_reasons: Annotated[tuple[str, ...], Meta(description="Why it is not ok")]
    tool: Annotated[Tool, Meta(description="The program that made the document")]
    started: Annotated[str, Meta(description="When it began, UTC, RFC 3339")]
    file: Annotated[str, Meta(description="The feed")]
    noun: Annotated[str, Meta(description="The word for a file of its format")]
    symbols: Annotated[Count, Meta(description="Symbols that the feed names")]
    displayed_levels: Annotated[
        Count | None,
        Meta(
            description="Price levels of each side within which the feed tells of orders, beyond which orders that are "
            "gone stay in the books; null: all"
        ),
    ]
    events: Annotated[Count, Meta(description="Events that were applied")]
    actions: Annotated[Counted, Meta(description="Events by what happened, e.g. add, execute")]
    messages: Annotated[Counted, Meta(description="Messages of the file by type")]
    left_out: Annotated[Counted, Meta(description="Messages without an event, by reason")]
    faults: Annotated[Counted, Meta(description="Faults of the file that its reader noticed, by kind")]
    contradictions: Annotated[Counted, Meta(description="Events that contradict the book, by kind; each was believed")]
    decode: Annotated[Spent, Meta(description="Reading the file and making events of it")]
    apply: Annotated[Spent, Meta(description="Applying the events, without expected books: a block at a time")]
    books: Annotated[str, Meta(description="SHA-256 of all orders in the books at the end, symbol by symbol")]
    live_orders: Annotated[Count, Meta(description="Orders in the books at the end")]
    live_orders_max: Annotated[Count, Meta(description="Orders in the books at most")]
    levels_max: Annotated[Count, Meta(description="Price levels in the books at most")]
    memory_max_bytes: Annotated[Count, Meta(description="The most memory that the process has had resident")]
    latencies: Annotated[
        tuple[Series, ...],
        Meta(description="Time of single events, all and by action, each applied alone between two reads of the clock"),
    ]
    latency_events: Annotated[
        Count, Meta(description="How many of the first events were applied alone, in empty books, after all of them")
    ]
    expected: Annotated[
        ExpectedBook | None, Meta(description="Comparison with the venue's own books; null without such a file")
    ] = None
