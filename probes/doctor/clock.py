"""Is time cheap to read, the same on every CPU, and right?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lowlat import units
from lowlat.probes.clock.counter import Calibration, CounterSkew
from lowlat.probes.doctor.check import Check
from lowlat.probes.doctor.examined_host import ExaminedHost, absent
from lowlat.probes.doctor.finding import MeasuredFigure
from lowlat.probes.doctor.judgment import Judgment, bad, boot, by_hand, good, note, unclear
from lowlat.probes.doctor.knobs import FileCheck
from lowlat.probes.doctor.live_host import TimeState
from lowlat.probes.host.host_tree import parse_integer
from lowlat.probes.reading import Reading, known, not_applicable, unknown
from lowlat.text import is_digits

FAST_SOURCES: Final = ("tsc", "arch_sys_counter")
FAST_IN_GUESTS: Final = ("kvm-clock", "hyperv_clocksource_tsc_page")
"""Clock sources that a program reads without a system call."""
READ_COST_MAX_NS: Final = 100.0
CALIBRATION_APART_PPM: Final = 100.0
"""By how much the kernel's own figure may differ from the calibration."""
_SLACK_DEFAULT_NS: Final = 50_000
_DAEMONS: Final = ("chronyd", "ptp4l", "phc2sys", "ntpd", "systemd-timesyn")


class Clocksource(FileCheck):
    """What the kernel reads the time from."""

    id = "clock-source"
    title = "clock source of the kernel"
    severity = "fail"
    threshold = "tsc (Arm: arch_sys_counter); in guests also kvm-clock or hyperv_clocksource_tsc_page"
    consequence = "each read of the time is a system call: 0.3 to 1 microsecond"
    path = "sys/devices/system/clocksource/clocksource0/current_clocksource"

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """The paravirtual sources are as fast, and exist in guests only."""
        if value in FAST_SOURCES or (host.is_guest and value in FAST_IN_GUESTS):
            return good(value)
        listed = host.tree.text("sys/devices/system/clocksource/clocksource0/available_clocksource") or ""
        if "tsc" in listed.split():
            return bad(value[:40], boot("clocksource=tsc"))
        return bad(value[:40], by_hand("find out why the kernel rejects the TSC (dmesg); tsc=reliable if it is wrong"))


class TscFlags(Check[frozenset[str]]):
    """What the processor promises about its counter."""

    id = "tsc-flags"
    title = "flags of the TSC"
    severity = "fail"
    threshold = "constant_tsc and nonstop_tsc"
    consequence = "the counter's rate changes with frequency and sleep states"
    owner = "hardware"

    def read(self, host: ExaminedHost) -> Reading[frozenset[str]]:
        """The flags of the first processor."""
        source = "read from /proc/cpuinfo"
        for line in (host.tree.text("proc/cpuinfo") or "").splitlines():
            if re.match(r"flags\s*:", line):
                return known(frozenset(line.partition(":")[2].split()), source)
        return not_applicable(source, "it has no line of flags")

    def advise(self, value: frozenset[str], host: ExaminedHost) -> Judgment:
        """A hypervisor, or an older AMD processor, may hide them though the counter is stable."""
        found = [name for name in ("constant_tsc", "nonstop_tsc", "tsc_known_freq", "tsc_reliable") if name in value]
        shown = ", ".join(found) or "none"
        if "constant_tsc" in found and "nonstop_tsc" in found:
            return good(shown)
        if host.is_guest:
            return bad(shown, by_hand("let the hypervisor show them (QEMU: -cpu host,+invtsc)"), status="warn")
        return bad(shown, by_hand("use clock_gettime() instead of the counter"))


class ClockReadCost(Check[Calibration]):
    """What a read of the time costs."""

    id = "clock-read-cost"
    title = "cost of reading the clock"
    severity = "fail"
    threshold = f"clock_gettime below {READ_COST_MAX_NS:g} ns, and far below a system call"
    consequence = "a program that takes timestamps spends its time on them"

    def read(self, host: ExaminedHost) -> Reading[Calibration]:
        """Measured, beside a real system call."""
        live = host.on_live()
        return absent(live) if live.value is None else live.value.calibration

    def advise(self, value: Calibration, host: ExaminedHost) -> Judgment:
        """A library call that costs as much as a system call is one."""
        costs = value.costs
        call_ns = costs.system_call_ns.value
        measured = [MeasuredFigure(round(costs.vdso_ns, 1), "ns for clock_gettime")]
        if call_ns is not None:
            measured.append(MeasuredFigure(round(call_ns, 1), "ns for the same as a system call"))
        if costs.vdso_ns < READ_COST_MAX_NS:
            return good("without a system call", *measured)
        if call_ns is not None and costs.vdso_ns > call_ns / 2:
            return bad("a system call", by_hand("a clock source that the vDSO can read; see clock-source"), *measured)
        return bad("slow", by_hand("measure again on a quiet host; see clock-source"), *measured)


class TscSync(Check[tuple[CounterSkew, ...]]):
    """Whether the counters of all CPUs agree."""

    id = "tsc-synchronization"
    title = "TSC of all CPUs"
    severity = "warn"
    threshold = "no offset beyond what half a round trip can show, and no warp"
    consequence = "negative intervals between threads"
    owner = "hardware"

    def read(self, host: ExaminedHost) -> Reading[tuple[CounterSkew, ...]]:
        """Ping-pong between CPUs."""
        live = host.on_live()
        return absent(live) if live.value is None else live.value.skews

    def advise(self, value: tuple[CounterSkew, ...], host: ExaminedHost) -> Judgment:
        """An offset smaller than its bound is no evidence."""
        warps = sum(skew.warps for skew in value)
        seen = [skew for skew in value if abs(skew.offset_ns) > skew.bound_ns]
        measured = (
            MeasuredFigure(warps, f"warps in {units.counted(len(value), 'pair')} of CPUs"),
            MeasuredFigure(round(max((abs(skew.offset_ns) for skew in value), default=0), 1), "ns, the largest offset"),
        )
        if not seen and not warps:
            return good("in step", *measured)
        cpus = ", ".join(f"{skew.reference_cpu}-{skew.cpu}" for skew in seen[:4]) or "some"
        return bad(
            f"CPUs {cpus} differ",
            by_hand("a firmware that resets TSC_ADJUST; pin threads that compare times"),
            *measured,
        )


@dataclass(frozen=True, slots=True)
class TscVerdict:
    """What the kernel's log says of the counter."""

    complaints: tuple[str, ...]
    refined_mhz: float | None
    calibrated_hz: float | None


class KernelVerdict(Check[TscVerdict]):
    """What the kernel found out about the counter when it started."""

    id = "kernel-clock-verdict"
    title = "the kernel's verdict on the TSC"
    severity = "warn"
    threshold = f"no complaint, and its calibration within {CALIBRATION_APART_PPM:g} ppm of ours"
    consequence = "the kernel does not use the TSC, or time runs at a wrong rate"

    complaint = re.compile(r"Marking TSC unstable.*|.*TSC doesn't count with P0 frequency.*|.*TSC ADJUST.*differs.*")

    def read(self, host: ExaminedHost) -> Reading[TscVerdict]:
        """The kernel's log of this boot."""
        live = host.on_live()
        if live.value is None:
            return absent(live)
        log = live.value.log()
        if log.value is None:
            return absent(log)
        complaints = tuple(line for line in log.value if self.complaint.search(line))
        if not complaints and not any(line.startswith("Linux version") for line in log.value):
            return unknown(log.source, "the log does not reach back to the boot")
        refined = [
            match[1] for line in log.value if (match := re.search(r"Refined TSC.*: ([0-9]{1,6}\.[0-9]{1,6}) MHz", line))
        ]
        calibration = live.value.calibration.value
        verdict = TscVerdict(
            complaints, float(refined[-1]) if refined else None, calibration.frequency_hz if calibration else None
        )
        return known(verdict, log.source)

    def advise(self, value: TscVerdict, host: ExaminedHost) -> Judgment:
        """A complaint of the firmware, or a calibration that ours does not confirm."""
        if value.complaints:
            return bad(
                value.complaints[0][:100], by_hand("update the firmware; see clock-source and tsc-synchronization")
            )
        if value.refined_mhz and value.calibrated_hz:
            apart_ppm = abs(value.refined_mhz * 1e6 / value.calibrated_hz - 1) * 1e6
            text = f"Refined TSC {value.refined_mhz} MHz"
            measured = MeasuredFigure(round(apart_ppm, 1), "ppm apart from our calibration")
            if apart_ppm > CALIBRATION_APART_PPM:
                return bad(text, by_hand("lowlat calibrate --duration 10s tells which is right"), measured)
            return good(text, measured)
        return good("no complaint")


class TimeSync(Check[TimeState]):
    """Whether the time of day is right."""

    id = "time-synchronization"
    title = "time synchronization"
    severity = "warn"
    threshold = "synchronized, by chrony or PTP"
    consequence = "timestamps of two hosts cannot be compared"

    def read(self, host: ExaminedHost) -> Reading[TimeState]:
        """What the kernel says of its clock."""
        live = host.on_live()
        return absent(live) if live.value is None else live.value.time_state()

    def advise(self, value: TimeState, host: ExaminedHost) -> Judgment:
        """In a container it is the host's."""
        pids = [name for name in host.tree.names("proc") if is_digits(name)][:20_000]
        names = {host.tree.text(f"proc/{pid}/comm") for pid in pids}
        running = [name for name in _DAEMONS if name in names]
        daemon = ", ".join(running) or ("no daemon in this container" if host.is_container else "no daemon")
        measured = MeasuredFigure(round(value.frequency_ppm, 3), "ppm of slew")
        if value.synchronized:
            error = units.time(value.max_error_us * 1e3)
            return good(f"synchronized, within {error}; {daemon}", measured)
        fix = by_hand(
            "run chronyd, or ptp4l with phc2sys" + (", on the host of the container" if host.is_container else "")
        )
        return bad(f"not synchronized; {daemon}", fix, measured)


class TimerResolution(Check[float]):
    """How exactly a thread can sleep."""

    id = "timer-slack"
    title = "timer resolution and slack"
    severity = "warn"
    threshold = "a resolution of 1 ns"
    consequence = "a sleep takes a tick longer"

    def read(self, host: ExaminedHost) -> Reading[float]:
        """The step that the kernel states."""
        live = host.on_live()
        return (
            absent(live)
            if live.value is None
            else known(live.value.clock_resolution_ns(), "clock_getres(CLOCK_MONOTONIC)")
        )

    def advise(self, value: float, host: ExaminedHost) -> Judgment:
        """The slack is a default of each thread, which a program can change."""
        slack_ns = parse_integer(host.tree.text("proc/self/timerslack_ns") or "")
        slack = "slack unknown" if slack_ns is None else f"slack {units.time(slack_ns)}"
        shown = f"{value:g} ns, {slack}"
        if value > 1:
            return bad(shown, by_hand("boot without highres=off and nohz=off"))
        if slack_ns is not None and slack_ns >= _SLACK_DEFAULT_NS:
            return note(shown, fix=by_hand("prctl(PR_SET_TIMERSLACK, 1) in threads that sleep, or SCHED_FIFO"))
        return good(shown) if slack_ns is not None else unclear(shown, "/proc/self/timerslack_ns cannot be read")


CHECKS: Final = (
    Clocksource(),
    TscFlags(),
    ClockReadCost(),
    TscSync(),
    KernelVerdict(),
    TimeSync(),
    TimerResolution(),
)
