"""What the process of a partition is told, and what it answers: one line of JSON each."""

from __future__ import annotations

from typing import Final

import msgspec

from lowlat.child_process import ending
from lowlat.errors import ExitCode
from lowlat.fleet.identity import FileIdentity
from lowlat.fleet.partitions import ReplayPartition
from lowlat.fleet.survey import ReplayedPart
from lowlat.reports.model.replays import Mode, PartitionResult, PartitionRun
from lowlat.reports.model.results import Series

IDLE_S: Final = 20.0
"""How long what starts the processes of partitions waits for another one. Workers of a scheduler outlive a command."""


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
    memory_bytes: int | None = None


class PartitionAnswer(msgspec.Struct, frozen=True, tag=True):
    """What a partition gave, how that went, and its latencies."""

    result: PartitionResult
    run: PartitionRun
    series: tuple[Series, ...]


class PartitionFailure(msgspec.Struct, frozen=True, tag=True):
    """Why a partition gave nothing: what its process said last, or how that ended."""

    why: str


def why_ended(returned: int, said: bytes) -> str:
    """What a process that gave no answer wrote last to stderr, or how it ended."""
    lines = said.decode(errors="replace").strip().splitlines()
    defect = "internal error: " if returned == ExitCode.INTERNAL else ""
    return f"{defect}{lines[-1]}" if lines else f"its process {ending(returned)}"
