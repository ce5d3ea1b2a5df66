"""What may this process do? Rights are tried, and undone: they cannot be inferred."""

from __future__ import annotations

from typing import Final

from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.doctor.check import Check
from lowlat.probes.doctor.examined_host import ExaminedHost, absent
from lowlat.probes.doctor.judgment import Judgment, bad, by_hand, good, note
from lowlat.probes.doctor.registers import register_path
from lowlat.probes.reading import Reading, known

RT_PRIORITY_WANTED: Final = 80
_CAP_SYS_NICE: Final = 23


class RtRight(Check[bool]):
    """Whether a thread of this user may have real-time priority."""

    id = "real-time-priority"
    title = "right to real-time priority"
    severity = "warn"
    threshold = "SCHED_FIFO works when tried; RLIMIT_RTPRIO 80 or more, or CAP_SYS_NICE"
    consequence = "the thread competes with every other one"

    def read(self, host: ExaminedHost) -> Reading[bool]:
        """Tried at the lowest priority, and undone: root without a budget of its group is refused too."""
        live = host.on_live()
        return absent(live) if live.value is None else live.value.try_fifo()

    def advise(self, value: bool, host: ExaminedHost) -> Judgment:
        """Where it works, the limit says up to which priority."""
        limit = host.live.limit("RLIMIT_RTPRIO").value if host.live else None
        nice = host.has_capability(_CAP_SYS_NICE)
        shown = f"RLIMIT_RTPRIO {'unlimited' if limit == -1 else limit}, CAP_SYS_NICE {'yes' if nice else 'no'}"
        fix = by_hand("rtprio in limits.conf, LimitRTPRIO=, or --cap-add SYS_NICE")
        if not value:
            budget = "; the control group has no real-time budget (cpu.rt_runtime_us)" if nice else ""
            return bad(f"refused; {shown}{budget}", fix)
        if nice or limit == -1 or (limit or 0) >= RT_PRIORITY_WANTED:
            return good(f"works; {shown}")
        return bad(f"works up to priority {limit}", fix)


class AffinityRight(Check[dict[int, str | None]]):
    """Whether this process can be pinned to the CPUs that count."""

    id = "affinity-right"
    title = "right to pin threads"
    severity = "warn"
    threshold = "every wanted CPU can be set, and is read back"
    consequence = "threads run elsewhere; a cpuset drops CPUs without a word"

    def read(self, host: ExaminedHost) -> Reading[dict[int, str | None]]:
        """Tried for each wanted CPU, read back, undone."""
        live = host.on_live()
        return absent(live) if live.value is None else live.value.try_affinity(host.isolated or host.sets.allowed)

    def advise(self, value: dict[int, str | None], host: ExaminedHost) -> Judgment:
        """Each refusal has its cause."""
        refused = {cpu: why for cpu, why in value.items() if why is not None}
        if not refused:
            return good(f"works for CPU {format_cpu_list(value)}")
        why = next(iter(refused.values()))
        return bad(
            f"refused for CPU {format_cpu_list(refused)}: {why}", by_hand("a cpuset or seccomp profile that allows it")
        )


class MeasuringRights(Check[dict[str, str]]):
    """What could be measured with more rights."""

    id = "measuring-rights"
    title = "rights to measure"
    severity = "info"
    threshold = "perf_event_paranoid 1 or less; registers and tracefs readable"
    consequence = "fewer causes of latency can be named"

    paranoid = "proc/sys/kernel/perf_event_paranoid"

    def read(self, host: ExaminedHost) -> Reading[dict[str, str]]:
        """Each of them, with what it would add."""
        cpu = host.online[0] if host.online else 0
        found = {}
        text = host.tree.text(self.paranoid)
        level = host.tree.integer(self.paranoid)
        if level is None or level > 1:
            found[f"perf_event_paranoid {text or 'absent'}"] = "counters of the processor in the kernel"
        if not host.tree.exists(register_path(cpu)):
            found["no registers (msr)"] = "SMIs and turbo"
        if not host.tree.names("sys/kernel/tracing"):
            found["no tracefs"] = "the cause of each gap"
        return known(found, f"read from /{self.paranoid}, /{register_path(cpu)}, /sys/kernel/tracing")

    def advise(self, value: dict[str, str], host: ExaminedHost) -> Judgment:
        """Each says what it would add."""
        if not value:
            return good("all")
        return note("; ".join(f"{what}: would show {adds}" for what, adds in value.items()))


class CoreDumps(Check[dict[str, int]]):
    """Limits of core dumps and open files."""

    id = "process-limits"
    title = "core dumps and open files"
    severity = "info"
    threshold = "as designed"
    consequence = "a crash writes gigabytes while the others wait; or a connection too many is refused"

    def read(self, host: ExaminedHost) -> Reading[dict[str, int]]:
        """Both limits."""
        live = host.on_live()
        if live.value is None:
            return absent(live)
        limits = {name: live.value.limit(f"RLIMIT_{name}").value for name in ("CORE", "NOFILE")}
        return known({name: value for name, value in limits.items() if value is not None}, "getrlimit")

    def advise(self, value: dict[str, int], host: ExaminedHost) -> Judgment:
        """Only told."""
        return note(", ".join(f"RLIMIT_{name} {'unlimited' if n == -1 else n}" for name, n in value.items()))


CHECKS: Final = (RtRight(), AffinityRight(), MeasuringRights(), CoreDumps())
