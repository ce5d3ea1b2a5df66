"""The ceiling of a load: the rate that its own measuring reaches around an engine that does nothing. No higher rate can
be measured, whatever the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lowlat import units
from lowlat.engine import _core
from lowlat.engine.bench.protocol import ClosedLoop, Load, OpenLoop, Pipeline
from lowlat.errors import UsageError

COMMANDS: Final = 1 << 16
ROUNDS: Final = 15


@dataclass(frozen=True, slots=True)
class LoopCeiling:
    """The cost of measuring a load, without the engine, on one CPU. `what`: the load, for messages."""

    ns_per_command: float
    what: str

    @property
    def commands_per_s(self) -> float:
        """The highest rate that it reaches."""
        return 1e9 / self.ns_per_command

    def check(self, rate: float) -> None:
        """Raise `UsageError` for a rate, in commands per second, above the ceiling."""
        if rate > self.commands_per_s:
            raise UsageError(
                f"a rate of {units.rate(rate)} is above the ceiling of {self.what}: around an engine that does "
                f"nothing, its own measuring reaches {units.rate(self.commands_per_s)} here "
                f"({self.ns_per_command:.1f} ns per command); use a lower rate, or measure throughput in a closed loop"
            )


def open_loop_ceiling(*, logged: bool = False) -> LoopCeiling:
    """Measure the ceiling of an open loop on the current CPU; takes some 30 ms.

    `logged`: with an interval log, which costs more.
    """
    return LoopCeiling(_fastest_ns(lambda count: _core.run_paced_nothing(count, logged)), "the open loop")


def pipeline_ceiling(producers: int) -> LoopCeiling:
    """Measure the ceiling of a pipeline with intended start times on the current CPU; takes some 100 ms.

    It is that of its busiest thread: clock reads of the producers and the matcher, records of the publisher.
    """
    threads = (
        _fastest_ns(_core.produce_nothing) / producers,
        _fastest_ns(_core.match_nothing),
        _fastest_ns(_core.publish_nothing),
    )
    return LoopCeiling(max(threads), "the pipeline")


def ceiling_of(load: Load, *, logged: bool) -> LoopCeiling | None:
    """The ceiling of a load; None if it has no rate."""
    match load:
        case OpenLoop():
            return open_loop_ceiling(logged=logged)
        case Pipeline(arrivals=due) if due is not None:
            return pipeline_ceiling(load.producers)
        case ClosedLoop() | Pipeline():
            return None


def _fastest_ns(around_nothing: Callable[[int], _core.Pass]) -> float:
    """CPU time per command of the fastest round, so that a busy host does not lower the ceiling."""
    return max(min(around_nothing(COMMANDS).cpu_ns for _ in range(ROUNDS)), 1) / COMMANDS
