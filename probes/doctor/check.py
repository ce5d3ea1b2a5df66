"""A check: one knob, read and judged. Also the judging, the same for all of them.

`advise` sees only values that were read, so an absent or unreadable file cannot become a pass or a fail.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

from lowlat.probes.doctor.examined_host import ExaminedHost
from lowlat.probes.doctor.finding import Finding, MeasuredFigure, Severity
from lowlat.probes.doctor.judgment import Judgment
from lowlat.probes.reading import Reading, not_applicable

T = TypeVar("T")
Needs: TypeAlias = Literal["isolated CPUs", "a guest", "bare metal"]
Owner: TypeAlias = Literal["hardware", "kernel"]


class Check(ABC, Generic[T]):
    """One knob. A subclass sets the texts, reads the knob and judges its value."""

    id: ClassVar[str]
    title: ClassVar[str]
    severity: ClassVar[Severity]
    threshold: ClassVar[str]
    """What is good."""
    consequence: ClassVar[str]
    """What a bad value costs: an order of magnitude from the literature."""
    owner: ClassVar[Owner] = "kernel"
    """Who decides about the knob where it is absent: in a guest, hardware is the hypervisor's."""
    needs: ClassVar[Needs | None] = None
    """Where the check makes sense at all. Those that need isolated CPUs are one INFO where there are none."""

    def counters(self, host: ExaminedHost) -> tuple[str, ...]:
        """Files to read at both ends of the second in which counters are compared."""
        return ()

    def available(self, host: ExaminedHost) -> Reading[Any] | None:
        """A reading without value if the knob cannot be here; None if it may be."""
        if self.needs == "a guest" and not host.is_guest:
            return not_applicable(host.virtualization.hypervisor.source, "only guests have it")
        if self.needs == "bare metal" and host.is_guest:
            return not_applicable(host.virtualization.hypervisor.source, "a guest does not see the hardware's")
        return None

    def measure(self, host: ExaminedHost) -> tuple[MeasuredFigure, ...]:
        """Figures that show what the knob predicts; also where the knob is absent."""
        return ()

    @abstractmethod
    def read(self, host: ExaminedHost) -> Reading[T]:
        """Read the knob."""

    @abstractmethod
    def advise(self, value: T, host: ExaminedHost) -> Judgment:
        """Judge a value."""


def judge(check: Check[Any], group: str, host: ExaminedHost) -> Finding:
    """Run a check on a host."""
    reading = check.available(host) or check.read(host)
    if reading.value is None:
        judgment = Judgment("", reading.status if reading.status != "known" else "unknown", reason=reading.reason)
    else:
        judgment = check.advise(reading.value, host)
    status = judgment.status or check.severity
    return Finding(
        id=check.id,
        group=group,
        title=check.title,
        status=status,
        observed=judgment.observed or None,
        measured=(*judgment.measured, *check.measure(host)),
        source=reading.source,
        reason=judgment.reason,
        owner=owner_of(check, host) if status == "not applicable" else None,
        threshold=check.threshold,
        consequence=check.consequence,
        fix=judgment.fix,
    )


def owner_of(check: Check[Any], host: ExaminedHost) -> str:
    """Who decides about a knob that does not exist on this host."""
    if check.needs == "a guest":
        return "nobody: there is no hypervisor"
    if host.is_guest and (check.owner == "hardware" or check.needs == "bare metal"):
        return f"the hypervisor ({host.virtualization.hypervisor.value}): ask who runs the host"
    if host.is_container:
        return "the host of the container"
    if check.owner == "hardware":
        return "the processor and firmware, which lack it, or a driver that is not loaded"
    return "the kernel, which is built or booted without it"
