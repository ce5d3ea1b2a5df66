"""Does this process get the CPU time that it asks for?"""

from __future__ import annotations

import re
from typing import Final

from lowlat import units
from lowlat.probes.cpu.cpu_sets import CpuSets
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.doctor.check import Check
from lowlat.probes.doctor.examined_host import NOT_CAPTURED, ExaminedHost
from lowlat.probes.doctor.finding import MeasuredFigure
from lowlat.probes.doctor.judgment import Judgment, bad, by_hand, good, note, unclear
from lowlat.probes.host.cgroup import CpuQuota, cpu_groups, cpu_quota
from lowlat.probes.host.host_tree import parse_integer
from lowlat.probes.reading import Reading, known, not_applicable

_STAT: Final = "proc/stat"
_TICK_MS: Final = 10
"""USER_HZ is 100 on every architecture that is supported here."""
_STEAL_FIELD: Final = 8  # of a line of /proc/stat, the CPU's name being field 0
PRESSURE_MAX_PERCENT: Final = 1.0


class CpuQuotaCheck(Check[CpuQuota]):
    """The limit of a container: the check that matters most there."""

    id = "cpu-quota"
    title = "CPU quota of the control group"
    severity = "fail"
    threshold = "no limit in this group and all above it, and no throttling"
    consequence = "the whole group is stopped for up to 100 ms"

    def counters(self, host: ExaminedHost) -> tuple[str, ...]:
        """The counts of throttled periods."""
        return tuple(f"{folder}/cpu.stat" for folder in cpu_groups(host.tree))

    def read(self, host: ExaminedHost) -> Reading[CpuQuota]:
        """The tightest limit of the group and its ancestors."""
        return cpu_quota(host.tree)

    def measure(self, host: ExaminedHost) -> tuple[MeasuredFigure, ...]:
        """How often a group was throttled."""
        if host.counters is None:
            return ()
        grown = [host.counters.named(path).get("nr_throttled") for path in self.counters(host)]
        counted = [count for count in grown if count is not None]
        return (MeasuredFigure(sum(counted), f"throttled periods in {host.counters.seconds:.2g} s"),) if counted else ()

    def advise(self, value: CpuQuota, host: ExaminedHost) -> Judgment:
        """Any limit throttles a thread that spins for as long as it lasts."""
        if value.cpus is None:
            return good("no limit")
        fix = by_hand("remove the limit (--cpus, limits.cpu, CPUQuota=) and give it a cpuset")
        return bad(f"{value.quota_us} us in each {value.period_us} us", fix)


class AllowedCpus(Check[CpuSets]):
    """The CPUs that this process may use at all."""

    id = "allowed-cpus"
    title = "allowed CPUs"
    severity = "warn"
    threshold = "more than one CPU, and all those of --cpus"
    consequence = "threads share CPUs; os.cpu_count() and psutil count those that are not allowed too"

    def read(self, host: ExaminedHost) -> Reading[CpuSets]:
        """Affinity and cpuset."""
        sets = host.sets
        source = f"{sets.affinity.source}; {sets.cpuset.source}"
        if sets.affinity.value is None and sets.cpuset.value is None:
            return Reading(None, source, sets.affinity.reason, sets.affinity.applicable)
        return known(sets, source)

    def advise(self, value: CpuSets, host: ExaminedHost) -> Judgment:
        """Isolated CPUs are in no inherited affinity, and may be used."""
        allowed = set(value.allowed)
        memory = re.search(r"^Mems_allowed_list:\s*(\S{1,80})", host.tree.text("proc/self/status") or "", re.MULTILINE)
        nodes = f", memory of node {memory[1]}" if memory else ""
        text = f"CPU {format_cpu_list(allowed) or 'none'} of {len(host.online)} online{nodes}"
        missing = set(host.chosen) - allowed
        fix = by_hand("widen the cpuset or the affinity of who starts it")
        if missing:
            return bad(f"{text}; not CPU {format_cpu_list(missing)}", fix)
        if len(allowed) < 2 <= len(host.online):
            return bad(text, fix)
        return good(text) if len(allowed) >= len(host.online) else note(text)


class Steal(Check[str]):
    """Time in which the hypervisor ran something else."""

    id = "steal"
    title = "stolen time"
    severity = "fail"
    needs = "a guest"
    threshold = "none while counters are compared; a hypervisor may report less than it takes"
    consequence = "the virtual CPU does not run"

    def counters(self, host: ExaminedHost) -> tuple[str, ...]:
        """The time of each CPU, by kind."""
        return (_STAT,)

    def read(self, host: ExaminedHost) -> Reading[str]:
        """The time of each CPU since boot."""
        text = host.tree.reading(_STAT)
        if text.value is not None and not stolen_ticks(text.value):
            return not_applicable(text.source, "/proc/stat has no column for stolen time")
        return text

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """What was stolen since boot is history; the second that was measured counts."""
        ticks = stolen_ticks(value)
        history = f"{sum(ticks.values()) * _TICK_MS / 1e3:,.0f} s since boot"
        window = host.window(_STAT)
        if window.value is None:
            return unclear(history, window.reason or NOT_CAPTURED)
        before, after = (stolen_ticks(text) for text in window.value.pair(_STAT) or ("", ""))
        grown = {
            cpu: after[cpu] - before[cpu] for cpu in host.judged if cpu in before and after.get(cpu, 0) >= before[cpu]
        }
        if not grown:
            return unclear(history, "no CPU was counted twice")
        worst = max(grown, key=lambda cpu: grown[cpu])
        measured = MeasuredFigure(
            grown[worst] * _TICK_MS, f"ms stolen from CPU {worst} in {window.value.seconds:.2g} s"
        )
        if not grown[worst]:
            return good(history, measured)
        return bad(history, by_hand("a dedicated host, or virtual CPUs pinned to their own"), measured)


def stolen_ticks(text: str) -> dict[int, int]:
    """Ticks stolen from each CPU, from `/proc/stat`."""
    found = {}
    for line in text.splitlines():
        fields = line.split()
        match = re.fullmatch(r"cpu([0-9]{1,5})", fields[0]) if fields else None
        ticks = parse_integer(fields[_STEAL_FIELD]) if match and len(fields) > _STEAL_FIELD else None
        if match and ticks is not None and ticks >= 0:
            found[int(match[1])] = ticks
    return found


class CpuPressure(Check[str]):
    """Whether tasks wait for a CPU right now."""

    id = "cpu-pressure"
    title = "CPU pressure"
    severity = "warn"
    threshold = f"tasks wait for less than {PRESSURE_MAX_PERCENT:g}% of the time (some avg10)"
    consequence = "others compete for the CPUs now: figures measured now are void"

    def read(self, host: ExaminedHost) -> Reading[str]:
        """The pressure of the container's own group, else of the host; without it, the load."""
        groups = [f"{folder}/cpu.pressure" for folder in cpu_groups(host.tree)[:1]] if host.is_container else []
        for path in (*groups, "proc/pressure/cpu", "proc/loadavg"):
            found = host.tree.reading(path)
            if found.value is not None:
                return found
        return found

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """A load above the number of CPUs means the same as pressure, with less detail."""
        fix = by_hand("stop the neighbors, or wait")
        match = re.search(r"^some avg10=([0-9]{1,3}\.[0-9]{1,4})", value, re.MULTILINE)
        if match is not None:
            text = f"{float(match[1]):g}% of the last 10 s"
            return good(text) if float(match[1]) < PRESSURE_MAX_PERCENT else bad(text, fix)
        load = re.match(r"([0-9]{1,6}\.[0-9]{1,4}) ", value)
        if load is None:
            return unclear(value[:40], "the file holds neither pressure nor load")
        text = f"load {load[1]} on {units.counted(len(host.online), 'CPU')}; the kernel counts no pressure"
        return (
            bad(text, fix) if float(load[1]) > len(host.online) else unclear(text, "a low load does not rule out waits")
        )


CHECKS: Final = (CpuQuotaCheck(), AllowedCpus(), Steal(), CpuPressure())
