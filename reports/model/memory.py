"""The memory document: how long a load takes, and how many bytes a second move."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat.bounded import Amount, Count, Positive
from lowlat.documents import document_fields
from lowlat.reports.model.memory_ladder import LatencyLadder, ReportedCache
from lowlat.reports.model.memory_levels import MeasuredLevel, levels_of

SCHEMA: Final = "lowlat.memory/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEffect:
    """Loads from memory of one size on pages of both kinds: what address translation costs."""

    size_bytes: Annotated[Positive, Meta(description="Size of the memory, bytes")]
    huge_ns: Annotated[Amount, Meta(description="A load on huge pages, fastest sample, nanoseconds")]
    base_ns: Annotated[Amount, Meta(description="A load on base pages, fastest sample, nanoseconds")]
    ratio: Annotated[Amount, Meta(description="Base over huge")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth:
    """Threads that move memory at once, each its own on its own node: sums of what each moves in its median block."""

    cpus: Annotated[tuple[Count, ...], Meta(min_length=1, description="The CPUs, one thread each")]
    bytes_of_thread: Annotated[Positive, Meta(description="Memory of each thread, bytes")]
    read_bytes_per_s: Annotated[Amount, Meta(description="Bytes read a second")]
    write_bytes_per_s: Annotated[Amount, Meta(description="Bytes written a second")]
    copy_bytes_per_s: Annotated[
        Amount, Meta(description="Bytes copied from one half to the other; each counts twice, read and written")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAccess:
    """The memory of one node from the CPUs of another, or of its own."""

    cpu_node: Annotated[Count, Meta(description="NUMA node of the CPUs")]
    memory_node: Annotated[Count, Meta(description="NUMA node of the memory")]
    cpus: Annotated[tuple[Count, ...], Meta(min_length=1, description="CPUs that read at once; the first one loads")]
    min_ns: Annotated[Amount, Meta(description="A load from memory of the limit's size, fastest sample, nanoseconds")]
    median_ns: Annotated[Amount, Meta(description="A load in the median sample, nanoseconds")]
    read_bytes_per_s: Annotated[Amount, Meta(description="Bytes that the CPUs read a second, median block of each")]


@document_fields(last=("levels", "page_effects"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Ladders, bandwidth and, where there are several nodes with memory, each node from each other."""

    schema: Annotated[Literal["lowlat.memory/1"], Meta(description="Kind and version of the document")] = field(
        default=SCHEMA
    )
    status: Annotated[Literal["ok", "interrupted"], Meta(description="interrupted: Ctrl-C ended it early")]
    platform: Annotated[str, Meta(description="Hypervisor or container, or bare metal")]
    guest: Annotated[
        bool, Meta(description="Whether a hypervisor reports the caches, and shares them with other guests")
    ]
    clock_hz: Annotated[Amount, Meta(description="Ticks of the counter a second")]
    duration_s: Annotated[Amount, Meta(description="Asked for, seconds, without the preparation of memory")]
    limit_bytes: Annotated[Positive, Meta(description="Largest memory of a ladder, and memory of all threads, bytes")]
    limit_reason: Annotated[str, Meta(description="Why the limit is no larger")]
    cpus: Annotated[tuple[Count, ...], Meta(min_length=1, description="CPUs chosen")]
    caches: Annotated[
        tuple[ReportedCache, ...], Meta(description="Caches of the first ladder's CPU as reported, nearest first")
    ]
    ladders: Annotated[
        tuple[LatencyLadder, ...], Meta(description="By node, that of the highest CPU first: huge, then base")
    ]
    bandwidth: Annotated[tuple[Bandwidth, ...], Meta(description="By number of threads")]
    nodes: Annotated[tuple[NodeAccess, ...], Meta(description="Empty where there is one node with memory, or none")]

    @property
    def main(self) -> LatencyLadder | None:
        """The ladder that shows the levels best: the first with points, which is on huge pages if there are any."""
        return next((ladder for ladder in self.ladders if ladder.points), None)

    @property
    def levels(self) -> tuple[MeasuredLevel, ...]:
        """The caches and the memory as the first ladder with points shows them."""
        return levels_of(self.main.points, self.caches) if self.main else ()

    @property
    def page_effects(self) -> tuple[PageEffect, ...]:
        """Huge and base pages of the first node beside each other, by size."""
        main = self.main
        if main is None or main.pages != "huge":
            return ()
        base = {
            point.size_bytes: point.min_ns
            for ladder in self.ladders
            if ladder.pages == "base" and ladder.node == main.node
            for point in ladder.points
        }
        return tuple(
            PageEffect(
                size_bytes=point.size_bytes,
                huge_ns=point.min_ns,
                base_ns=base[point.size_bytes],
                ratio=base[point.size_bytes] / point.min_ns if point.min_ns else 0.0,
            )
            for point in main.points
            if point.size_bytes in base
        )
