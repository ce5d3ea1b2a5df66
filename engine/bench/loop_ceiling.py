"""The ceiling of an open loop: the rate that the loop itself reaches around an engine that does nothing. No higher rate
can be measured, whatever the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lowlat import units
from lowlat.engine import _core
from lowlat.errors import UsageError

COMMANDS: Final = 1 << 16
ROUNDS: Final = 15


@dataclass(frozen=True, slots=True)
class LoopCeiling:
    """The cost of the loop around nothing on one CPU."""

    ns_per_command: float

    @property
    def commands_per_s(self) -> float:
        """The highest rate that the loop reaches."""
        return 1e9 / self.ns_per_command

    def check(self, rate: float) -> None:
        """Raise `UsageError` for a rate, in commands per second, above the ceiling."""
        if rate > self.commands_per_s:
            raise UsageError(
                f"a rate of {units.rate(rate)} is above the ceiling of the open loop itself: around an engine that "
                f"does nothing it reaches {units.rate(self.commands_per_s)} here, {self.ns_per_command:.1f} ns per "
                "command; use a lower rate, or measure throughput in a closed loop"
            )


def open_loop_ceiling(*, logged: bool = False) -> LoopCeiling:
    """Measure the ceiling on the current CPU; takes some 30 ms. `logged`: with an interval log, which costs more.

    It is the fastest of several rounds in CPU time, so that a busy host does not lower it.
    """
    rounds = [_core.run_paced_nothing(COMMANDS, logged) for _ in range(ROUNDS)]
    return LoopCeiling(max(min(each.cpu_ns for each in rounds), 1) / COMMANDS)
