"""A technique, and what a run of one of its two variants gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Final, Literal, TypeAlias

import msgspec

from lowlat.engine.bench.engines import EngineEntry
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.records import Commands
from lowlat.errors import UsageError
from lowlat.probes.clock.scale import TickScale

OWN: Final = "native"
"""The engine that techniques are parts of."""
OPERATIONS_OF_INTERPRETED: Final = 2_000
"""Of a pass over an engine in Python, at most: it takes microseconds for each."""
Variant: TypeAlias = Literal["with", "without"]
Figure: TypeAlias = Literal["cpu", "wall", "throughput", "p50", "p99", "p99.9"]
"""A figure of a run, as the gate names it: CPU time or elapsed time of an operation, operations a second, or a
percentile of the times of single operations.
"""


class VariantFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one variant. Times are nanoseconds an operation; None where the host does not tell, or the technique
    has no such figure.
    """

    wall_ns: float
    cpu_ns: float | None
    p50_ns: float | None = None
    p99_ns: float | None = None
    p999_ns: float | None = None
    counters: dict[str, float] = {}
    """The processor's events an operation, by name."""
    uncounted: str | None = None
    """Why there are none."""

    def figure(self, name: Figure) -> float | None:
        """The figure of this name."""
        match name:
            case "cpu":
                return self.cpu_ns
            case "wall":
                return self.wall_ns
            case "throughput":
                return 1e9 / self.wall_ns if self.wall_ns else None
            case "p50":
                return self.p50_ns
            case "p99":
                return self.p99_ns
            case "p99.9":
                return self.p999_ns


@dataclass(frozen=True)
class VariantRun:
    """What a variant's run is given, in a process of its own.

    `operations`: of a pass. `passes`: those without a clock between the operations. `cpu`: where it is pinned;
    `other_cpu`: for a second thread, None if there is only one CPU. `commands`: an order flow, which `settings` fit;
    the first `seeded` of them fill the books.
    """

    with_it: bool
    operations: int
    passes: int
    seed: int
    scale: TickScale
    cpu: int
    other_cpu: int | None
    allowed: tuple[int, ...]
    commands: Commands
    seeded: int
    settings: EngineConfig
    engine: str = OWN
    """What `engine_entry` takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """The technique around another engine than ours: what is different then. All None: nothing is.

    `executes`: whether its operations are commands that the engine executes.
    """

    measure: Callable[[VariantRun], VariantFigures] | None = None
    with_it: str | None = None
    without: str | None = None
    operation: str | None = None
    operations: int | None = None
    executes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Technique:
    """A technique. To add one, write `measure`, and an entry in the catalog.

    `name`: what `--only` takes. `why`: why it should help, in a sentence. `mechanism`: what happens in the machine.
    `with_it`, `without`: the two variants, the first being lowlat's. `limits`: where it does not help. `operation`:
    what figures are per. `operations`: of a pass; for those that execute the order flow, at most. `decides`: the figure
    that the verdict is on. `measure`: a run of a variant; raises `UsageError` with what a host lacks that cannot show
    it: the message goes on after `not available here, because`. `around`: how it is measured around the engine of
    somebody else; None for what is a part of ours. `pairs_per_round`: of runs.
    """

    name: str
    title: str
    why: str
    mechanism: str
    with_it: str
    without: str
    limits: str
    operation: str
    operations: int
    decides: Figure
    measure: Callable[[VariantRun], VariantFigures]
    around: Around | None = None
    pairs_per_round: int = 1

    def for_engine(self, entry: EngineEntry) -> Technique:
        """The technique as it is measured with this engine."""
        if entry.name == OWN:
            return self
        if self.around is None:
            return replace(self, measure=_inside)
        changed = {each.name: value for each in fields(Around) if (value := getattr(self.around, each.name))}
        executes = changed.pop("executes", False)
        found = replace(self, **changed)
        most = OPERATIONS_OF_INTERPRETED if executes and not entry.compiled else found.operations
        return replace(found, operations=min(found.operations, most))


def _inside(_: VariantRun) -> VariantFigures:
    raise UsageError("this is inside lowlat, and the measured engine is another")
