"""What a read of each clock costs, and what the kernel's clock source makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from lowlat import units
from lowlat.bounded import Amount
from lowlat.documents import document_fields
from lowlat.probes import _core
from lowlat.probes.reading import Reading, known, not_applicable

FALLS_BACK_RATIO = 0.75
"""Share of a system call's cost above which a read of the vDSO has made one. In the vDSO it takes a third or less."""

_READ_IN_VDSO = ("tsc", "arch_sys_counter")
"""Clock sources that are the processor's own counter."""


@document_fields(last=("vdso_falls_back",))
@dataclass(frozen=True, slots=True)
class ReadCosts:
    """Cost of one read, in ns: median over batches of the mean of back-to-back reads."""

    plain_ns: Annotated[Amount, Meta(description="The counter alone, nanoseconds")]
    fenced_ns: Annotated[Amount, Meta(description="The counter, once all before it is done, nanoseconds")]
    rdtscp_ns: Annotated[Reading[float], Meta(description="RDTSCP, and no later read before it is done, nanoseconds")]
    vdso_ns: Annotated[Amount, Meta(description="clock_gettime as the C library has it, nanoseconds")]
    system_call_ns: Annotated[Reading[float], Meta(description="clock_gettime as a system call, nanoseconds")]

    @property
    def vdso_falls_back(
        self,
    ) -> Annotated[bool | None, Meta(description="Whether the C library enters the kernel too")]:
        """Whether the C library's read costs about as much as a system call; None where that is not known.

        Both hold a read of the counter, which a hypervisor may make dear: it is taken off first.
        """
        call_ns = self.system_call_ns.value
        if call_ns is None:
            return None
        return self.vdso_ns - self.plain_ns > FALLS_BACK_RATIO * (call_ns - self.plain_ns)


def measure_read_costs() -> ReadCosts:
    """Measure the cost of one read of each clock."""
    costs = _core.measure_read_costs()
    has_rdtscp = _core.CLOCK_SOURCE == "rdtsc"
    rdtscp: Reading[float] = not_applicable("rdtscp; lfence", "this processor is not x86-64")
    call: Reading[float] = not_applicable("syscall(clock_gettime)", "only Linux has it as a system call")
    return ReadCosts(
        plain_ns=costs.plain_ns,
        fenced_ns=costs.fenced_ns,
        rdtscp_ns=known(costs.ordered_end_ns, "measured: rdtscp; lfence") if has_rdtscp else rdtscp,
        vdso_ns=costs.library_ns,
        system_call_ns=known(costs.system_call_ns, "measured: syscall(clock_gettime)")
        if costs.system_call_ns > 0.0
        else call,
    )


def clocksource_warnings(clocksource: Reading[str], costs: ReadCosts) -> Iterator[str]:
    """What follows from a clock source other than the processor's counter, or from a vDSO that makes system calls."""
    name, falls_back, cost = clocksource.value, costs.vdso_falls_back, units.time(costs.vdso_ns)
    counter = name in _READ_IN_VDSO
    entering = f"each clock_gettime enters the kernel and takes {cost}, in every program that takes timestamps with it"
    if name is not None and not counter:
        within = f"a clock_gettime takes {cost}"
        if falls_back is False:
            within += ", without entering the kernel"
        yield (
            f"the kernel's clock source is {name}, not the processor's counter: {entering if falls_back else within}; "
            "CLOCK_MONOTONIC_RAW follows it, and so does the frequency measured here ('dmesg | grep -i clocksource' "
            "says why it was chosen)"
        )
    elif falls_back:
        why = (
            "the vDSO makes system calls"
            if name is None
            else f"the vDSO makes system calls although the clock source is {name}"
        )
        yield f"{why}: {entering}"
