"""Which interrupts can reach the CPUs whose latency counts, and which did."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lowlat import units
from lowlat.probes.cpu.cpu_sets import Cpus, cpus_of_list
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.doctor.check import Check
from lowlat.probes.doctor.counters import CounterWindow, InterruptRow, interrupt_rows, is_timer, row_differences
from lowlat.probes.doctor.examined_host import ExaminedHost
from lowlat.probes.doctor.finding import Fix, MeasuredFigure
from lowlat.probes.doctor.isolation import INTERRUPTS, advise_masks
from lowlat.probes.doctor.judgment import Judgment, bad, boot, by_hand, good, note, together, unclear, write
from lowlat.probes.doctor.knobs import FileCheck
from lowlat.probes.reading import Reading, known, not_applicable, unknown
from lowlat.text import is_digits

SOFTIRQS: Final = "proc/softirqs"
TIMER_RATE_MAX: Final = 2.0
"""Timer interrupts a second that full dynticks leaves on a busy CPU."""
_PROCESSES_MAX: Final = 20_000
_SHOWN_MAX: Final = 3
_BANNED: Final = ("etc/default/irqbalance", "etc/sysconfig/irqbalance")


class Irqbalance(Check[bool]):
    """Whether a daemon moves interrupts around."""

    id = "irqbalance"
    title = "irqbalance"
    severity = "warn"
    threshold = "it does not run, or isolated CPUs are banned"
    consequence = "it moves interrupts back onto the CPUs that were cleared of them"

    def read(self, host: ExaminedHost) -> Reading[bool]:
        """Whether a process of this name runs."""
        source = "read from /proc/*/comm"
        pids = [name for name in host.tree.names("proc") if is_digits(name)][:_PROCESSES_MAX]
        names = {host.tree.text(f"proc/{pid}/comm") for pid in pids}
        if "irqbalance" in names:
            return known(True, source)
        if host.tree.text("proc/1/comm") is None:
            return unknown(source, "/proc does not show the processes of others (hidepid, or a capture without them)")
        return known(False, source)

    def advise(self, value: bool, host: ExaminedHost) -> Judgment:
        """A container does not see the processes of its host."""
        if not value and host.is_container:
            return unclear("not in this container", "a container does not see the processes of its host")
        if not value:
            return good("not running")
        text = "\n".join(filter(None, (host.tree.text(path) for path in _BANNED)))
        match = re.search(r"^\s*IRQBALANCE_BANNED_CPULIST=[\"']?([0-9,:/-]{1,4096})", text, re.MULTILINE)
        banned = cpus_of_list(match[1]) if match else None
        exposed = sorted(set(host.isolated) - set(banned or ()))
        if host.isolated and not exposed:
            return good(f"running, with CPU {format_cpu_list(host.isolated)} banned")
        fix = by_hand(f"systemctl disable --now irqbalance, or IRQBALANCE_BANNED_CPULIST in /{_BANNED[0]}")
        return bad(f"running, CPU {format_cpu_list(exposed)} not banned" if exposed else "running", fix)


class DefaultIrqMask(FileCheck):
    """Where new interrupts go."""

    id = "default-irq-affinity"
    title = "default mask of interrupts"
    severity = "fail"
    needs = "isolated CPUs"
    threshold = "no isolated CPU in the mask"
    consequence = "new interrupts land on the isolated CPUs"
    path = "proc/irq/default_smp_affinity"

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """A hexadecimal mask."""
        return advise_masks({self.path: value}, host, f"mask {value}")


@dataclass(frozen=True, slots=True)
class IrqAffinity:
    """An interrupt, and the CPUs it goes to; None if that cannot be read."""

    irq: int
    device: str
    cpus: Cpus | None
    path: str
    allowed: str


class IrqAffinities(Check[tuple[IrqAffinity, ...]]):
    """Where each interrupt goes."""

    id = "irq-affinity"
    title = "affinity of each interrupt"
    severity = "fail"
    needs = "isolated CPUs"
    threshold = "no interrupt goes to an isolated CPU"
    consequence = "2 to 20 microseconds for each interrupt"

    def read(self, host: ExaminedHost) -> Reading[tuple[IrqAffinity, ...]]:
        """The effective affinity of each interrupt, else the allowed one."""
        source = "read from /proc/irq/*/{effective_affinity_list,smp_affinity_list}"
        rows = interrupt_rows(host.tree.text(INTERRUPTS) or "")
        irqs = [name for name in host.tree.names("proc/irq") if is_digits(name) and len(name) <= 6]
        found = tuple(_affinity_of(host, irq, rows.get(irq)) for irq in irqs)
        return known(found, source) if found else not_applicable(source, "/proc/irq has no interrupts")

    def advise(self, value: tuple[IrqAffinity, ...], host: ExaminedHost) -> Judgment:
        """The kernel refuses to move a managed one (EIO)."""
        isolated = set(host.isolated)
        wrong = [each for each in value if each.cpus and isolated.intersection(each.cpus)]
        if wrong:
            listed = ", ".join(f"{each.irq} {each.device}".strip() for each in wrong[:_SHOWN_MAX])
            more = f", and {len(wrong) - _SHOWN_MAX} more" if len(wrong) > _SHOWN_MAX else ""
            return bad(f"{len(wrong)} of {len(value)}: {listed}{more}", self._fix(wrong, host))
        unread = [each for each in value if each.cpus is None]
        if unread:
            return unclear(
                f"{len(unread)} of {len(value)}", f"the affinity of interrupt {unread[0].irq} cannot be read"
            )
        return good(f"{units.counted(len(value), 'interrupt')}, none on CPU {format_cpu_list(isolated)}")

    def _fix(self, wrong: list[IrqAffinity], host: ExaminedHost) -> Fix:
        kept = format_cpu_list(set(host.online) - set(host.isolated))
        if not kept:
            return by_hand("leave a CPU for interrupts")
        fix = together(write(each.path, kept, each.allowed) for each in wrong if each.allowed)
        if fix is None:
            return boot(f"irqaffinity={kept}")
        summary = f"echo {kept} > each smp_affinity_list; where it answers EIO, boot with isolcpus=managed_irq,LIST"
        return Fix(summary, fix.commands, fix.undo)


def _affinity_of(host: ExaminedHost, irq: str, row: InterruptRow | None) -> IrqAffinity:
    folder = f"proc/irq/{irq}"
    allowed = host.tree.text(f"{folder}/smp_affinity_list") or ""
    text = host.tree.text(f"{folder}/effective_affinity_list") or allowed
    cpus = cpus_of_list(text) if text else None
    return IrqAffinity(int(irq), row.device if row else "", cpus, f"{folder}/smp_affinity_list", allowed)


class InterruptsMeasured(Check[CounterWindow]):
    """What interrupted the isolated CPUs: the truth that the other checks only predict."""

    id = "interrupts"
    title = "interrupts on the isolated CPUs"
    severity = "fail"
    needs = "isolated CPUs"
    threshold = f"at most {TIMER_RATE_MAX:g} timer interrupts a second, and no others"
    consequence = "each interrupt takes the CPU away for one to twenty microseconds"

    def counters(self, host: ExaminedHost) -> tuple[str, ...]:
        """All interrupts and softirqs."""
        return (INTERRUPTS, SOFTIRQS)

    def read(self, host: ExaminedHost) -> Reading[CounterWindow]:
        """The counts at both ends of a second."""
        return host.window(INTERRUPTS)

    def advise(self, value: CounterWindow, host: ExaminedHost) -> Judgment:
        """Each row counts, the timer as a rate."""
        timer, others, seen = {}, {}, False
        for path in (INTERRUPTS, SOFTIRQS):
            for row in row_differences(value, path).values():
                counts = {cpu: row.counts[cpu] for cpu in host.isolated if cpu in row.counts}
                seen = seen or bool(counts)
                if is_timer(row):
                    timer.update(counts)
                elif most := max(counts.values(), default=0):
                    others[f"{row.label} softirq" if path == SOFTIRQS else row.label] = most
        if not seen:
            return unclear("", f"/{INTERRUPTS} has no column of these CPUs")
        rate = max(timer.values(), default=0) / value.seconds
        ranked = sorted(others.items(), key=lambda item: -item[1])
        measured = [MeasuredFigure(round(rate, 1), "timer interrupts a second")]
        measured += [MeasuredFigure(count, f"{name} in {value.seconds:.2g} s") for name, count in ranked[:_SHOWN_MAX]]
        more = f"{len(ranked)} other sources" if len(ranked) > 1 else f"{len(ranked)} other source"
        if rate > TIMER_RATE_MAX or ranked:
            fix = by_hand("see nohz-full, irq-affinity, workqueues and other-tasks")
            return bad(f"the timer and {more}" if rate > TIMER_RATE_MAX else more, fix, *measured)
        return good("quiet", *measured)


class McePolling(Check[str]):
    """Whether the kernel polls for hardware errors."""

    id = "machine-check-polling"
    title = "polling for machine checks"
    severity = "warn"
    needs = "isolated CPUs"
    threshold = "check_interval 0, or ignore_ce 1"
    consequence = "tens of microseconds on each CPU every five minutes"
    owner = "hardware"

    folder = "sys/devices/system/machinecheck/machinecheck0"

    def read(self, host: ExaminedHost) -> Reading[str]:
        """The interval, in seconds."""
        return host.tree.reading(f"{self.folder}/check_interval")

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """Corrected errors that are ignored are not polled for."""
        path = f"{self.folder}/check_interval"
        if value == "0" or host.tree.text(f"{self.folder}/ignore_ce") == "1":
            return good("off")
        seconds = host.tree.integer(path)
        if seconds is None:
            return unclear(value[:40], f"/{path} holds no number")
        return bad(f"every {seconds} s", write(path, "0", value))


class ThreadedIrqs(Check[str]):
    """Whether interrupts run in threads, which have priorities."""

    id = "threaded-irqs"
    title = "threaded interrupts"
    severity = "info"
    needs = "isolated CPUs"
    threshold = "as designed"
    consequence = "a thread with a higher priority delays interrupts; one with a lower is delayed by them"

    def read(self, host: ExaminedHost) -> Reading[str]:
        """The kernel's command line."""
        return host.tree.reading("proc/cmdline")

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """Only told."""
        pids = [name for name in host.tree.names("proc") if is_digits(name)][:_PROCESSES_MAX]
        threads = sum((host.tree.text(f"proc/{pid}/comm") or "").startswith("irq/") for pid in pids)
        return note(f"{'threadirqs' if 'threadirqs' in host.parameters else 'no threadirqs'}, {threads} irq/ threads")


class PacketSteering(Check[dict[str, str]]):
    """Whether the network's softirqs are sent to isolated CPUs."""

    id = "packet-steering"
    title = "RPS and XPS masks"
    severity = "warn"
    needs = "isolated CPUs"
    threshold = "no isolated CPU in any mask"
    consequence = "the network's softirqs run on the isolated CPUs"

    def read(self, host: ExaminedHost) -> Reading[dict[str, str]]:
        """The mask of each queue that has one."""
        source = "read from /sys/class/net/*/queues/{rx-*/rps_cpus,tx-*/xps_cpus}"
        found = {}
        for interface in host.tree.names("sys/class/net")[:256]:
            folder = f"sys/class/net/{interface}/queues"
            for queue in host.tree.names(folder)[:4096]:
                path = f"{folder}/{queue}/{'rps_cpus' if queue.startswith('rx-') else 'xps_cpus'}"
                if text := host.tree.text(path):
                    found[path] = text
        return known(found, source) if found else not_applicable(source, "no queue has a mask")

    def advise(self, value: dict[str, str], host: ExaminedHost) -> Judgment:
        """Zero means off."""
        return advise_masks(value, host, "off, or off the isolated CPUs")


CHECKS: Final = (
    Irqbalance(),
    DefaultIrqMask(),
    IrqAffinities(),
    InterruptsMeasured(),
    McePolling(),
    ThreadedIrqs(),
    PacketSteering(),
)
