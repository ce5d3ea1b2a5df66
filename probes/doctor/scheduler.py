"""What does the scheduler do to a busy thread, and what did it do just now?"""

from __future__ import annotations

import re
from typing import Final

from lowlat import units
from lowlat.probes.cpu.cpu_sets import cpus_of_list
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.doctor.check import Check
from lowlat.probes.doctor.examined_host import ExaminedHost
from lowlat.probes.doctor.judgment import Judgment, bad, boot, by_hand, good, note, sysctl, together, unclear, write
from lowlat.probes.doctor.knobs import FileCheck, SysctlCheck
from lowlat.probes.host.facts import kernel_release
from lowlat.probes.reading import Reading, known, unknown

_FAIR_SERVER: Final = "sys/kernel/debug/sched/fair_server"
_FAIR_SERVER_SINCE: Final = (6, 12)


def kernel_version(host: ExaminedHost) -> tuple[int, int] | None:
    """Major and minor number of the kernel; None if its release has none."""
    match = re.match(r"([0-9]{1,4})\.([0-9]{1,4})", kernel_release(host.tree).value or "")
    return None if match is None else (int(match[1]), int(match[2]))


class RtThrottling(FileCheck):
    """Whether a busy real-time thread loses its CPU now and then."""

    id = "rt-throttling"
    title = "throttling of real-time threads"
    severity = "warn"
    threshold = "sched_rt_runtime_us is -1, and no fair server takes time"
    consequence = "a spinning FIFO thread loses 50 ms of each second"
    path = "proc/sys/kernel/sched_rt_runtime_us"

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """Since 6.12, the fair server takes time from real-time threads too."""
        if value != "-1":
            return bad(f"{value[:20]} us in each period", sysctl("kernel.sched_rt_runtime_us", "-1", value))
        servers = {cpu: host.tree.text(f"{_FAIR_SERVER}/cpu{cpu}/runtime") for cpu in host.judged}
        taking = {cpu: text for cpu, text in servers.items() if text not in (None, "0")}
        if taking:
            fix = together(write(f"{_FAIR_SERVER}/cpu{cpu}/runtime", "0", str(text)) for cpu, text in taking.items())
            return bad(f"-1, but a fair server takes time on CPU {format_cpu_list(taking)}", fix)
        version = kernel_version(host)
        if None in servers.values() and version is not None and version >= _FAIR_SERVER_SINCE:
            return unclear("-1", f"/{_FAIR_SERVER} cannot be read: needs root and a mounted debugfs")
        return good("-1")


class PreemptionModel(FileCheck):
    """How soon the kernel lets a woken thread run."""

    id = "preemption"
    title = "preemption model"
    severity = "warn"
    threshold = "PREEMPT_RT, or full preemption; a thread that only spins needs neither"
    consequence = "a woken thread waits until a system call of another one ends"
    path = "proc/version"

    switch = "sys/kernel/debug/sched/preempt"

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """A kernel with PREEMPT_DYNAMIC says only in debugfs which model it uses."""
        if host.tree.text("sys/kernel/realtime") == "1" or "PREEMPT_RT" in value:
            return good("PREEMPT_RT")
        if "PREEMPT_DYNAMIC" in value:
            return self._dynamic(host)
        if re.search(r"\bPREEMPT\b", value):
            return good("full")
        return bad("none or voluntary", by_hand("install a kernel with CONFIG_PREEMPT_DYNAMIC or PREEMPT_RT"))

    def _dynamic(self, host: ExaminedHost) -> Judgment:
        switch = host.tree.reading(self.switch)
        selected = re.search(r"\((\w{1,20})\)", switch.value or "")
        model = selected[1] if selected else host.parameters.get("preempt")
        if model is None:
            return unclear("PREEMPT_DYNAMIC", f"{switch.reason or switch.source}: needs root and a mounted debugfs")
        if model == "full":
            return good("PREEMPT_DYNAMIC, full")
        fix = write(self.switch, "full", model) if selected else boot("preempt=full")
        return bad(f"PREEMPT_DYNAMIC, {model}", fix)


class Watchdogs(FileCheck):
    """Whether lockup detectors interrupt the isolated CPUs."""

    id = "watchdogs"
    title = "lockup watchdogs"
    severity = "warn"
    threshold = "nmi_watchdog 0; watchdog_cpumask without the isolated CPUs"
    consequence = "an NMI and a timer on each CPU"
    path = "proc/sys/kernel/nmi_watchdog"

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """`watchdog` 0 turns both off; `nosoftlockup` the soft one."""
        enabled = host.tree.text("proc/sys/kernel/watchdog")
        mask_text = host.tree.text("proc/sys/kernel/watchdog_cpumask")
        watched = cpus_of_list(mask_text or "") or ()
        soft_on = enabled != "0" and "nosoftlockup" not in host.parameters
        caught = sorted(set(watched).intersection(host.isolated)) if soft_on else []
        fixes, found = [], []
        if value != "0" and enabled != "0":
            found.append(f"nmi_watchdog {value[:20]}")
            fixes.append(sysctl("kernel.nmi_watchdog", "0", value))
        if caught:
            kept = format_cpu_list(set(watched) - set(caught))
            found.append(f"the soft watchdog is on CPU {format_cpu_list(caught)}")
            fixes.append(sysctl("kernel.watchdog_cpumask", kept, str(mask_text)) if kept else boot("nosoftlockup"))
        if found:
            return bad("; ".join(found), together(fixes))
        if soft_on and host.isolated and not watched:
            return unclear("nmi_watchdog 0", "/proc/sys/kernel/watchdog_cpumask cannot be read")
        return good("off" if enabled == "0" else f"nmi_watchdog 0, soft watchdog on CPU {mask_text or 'unknown'}")


class TimerMigration(SysctlCheck):
    """Whether timers of idle CPUs move to busy ones."""

    id = "timer-migration"
    title = "timer migration"
    severity = "warn"
    needs = "isolated CPUs"
    threshold = "0"
    consequence = "timers of idle CPUs are pulled to the busy one"
    sysctl = "kernel.timer_migration"
    set_to = "0"

    def is_good(self, number: int, host: ExaminedHost) -> bool:
        """Off."""
        return number == 0


class VmstatInterval(SysctlCheck):
    """How often each CPU sums up its counters of memory."""

    id = "vmstat-interval"
    title = "interval of vmstat"
    severity = "warn"
    threshold = "10 s or more"
    consequence = "a kernel worker on each CPU each second"
    sysctl = "vm.stat_interval"
    set_to = "10"
    unit = " s"

    def is_good(self, number: int, host: ExaminedHost) -> bool:
        """As tuned's network-latency."""
        return number >= 10


class Autogroup(SysctlCheck):
    """Whether tasks are grouped by session, so that nice values count within a session only."""

    id = "autogroup"
    title = "autogroup"
    severity = "info"
    threshold = "0"
    consequence = "nice values do not count between sessions"
    sysctl = "kernel.sched_autogroup_enabled"
    set_to = "0"

    def is_good(self, number: int, host: ExaminedHost) -> bool:
        """Off."""
        return number == 0


class TickParameters(Check[str]):
    """Boot parameters against lock convoys at the tick."""

    id = "tick-parameters"
    title = "boot parameters of tick, TSC and RCU"
    severity = "info"
    threshold = "skew_tick=1 tsc=reliable rcupdate.rcu_normal_after_boot=1 rcutree.nohz_full_patience_delay=1000"
    consequence = "CPUs take the same locks at the same tick"

    def read(self, host: ExaminedHost) -> Reading[str]:
        """The kernel's command line."""
        return host.tree.reading("proc/cmdline")

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """Those that tuned's network-latency sets."""
        wanted = dict(each.split("=") for each in self.threshold.split())
        missing = [f"{name}={text}" for name, text in wanted.items() if host.parameters.get(name) != text]
        if not missing:
            return good("all set")
        return note(f"{len(missing)} of {len(wanted)} not set", fix=boot(" ".join(missing)))


class Tracing(Check[dict[str, str]]):
    """Whether the kernel records or counts more than usual."""

    id = "tracing"
    title = "tracing and statistics"
    severity = "warn"
    threshold = "current_tracer nop, no event on; bpf_stats_enabled, sched_schedstats, task_delayacct 0"
    consequence = "hooks in hot paths of the kernel"

    counted = ("bpf_stats_enabled", "sched_schedstats", "task_delayacct")
    folders = ("sys/kernel/tracing", "sys/kernel/debug/tracing")

    def read(self, host: ExaminedHost) -> Reading[dict[str, str]]:
        """The sysctls; tracefs is looked at if it is mounted."""
        source = "read from /proc/sys/kernel and /sys/kernel/tracing"
        found = {name: text for name in self.counted if (text := host.tree.text(f"proc/sys/kernel/{name}"))}
        tracer = self._tracer(host)
        return known(found, source) if found or tracer.value else unknown(source, tracer.reason or "")

    def _tracer(self, host: ExaminedHost) -> Reading[str]:
        readings = [host.tree.reading(f"{folder}/current_tracer") for folder in self.folders]
        found = next((reading for reading in readings if reading.value), None)
        if found is None and not readings[0].applicable:
            return unknown(readings[0].source, "tracefs is not mounted")
        return found or readings[0]

    def advise(self, value: dict[str, str], host: ExaminedHost) -> Judgment:
        """Everything is to be off."""
        fixes, found = [], []
        for name, text in value.items():
            if text != "0":
                found.append(f"{name} {text[:20]}")
                fixes.append(sysctl(f"kernel.{name}", "0", text))
        tracer = self._tracer(host)
        path = tracer.source.removeprefix("read from /")
        if tracer.value not in (None, "nop"):
            found.append(f"tracer {str(tracer.value)[:30]}")
            fixes.append(write(path, "nop", str(tracer.value)))
        events = host.tree.text(path.replace("current_tracer", "set_event"))
        if events:
            found.append(f"{units.counted(len(events.splitlines()), 'trace event')} on")
            fixes.append(by_hand("turn the trace events off, or stop who traces"))
        if found:
            return bad("; ".join(found), together(fixes))
        return good("nop, 0") if tracer.value else unclear("0", tracer.reason or "")


class DebugKernel(Check[str]):
    """Whether the kernel is built for finding its own faults."""

    id = "debug-kernel"
    title = "debug options of the kernel"
    severity = "info"
    threshold = "none of PROVE_LOCKING, KASAN, DEBUG_PREEMPT, SLUB_DEBUG_ON"
    consequence = "system calls take up to ten times as long"

    options = ("PROVE_LOCKING", "KASAN", "DEBUG_PREEMPT", "SLUB_DEBUG_ON")

    def read(self, host: ExaminedHost) -> Reading[str]:
        """The configuration that the kernel was built with."""
        packed, tree = "proc/config.gz", host.tree
        try:
            text = _unpacked(tree.read_bytes(packed))
        except OSError:
            text = None
        if text is not None:
            return known(text, f"read from /{packed}")
        release = kernel_release(host.tree).value or ""
        path = f"boot/config-{release}" if re.fullmatch(r"[\w.+~-]{1,128}", release) else "boot/config"
        found = host.tree.reading(path)
        if found.value is not None:
            return found
        return unknown(
            f"read from /{packed}, /{path}", (found.reason or "") if found.applicable else "neither file exists"
        )

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """The rate of the tick is told too."""
        lines = set(value.splitlines())
        rate = re.search(r"^CONFIG_HZ=([0-9]{1,6})$", value, re.MULTILINE)
        hz = f"HZ={rate[1]}" if rate else "HZ unknown"
        if not any(line.startswith("CONFIG_") for line in lines):
            return unclear("", "the file has no CONFIG_ line")
        found = [name for name in self.options if f"CONFIG_{name}=y" in lines]
        return bad(f"{', '.join(found)}; {hz}", by_hand("another kernel")) if found else good(hz)


def _unpacked(content: bytes) -> str | None:
    """The text of a gzip file; None if it is damaged or too large."""
    import io
    from pathlib import Path

    from lowlat.compression import Bound, chunks
    from lowlat.errors import LowlatError
    from lowlat.limits import TREE_FILE_BYTES_MAX

    try:
        parts = list(chunks(Path("config.gz"), io.BytesIO(content), ".gz", Bound(TREE_FILE_BYTES_MAX)))
    except LowlatError:
        return None
    return b"".join(parts).decode("utf-8", "replace")


CHECKS: Final = (
    RtThrottling(),
    PreemptionModel(),
    Watchdogs(),
    TimerMigration(),
    VmstatInterval(),
    Autogroup(),
    TickParameters(),
    Tracing(),
    DebugKernel(),
)
