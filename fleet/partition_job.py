"""What the process of a partition is told, and what it answers: one JSON object each."""

from __future__ import annotations

import msgspec

from lowlat.fleet.identity import FileIdentity
from lowlat.fleet.partitions import ReplayPartition
from lowlat.fleet.survey import ReplayedPart
from lowlat.reports.model.replays import Mode, PartitionResult, PartitionRun
from lowlat.reports.model.results import Series


class ReplayPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How each partition is replayed. `engine`: its name, or its absolute path; `runs`: measured runs of a partition;
    `library`: the engine's file, if it is one; `orders`, `trades`, `grow`: pools, None for what the recording needs.
    """

    mode: Mode = "match"
    part: ReplayedPart = ReplayedPart()
    engine: str = "native"
    library: FileIdentity | None = None
    runs: int = 1
    orders: int | None = None
    trades: int | None = None
    grow: bool | None = None


class PartitionJob(msgspec.Struct, frozen=True):
    """One partition for a process. `memory_bytes`: what it and each of its runs may allocate; None: no limit."""

    partition: ReplayPartition
    plan: ReplayPlan
    parent: int
    memory_bytes: int | None = None


class PartitionAnswer(msgspec.Struct, frozen=True):
    """What a partition gave, how that went, and its latencies."""

    result: PartitionResult
    run: PartitionRun
    series: tuple[Series, ...]
