"""The latency ladder in the memory document: loads from ever larger memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from lowlat.bounded import Amount, Count, Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedCache:
    """A cache of the CPU that holds data, as the kernel reports it."""

    name: Annotated[str, Meta(description="e.g. L1d, L2, L3")]
    size_bytes: Annotated[Positive, Meta(description="Its size, bytes")]


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderPoint:
    """Loads that may go anywhere in memory of one size."""

    size_bytes: Annotated[Positive, Meta(description="Size of the memory, bytes")]
    samples: Annotated[Positive, Meta(description="Samples of 8,192 loads each")]
    min_ns: Annotated[Amount, Meta(description="A load in the fastest sample, nanoseconds")]
    median_ns: Annotated[Amount, Meta(description="A load in the median sample, nanoseconds")]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyLadder:
    """The memory of one node on pages of one kind."""

    node: Annotated[Count | None, Meta(description="NUMA node of the memory; null where the kernel shows none")]
    cpu: Annotated[Count, Meta(description="The CPU that loads")]
    pages: Annotated[Literal["huge", "base"], Meta(description="Kind of pages")]
    page_bytes: Annotated[Positive | None, Meta(description="Size of a page, bytes; null where there is no memory")]
    reserved: Annotated[bool, Meta(description="Whether the huge pages are reserved ones, rather than transparent")]
    status: Annotated[
        Literal["ok", "interrupted", "not measured"], Meta(description="interrupted: larger sizes are missing")
    ]
    reason: Annotated[str | None, Meta(description="Why it was not measured")]
    points: Annotated[tuple[LadderPoint, ...], Meta(description="By size")]
