"""Counts the processor's events in measured passes, one group of events in each, so that none shares its counter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Final

from lowlat.engine import _core
from lowlat.probes.cpu.hardware_events import HARDWARE_GROUPS, Event, hardware_events, why_not_counted
from lowlat.reports.model.results import HARDWARE_COUNTERS, HardwareCounters

if TYPE_CHECKING:
    from lowlat.engine.bench.passes import Pass

BUSY: Final = (
    "not available here, because other programs or the kernel's watchdog held the counters: try "
    "sysctl -w kernel.nmi_watchdog=0"
)


class PassCounters:
    """Counters of one thread."""

    def __init__(
        self, events: Mapping[str, Event] | None = None, groups: Sequence[Sequence[str]] = HARDWARE_GROUPS
    ) -> None:
        """Opens them, for the calling thread. The first group is chosen. `events`: None for this processor's."""
        known = hardware_events() if events is None else events
        self._groups = [_Group({name: known[name] for name in names if name in known}) for names in groups]
        self._chosen = self._groups[0]
        self._busy = False

    def choose(self, repeat: int) -> None:
        """Count another group: passes that are repeated take turns with them."""
        self._chosen = self._groups[repeat % len(self._groups)]

    def count(self, loop: Callable[[], _core.Pass]) -> tuple[_core.Pass, dict[str, int]]:
        """A pass, and its events by name; none if they were counted in a part of it only."""
        group = self._chosen
        _core.count_with(group.native)
        try:
            done = loop()
        finally:
            _core.count_with(None)
        if not group.counted:
            return done, {}
        if done.perf.error or not 0 < done.perf.enabled_ns == done.perf.running_ns:
            self._busy = True
            return done, {}
        return done, {name: done.perf.counts[place] for name, place in group.counted.items()}

    @property
    def errors(self) -> list[int]:
        """Of each event, the errno of opening its counter, or 0."""
        return [error for group in self._groups for error in group.native.errors]

    @property
    def why_absent(self) -> str:
        """Why no event was counted, if none was."""
        return BUSY if self._busy else why_not_counted(self.errors)


class _Group:
    """The events of one group. `counted`: of those that this processor counts, the place of their counter; two names of
    one event share it.
    """

    def __init__(self, events: Mapping[str, Event]) -> None:
        different = tuple(dict.fromkeys(events.values()))
        self.native = _core.PerfGroup(list(different))
        opened = [event for event, error in zip(different, self.native.errors, strict=True) if not error]
        self.counted = {name: opened.index(event) for name, event in events.items() if event in opened}


def per_command(repeated: Sequence[Pass]) -> HardwareCounters | None:
    """The events per command, of each the median over the passes that counted it; None if none was."""
    counted = {
        name: [done.counts[name] / done.commands for done in repeated if name in done.counts and done.commands]
        for name in HARDWARE_COUNTERS
    }
    known = {name: median(values) for name, values in counted.items() if values}
    return HardwareCounters(**{name: known.get(name) for name in HARDWARE_COUNTERS}) if known else None
