"""The cores document: how long a cache line takes from one CPU to another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat.bounded import Amount, Count, Positive

SCHEMA: Final = "lowlat.cores/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorePair:
    """Two CPUs."""

    first: Annotated[Count, Meta(description="The CPU that begins each round")]
    second: Annotated[Count, Meta(description="The CPU that answers")]
    status: Annotated[
        Literal["ok", "not measured"], Meta(description="not measured: no block of rounds ended within the time limit")
    ]
    blocks: Annotated[Count, Meta(description="Blocks of rounds timed")]
    min_ns: Annotated[Amount | None, Meta(description="One way, half a round, in the fastest block, nanoseconds")]
    median_ns: Annotated[Amount | None, Meta(description="One way in the median block, nanoseconds")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """The pairs that were measured, one after another."""

    schema: Annotated[Literal["lowlat.cores/1"], Meta(description="Kind and version of the document")] = field(
        default=SCHEMA
    )
    status: Annotated[Literal["ok", "interrupted"], Meta(description="interrupted: Ctrl-C ended it early")]
    platform: Annotated[str, Meta(description="Hypervisor or container, or bare metal")]
    guest: Annotated[
        bool, Meta(description="Whether a hypervisor may run these CPUs on any processors, and move them meanwhile")
    ]
    clock_hz: Annotated[Amount, Meta(description="Ticks of the counter a second")]
    cpus_chosen: Annotated[Positive, Meta(description="CPUs asked for; of many, only some are measured")]
    cpus: Annotated[tuple[int, ...], Meta(description="CPUs measured, each with each other")]
    pairs: tuple[CorePair, ...]
