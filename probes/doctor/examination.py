"""Runs checks on a host, and collects what they found."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from lowlat.bounded import Amount, Count
from lowlat.documents import document_fields
from lowlat.probes.cpu.cpu_sets import Cpus
from lowlat.probes.doctor.check import Check, judge
from lowlat.probes.doctor.counters import compare_counters
from lowlat.probes.doctor.examined_host import ExaminedHost, Purpose
from lowlat.probes.doctor.finding import STATUSES, Finding, Status
from lowlat.probes.doctor.live_host import LiveHost
from lowlat.probes.doctor.other_source import CpuinfoProcess
from lowlat.probes.doctor.registry import Checks, select
from lowlat.probes.host.facts import cpu_brand, kernel_release
from lowlat.probes.host.host_tree import HostTree
from lowlat.probes.host.virtualization import Virtualization
from lowlat.probes.reading import Reading

SCHEMA: Final = "lowlat.doctor/1"
ISOLATION: Final = "isolated-cpus"
"""The check that answers for those that need isolated CPUs where there are none."""
IDENTITY: Final = "processor-identity"
"""The check that asks py-cpuinfo."""


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many checks ended so."""

    status: Annotated[Status, Meta(description="The verdict")]
    checks: Annotated[Count, Meta(description="Checks with this verdict")]


@document_fields(last=("counts", "findings"))
@dataclass(frozen=True, slots=True)
class Examination:
    """How a host is tuned, check by check.

    `counts` has every status, and counts a finding that stands for several checks as one.
    """

    virtualization: Virtualization
    processor: Annotated[Reading[str], Meta(description="The processor's name")]
    kernel_release: Annotated[Reading[str], Meta(description="The kernel's release")]
    profile: Annotated[Purpose, Meta(description="What the host is to be good at")]
    live: Annotated[bool, Meta(description="Whether it is the running host, and not a capture")]
    isolated: Annotated[Cpus, Meta(description="CPUs whose latency counts: isolated ones, and those of --cpus")]
    window_s: Annotated[Amount | None, Meta(description="How long counters were compared, seconds; null: not at all")]
    findings: Annotated[tuple[Finding, ...], Meta(description="What each check found, group by group")]
    schema: Annotated[Literal["lowlat.doctor/1"], Meta(description="Kind and version of the document")] = SCHEMA

    @property
    def counts(self) -> tuple[StatusCount, ...]:
        """How many checks ended in each status, the most urgent first."""
        counted = Counter(finding.status for finding in self.findings)
        return tuple(StatusCount(status, counted[status]) for status in STATUSES)

    def count(self, status: Status) -> int:
        """How many checks ended so."""
        return sum(finding.status == status for finding in self.findings)


def examine_tree(
    tree: HostTree, names: Collection[str] = (), purpose: Purpose = "latency", chosen: Cpus = ()
) -> Examination:
    """Examine a host: the running one takes a second or two if a check compares counters, since it looks at them twice.

    `names`: checks or groups, all without any; `chosen`: CPUs whose latency counts, beside the isolated ones. Raises
    `UsageError` for an unknown name.
    """
    groups = select(names)
    if not tree.is_live:
        return examine(ExaminedHost(tree, purpose=purpose, chosen=chosen), groups)
    asked = any(check.id == IDENTITY for checks in groups.values() for check in checks)
    cpuinfo = CpuinfoProcess() if asked else None
    try:
        host = ExaminedHost(tree, purpose=purpose, chosen=chosen, live=LiveHost(cpuinfo))
        paths = [path for _, check, _ in _judged(host, groups) for path in check.counters(host)]
        host.counters = compare_counters(tree, paths) if paths else None
        return examine(host, groups)
    finally:
        if cpuinfo is not None:
            cpuinfo.stop()


def examine(host: ExaminedHost, groups: Mapping[str, Checks]) -> Examination:
    """Judge each check on a host whose counters were compared before."""
    return Examination(
        virtualization=host.virtualization,
        processor=cpu_brand(host.tree),
        kernel_release=kernel_release(host.tree),
        profile=host.purpose,
        live=host.live is not None,
        isolated=host.isolated,
        window_s=host.counters.seconds if host.counters else None,
        findings=tuple(_findings(host, groups)),
    )


def _findings(host: ExaminedHost, groups: Mapping[str, Checks]) -> Iterator[Finding]:
    for group, check, stands_for in _judged(host, groups):
        yield dataclasses.replace(judge(check, group, host), stands_for=stands_for)


def _judged(host: ExaminedHost, groups: Mapping[str, Checks]) -> Iterator[tuple[str, Check[Any], tuple[str, ...]]]:
    """Each check with its group; without isolated CPUs, one for all checks that need some, with their names."""
    needing = tuple(check.id for checks in groups.values() for check in checks if check.needs == "isolated CPUs")
    answered = {ISOLATION, *needing} if needing and not host.isolated else set()
    told = False
    for group, checks in groups.items():
        for check in checks:
            if check.id not in answered:
                yield group, check, ()
            elif not told:
                told = True
                yield group, _isolation(), needing


def _isolation() -> Check[Any]:
    return next(check for checks in select([ISOLATION]).values() for check in checks)
