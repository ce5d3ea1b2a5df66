"""All checks, in groups, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from lowlat.errors import UsageError
from lowlat.probes.doctor.check import Check

Checks: TypeAlias = tuple[Check[Any], ...]


def _cpu_power() -> Checks:
    from lowlat.probes.doctor import cpu_idle, cpu_power

    return (*cpu_power.CHECKS, *cpu_idle.CHECKS)


def _scheduler() -> Checks:
    from lowlat.probes.doctor import cpu_time, isolation, scheduler

    return (*isolation.CHECKS, *cpu_time.CHECKS, *scheduler.CHECKS)


def _interrupts() -> Checks:
    from lowlat.probes.doctor.interrupts import CHECKS

    return CHECKS


def _memory() -> Checks:
    from lowlat.probes.doctor.memory import CHECKS

    return CHECKS


def _clock() -> Checks:
    from lowlat.probes.doctor.clock import CHECKS

    return CHECKS


def _virtualization() -> Checks:
    from lowlat.probes.doctor.virtualization import CHECKS

    return CHECKS


def _network() -> Checks:
    from lowlat.probes.doctor.network import CHECKS

    return CHECKS


def _limits() -> Checks:
    from lowlat.probes.doctor.limits import CHECKS

    return CHECKS


GROUPS: Final[Mapping[str, Callable[[], Checks]]] = MappingProxyType(
    {
        "processor": _cpu_power,
        "scheduler": _scheduler,
        "interrupt-sources": _interrupts,
        "memory": _memory,
        "clock": _clock,
        "network": _network,
        "rights": _limits,
        "virtual-machines": _virtualization,
    }
)
"""Groups by name; a group's checks are imported when it is asked for them."""


def all_checks() -> dict[str, Checks]:
    """Every check, by group."""
    return {name: checks() for name, checks in GROUPS.items()}


def select(names: Collection[str] = ()) -> dict[str, Checks]:
    """The checks of these names, or of the groups of these names, by group; all of them without names.

    Raises `UsageError` for a name that is neither, with the nearest ones.
    """
    groups = all_checks()
    if not names:
        return groups
    known = {check.id for checks in groups.values() for check in checks} | groups.keys()
    for name in names:
        if name not in known:
            raise UsageError(_unknown(name, known))
    chosen = {
        group: tuple(check for check in checks if group in names or check.id in names)
        for group, checks in groups.items()
    }
    return {group: checks for group, checks in chosen.items() if checks}


def _unknown(name: str, known: Collection[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, sorted(known), n=3) or [each for each in sorted(known) if name in each][:3]
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near and name else "'lowlat doctor -v' lists all checks"
    return f"--only {name[:60]!r}: there is no such check or group; {hint}"
