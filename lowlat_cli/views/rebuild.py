"""A rebuild on the terminal: what was applied, what it took, and what contradicted the books."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import RenderableType
from rich.table import Table

from lowlat import units
from lowlat.reports.model.rebuild import ExpectedBook, Rebuild, Spent
from lowlat.text import plain_text
from lowlat_cli.views import layout

_PERCENTS = ("50", "99", "99.9")


def rebuild_view(found: Rebuild) -> Iterator[RenderableType]:
    """All parts, top to bottom."""
    yield layout.facts(_facts(found))
    if found.latencies:
        yield layout.spaced(_latencies(found))


def _facts(found: Rebuild) -> Iterator[tuple[str, str | None]]:
    depth = found.displayed_levels
    shown = "" if depth is None else f" · {units.counted(depth, 'level')} of each side"
    yield "feed", f"{found.file} · {found.noun} · {units.counted(found.symbols, 'symbol')}{shown}"
    yield "events", f"{found.events:,}{_listed(found.actions)}"
    yield "left out", _kinds(found.left_out)
    yield "faults", _kinds(found.faults)
    yield "decode", _spent(found.decode)
    yield "apply", _spent(found.apply)
    yield (
        "books",
        f"{units.counted(found.live_orders, 'order')} at the end · at most "
        f"{units.counted(found.live_orders_max, 'order')} on {units.counted(found.levels_max, 'level')}",
    )
    yield "contradictions", _kinds(found.contradictions) or "none"
    yield "expected", None if found.expected is None else _expected(found.expected)
    yield "memory", f"{units.size(found.memory_max_bytes)} at most"


def _expected(book: ExpectedBook) -> str:
    levels = units.counted(book.levels, "level")
    return f"{book.equal:,} of {units.counted(book.rows, 'row')} equal at {levels} · {book.file}"


def _spent(part: Spent) -> str | None:
    if part.cpu_ns_per_event is None or part.wall_ns_per_event is None:
        return None
    return (
        f"{units.time(part.cpu_ns_per_event)} of CPU time per event ({units.time(part.cpu_ns)}) · "
        f"{units.time(part.wall_ns_per_event)} elapsed"
    )


def _listed(counts: Mapping[str, int]) -> str:
    return f": {_kinds(counts)}" if counts else ""


def _kinds(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {count:,}" for kind, count in counts.items())


def _latencies(found: Rebuild) -> Table:
    heading = f"first {units.counted(found.latency_events, 'event')}, each alone"
    made = layout.table(heading, "events", *[f"p{percent}" for percent in _PERCENTS], "max", right=_right())
    for series in found.latencies:
        values = [series.percentiles[percent].value for percent in _PERCENTS]
        made.add_row(plain_text(series.op), f"{series.count:,}", *map(units.time, values), units.time(series.max))
    return made


def _right() -> tuple[str, ...]:
    return ("events", *[f"p{percent}" for percent in _PERCENTS], "max")
