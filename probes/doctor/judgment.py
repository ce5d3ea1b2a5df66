"""What a check makes of the value it read, and the fixes it can offer."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lowlat.probes.doctor.finding import Fix, MeasuredFigure, Severity, Status
from lowlat.text import printable


@dataclass(frozen=True, slots=True)
class Judgment:
    """The verdict on a value. `status` None means: as bad as the check's severity says."""

    observed: str
    status: Status | None
    fix: Fix | None = None
    measured: tuple[MeasuredFigure, ...] = ()
    reason: str | None = None


def good(observed: str, *measured: MeasuredFigure) -> Judgment:
    """The value is as wanted."""
    return Judgment(observed, "pass", measured=measured)


def bad(observed: str, fix: Fix | None = None, *measured: MeasuredFigure, status: Severity | None = None) -> Judgment:
    """The value is not as wanted; `status` where it is not the check's severity."""
    return Judgment(observed, status, fix, measured)


def note(observed: str, *measured: MeasuredFigure, fix: Fix | None = None) -> Judgment:
    """The value is worth knowing, and neither good nor bad."""
    return Judgment(observed, "info", fix, measured)


def unclear(observed: str, reason: str, *measured: MeasuredFigure) -> Judgment:
    """The value does not tell; `reason` says why."""
    return Judgment(observed, "unknown", None, measured, reason)


def write(path: str, value: str, found: str) -> Fix:
    """Write a value to a file of the kernel; the undo writes what was found."""
    return write_each({path: found}, value)


def write_each(found: Mapping[str, str], value: str, summary: str | None = None) -> Fix:
    """Write the same value to several files of the kernel, by path without the first slash."""
    first = next(iter(found))
    known = {path: old for path, old in found.items() if printable(old) == old}  # no kernel wrote anything else
    return Fix(
        summary or f"echo {value} > /{first}",
        tuple(_echo(value, path) for path in known),
        tuple(_echo(old, path) for path, old in known.items()),
    )


def _echo(value: str, path: str) -> str:
    return f"echo {shlex.quote(value)} > {shlex.quote('/' + path)}"


def sysctl(name: str, value: str, found: str) -> Fix:
    """Set a sysctl such as `vm.stat_interval`."""
    if printable(found) != found:
        return Fix(f"sysctl -w {name}={value}")
    return Fix(
        f"sysctl -w {name}={value}",
        (f"sysctl -w {shlex.quote(f'{name}={value}')}",),
        (f"sysctl -w {shlex.quote(f'{name}={found}')}",),
    )


def boot(parameters: str) -> Fix:
    """Add parameters to the kernel's command line."""
    return Fix(f"boot with {parameters}")


def by_hand(summary: str) -> Fix:
    """Something that no command of this host does."""
    return Fix(summary)


def together(fixes: Iterable[Fix]) -> Fix | None:
    """Several fixes as one; None if there are none."""
    listed = list(fixes)
    if not listed:
        return None
    return Fix(
        "; ".join(dict.fromkeys(fix.summary for fix in listed)),
        tuple(command for fix in listed for command in fix.commands),
        tuple(command for fix in listed for command in fix.undo),
    )
