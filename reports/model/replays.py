"""The replays document: several recordings, replayed by partition, and what all of them gave together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from lowlat.bounded import Amount, Count
from lowlat.reports.model.context import Tool
from lowlat.reports.model.results import Series

SCHEMA: Final = "lowlat.replays/1"

Mode: TypeAlias = Literal["match", "rebuild"]
Division: TypeAlias = Literal["file", "symbol"]
Counts: TypeAlias = Annotated[dict[str, Count], Meta(description="How many, by what was counted")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionResult:
    """What one partition gave: the same wherever and however often it is replayed."""

    number: Annotated[Count, Meta(description="Its place in the order of the partitions, from 1")]
    file: Annotated[str, Meta(description="The recording")]
    file_bytes: Annotated[Count, Meta(description="Size of the file as it is stored, bytes")]
    file_sha256: Annotated[str, Meta(description="SHA-256 of the file as it is stored")]
    format: Annotated[str, Meta(description="The reader of the file, as --format names it")]
    symbols: Annotated[tuple[str, ...], Meta(description="The symbols that were asked for; empty: all of the file")]
    digest: Annotated[
        str,
        Meta(description="match: SHA-256 of all events of the engine; rebuild: of all orders in the books at the end"),
    ]
    counts: Counts
    fills: Annotated[
        dict[str, Count], Meta(description="Aggressive orders by how many resting orders they hit at the venue")
    ]
    differences: Annotated[
        tuple[str, ...], Meta(description="The first aggressive orders that were filled otherwise than at the venue")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaysResult:
    """What the partitions gave. Equal, byte for byte, for any number of workers."""

    mode: Annotated[Mode, Meta(description="match: the engine matched; rebuild: the venue's word was applied")]
    engine: Annotated[str, Meta(description="The engine, as --engine names it; of a rebuild, the book builder")]
    by: Annotated[Division, Meta(description="What a partition is: a file, or a symbol of a file")]
    digest: Annotated[
        str | None,
        Meta(description="SHA-256 of the partitions' digests in their order, a line each; null if one is missing"),
    ]
    counts: Counts
    fills: Annotated[dict[str, Count], Meta(description="The same of all partitions")]
    partitions: tuple[PartitionResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionRun:
    """How one partition was replayed."""

    number: Annotated[Count, Meta(description="The partition")]
    host: Annotated[str, Meta(description="Name of the host")]
    cpu: Annotated[Count | None, Meta(description="The CPU that the runs had to themselves among partitions")]
    attempts: Annotated[
        Count,
        Meta(description="How often it was given to a worker; more than 1: it failed, or was lost with its worker"),
    ]
    wall_s: Annotated[Amount, Meta(description="Elapsed time of the last attempt, seconds")]
    memory_max_bytes: Annotated[
        Count, Meta(description="The most memory that its process had resident, and the largest of its runs, added")
    ]
    p50_ns: Annotated[Count | None, Meta(description="Median latency of all operations, nanoseconds")]
    p99_ns: Annotated[Count | None, Meta(description="99th percentile, nanoseconds")]
    status_reasons: Annotated[
        tuple[str, ...], Meta(description="Why its figures are not to be trusted; empty: they are")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPartition:
    """A partition without a result."""

    file: Annotated[str, Meta(description="The recording")]
    symbols: Annotated[tuple[str, ...], Meta(description="The symbols of it; empty: all")]
    attempts: Annotated[Count, Meta(description="How often it was given to a worker")]
    error: Annotated[str, Meta(description="What went wrong the last time, and where")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaysMeasured:
    """What replaying took: another run gives other figures."""

    workers: Annotated[Count, Meta(description="How many partitions were replayed at a time")]
    wall_s: Annotated[Amount, Meta(description="Elapsed time, seconds")]
    memory_need_bytes: Annotated[
        Count, Meta(description="Memory that the largest partition was expected to need, from its events")
    ]
    series: Annotated[
        tuple[Series, ...], Meta(description="Latencies of all partitions: their histograms, added in their order")
    ]
    partitions: tuple[PartitionRun, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replays:
    """Several recordings, replayed by partition."""

    schema: Annotated[Literal["lowlat.replays/1"], Meta(description="Kind and version of the document")] = field(
        default=SCHEMA
    )
    status: Annotated[
        Literal["ok", "invalid", "interrupted"],
        Meta(description="invalid: a partition failed, or its figures are not to be trusted"),
    ]
    status_reasons: Annotated[tuple[str, ...], Meta(description="Why it is not ok")]
    tool: Annotated[Tool, Meta(description="The program that made the document")]
    command: Annotated[tuple[str, ...], Meta(description="The command line")]
    started: Annotated[str, Meta(description="When it began, UTC, RFC 3339")]
    result: ReplaysResult
    measured: ReplaysMeasured
    failed: tuple[FailedPartition, ...]


def summed(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    """Counts added by name, names in the order of their first appearance."""
    total = Counter[str]()
    for each in counts:
        total.update(each)
    return dict(total)
