"""Several replayed recordings on the terminal: what they gave together, then a line for each partition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table

from lowlat import units
from lowlat.reports.model.replays import FailedPartition, PartitionResult, Replays
from lowlat.reports.model.results import Series
from lowlat.text import plain_text
from lowlat_cli.views import layout

_PERCENTS = ("50", "99", "99.9")
_SHOWN = 30
"""Partitions that are listed without -v."""
_FAILED_SHOWN = 5
"""The same of those that failed: each takes several lines."""


def replays_view(found: Replays, *, verbose: bool) -> Iterator[RenderableType]:
    """All parts, top to bottom."""
    yield layout.facts(_facts(found))
    if found.measured.series:
        yield layout.spaced(_latencies(found.measured.series))
    if found.result.partitions:
        yield layout.spaced(_partitions(found, len(found.result.partitions) if verbose else _SHOWN))
    if found.failed:
        yield layout.spaced(layout.facts(_failed(found.failed, len(found.failed) if verbose else _FAILED_SHOWN)))


def _failed(failed: Sequence[FailedPartition], most: int) -> Iterator[tuple[str, str]]:
    for each in failed[:most]:
        yield "failed", f"{_name(each)}: {each.error}"
    if len(failed) > most:
        yield "failed", f"and {len(failed) - most:,} more: -v"


def _facts(found: Replays) -> Iterator[tuple[str, str | None]]:
    result, took = found.result, found.measured
    yield (
        "replayed",
        f"{units.counted(len(result.partitions), 'partition')} by {result.by} · {result.engine} · {result.mode}",
    )
    yield "counts", " · ".join(f"{what} {count:,}" for what, count in result.counts.items())
    yield "verified", _verified(found)
    yield "digest", result.digest or "none, because partitions are missing"
    yield "took", f"{units.time(took.wall_s * 1e9)} · {units.counted(took.workers, 'partition')} at a time"
    if took.partitions:
        most = max(run.memory_max_bytes for run in took.partitions)
        yield "memory", f"{units.size(most)} at most for one, {units.size(took.memory_need_bytes)} expected"


def _verified(found: Replays) -> str | None:
    bursts, matched = (found.result.counts.get(name, 0) for name in ("bursts", "bursts matched"))
    return f"{matched:,} of {bursts:,} recorded bursts filled as on the venue" if bursts else None


def _latencies(series: Sequence[Series]) -> Table:
    made = layout.table("service", "count", *[f"p{percent}" for percent in _PERCENTS], "max", right=_right("count"))
    for each in series:
        values = [each.percentiles[percent].value for percent in _PERCENTS]
        made.add_row(plain_text(each.op), f"{each.count:,}", *map(units.time, values), units.time(each.max))
    return made


def _partitions(found: Replays, most: int) -> Table:
    made = layout.table("partition", "events", "differ", "p50", "p99", "host", right=("events", "differ", "p50", "p99"))
    runs = {run.number: run for run in found.measured.partitions}
    for result in found.result.partitions[:most]:
        run = runs[result.number]
        times = ["" if value is None else units.time(value) for value in (run.p50_ns, run.p99_ns)]
        counts = result.counts
        differ = counts.get("bursts", 0) - counts.get("bursts matched", 0)
        again = "" if run.attempts == 1 else f", attempt {run.attempts}"
        name = plain_text(_name(result))
        made.add_row(name, f"{counts.get('events', 0):,}", f"{differ:,}", *times, plain_text(f"{run.host}{again}"))
    if (more := len(found.result.partitions) - most) > 0:
        made.add_row(plain_text(f"and {more:,} more: -v"), "", "", "", "", "")
    return made


def _name(partition: PartitionResult | FailedPartition) -> str:
    return " ".join([partition.file.rpartition("/")[2], *partition.symbols])


def _right(count: str) -> tuple[str, ...]:
    return (count, *[f"p{percent}" for percent in _PERCENTS], "max")
