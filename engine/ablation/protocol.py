"""What the process that makes the runs is told, and what it answers: a line of JSON each."""

from __future__ import annotations

from typing import Any

import msgspec

from lowlat.engine.ablation.technique import VariantFigures


class AblationJob(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for all runs; the first line."""

    parent: int
    commands_fd: int
    """Of a file with the order flow's commands."""
    wide: bool
    seeded: int
    settings: dict[str, Any]
    engine: str
    cpu: int | None
    """Where runs are pinned; None where threads cannot be pinned."""
    other_cpu: int | None
    """Of a second thread; None if there is only one CPU."""
    multiplier: int
    """Of the scale from the counter's ticks to nanoseconds."""
    shift: int


class VariantJob(msgspec.Struct, frozen=True, kw_only=True):
    """A run."""

    technique: str
    with_it: bool
    operations: int
    passes: int
    seed: int


class VariantAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it: figures, why this host cannot show the technique, or how the run failed."""

    figures: VariantFigures | None = None
    absent: str | None = None
    failure: str | None = None
