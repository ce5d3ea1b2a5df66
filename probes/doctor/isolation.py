"""Is a set of CPUs kept free for the threads whose latency counts?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lowlat.probes.cpu.cpu_sets import Cpus, cpus_of_list, cpus_of_mask
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.doctor.check import Check
from lowlat.probes.doctor.counters import is_timer, row_differences
from lowlat.probes.doctor.examined_host import NOT_CAPTURED, ExaminedHost
from lowlat.probes.doctor.finding import Fix, MeasuredFigure
from lowlat.probes.doctor.judgment import Judgment, bad, boot, by_hand, good, note, together, unclear, write
from lowlat.probes.host.host_tree import parse_integer
from lowlat.probes.reading import Reading, known, unknown
from lowlat.text import is_digits

INTERRUPTS: Final = "proc/interrupts"
TASKS_MAX: Final = 50_000
SHOWN_MAX: Final = 3
"""Tasks that are looked at, and how many of them are named."""


def timer_rate(host: ExaminedHost) -> tuple[MeasuredFigure, ...]:
    """Timer interrupts a second on the judged CPU that has the most; nothing if they were not counted."""
    if host.counters is None:
        return ()
    by_cpu: dict[int, int] = {}
    for row in row_differences(host.counters, INTERRUPTS).values():
        if is_timer(row):
            for cpu, count in row.counts.items():
                by_cpu[cpu] = by_cpu.get(cpu, 0) + count
    counted = {cpu: by_cpu[cpu] for cpu in host.judged if cpu in by_cpu}
    if not counted:
        return ()
    cpu = max(counted, key=lambda each: counted[each])
    return (MeasuredFigure(round(counted[cpu] / host.counters.seconds), f"timer interrupts a second on CPU {cpu}"),)


class IsolatedCpus(Check[Cpus]):
    """Whether the scheduler keeps its hands off the CPUs whose latency counts."""

    id = "isolated-cpus"
    title = "isolated CPUs exist"
    severity = "fail"
    threshold = "the CPUs whose latency counts are isolated"
    consequence = "the load balancer moves other tasks onto them"

    def counters(self, host: ExaminedHost) -> tuple[str, ...]:
        """The timer's interrupts, to tell what happens without isolation."""
        return (INTERRUPTS,)

    def measure(self, host: ExaminedHost) -> tuple[MeasuredFigure, ...]:
        """How often the timer interrupted."""
        return timer_rate(host)

    def read(self, host: ExaminedHost) -> Reading[Cpus]:
        """What the kernel isolates: isolcpus, and isolated partitions of cpusets."""
        isolated = host.sets.isolated
        if isolated.value is None and not host.kernel_isolated:
            return isolated
        return known(
            host.kernel_isolated, f"{isolated.source}, cpuset.cpus.isolated and partitions below /sys/fs/cgroup"
        )

    def advise(self, value: Cpus, host: ExaminedHost) -> Judgment:
        """Without isolated or chosen CPUs, there is nothing to judge yet."""
        missing = sorted(set(host.chosen) - set(value))
        fix = by_hand("echo isolated > cpuset.cpus.partition of a control group, or boot with isolcpus=LIST")
        if missing:
            return bad(f"CPU {format_cpu_list(missing)} not isolated", fix)
        if not value:
            return note("no CPU is isolated", fix=fix)
        return good(f"CPU {format_cpu_list(value)}")


class FullDynticks(Check[Cpus]):
    """Whether the timer tick stops while one task runs."""

    id = "nohz-full"
    title = "full dynticks"
    severity = "fail"
    needs = "isolated CPUs"
    threshold = "nohz_full has all isolated CPUs"
    consequence = "HZ timer interrupts a second, microseconds each"

    def counters(self, host: ExaminedHost) -> tuple[str, ...]:
        """The timer's interrupts."""
        return (INTERRUPTS,)

    def measure(self, host: ExaminedHost) -> tuple[MeasuredFigure, ...]:
        """How often the timer interrupted."""
        return timer_rate(host)

    def read(self, host: ExaminedHost) -> Reading[Cpus]:
        """The set of the kernel; absent where it is built without it."""
        return host.sets.nohz_full

    def advise(self, value: Cpus, host: ExaminedHost) -> Judgment:
        """All isolated CPUs must be in the set."""
        missing = sorted(set(host.isolated) - set(value))
        if not missing:
            return good(f"CPU {format_cpu_list(value)}")
        what = f"CPU {format_cpu_list(missing)} not in nohz_full" if value else "nohz_full is empty"
        return bad(what, boot(f"nohz_full={format_cpu_list(host.isolated)}"))


class RcuOffload(Check[str]):
    """Whether RCU callbacks run elsewhere."""

    id = "rcu-callbacks"
    title = "RCU callbacks offloaded"
    severity = "warn"
    needs = "isolated CPUs"
    threshold = "rcu_nocbs (or nohz_full) has all isolated CPUs"
    consequence = "bursts of softirqs on the CPU that frees memory"

    def read(self, host: ExaminedHost) -> Reading[str]:
        """The kernel's command line."""
        return host.tree.reading("proc/cmdline")

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """`nohz_full=` implies it."""
        offloaded: set[int] = set()
        for name in ("rcu_nocbs", "nohz_full"):
            listed = host.parameters.get(name)
            if listed is not None:
                offloaded.update(
                    host.sets.possible.value or () if listed in ("", "all") else cpus_of_list(listed) or ()
                )
        missing = sorted(set(host.isolated) - offloaded)
        if not missing:
            return good(f"offloaded for CPU {format_cpu_list(host.isolated)}")
        fix = boot(f"rcu_nocbs={format_cpu_list(host.isolated)}")
        return bad(f"not offloaded for CPU {format_cpu_list(missing)}", fix)


class Workqueues(Check[dict[str, str]]):
    """Whether kworkers of unbound workqueues stay off the isolated CPUs."""

    id = "workqueues"
    title = "workqueues"
    severity = "warn"
    needs = "isolated CPUs"
    threshold = "no mask of a workqueue has an isolated CPU"
    consequence = "kernel workers preempt"

    folder = "sys/devices/virtual/workqueue"

    def read(self, host: ExaminedHost) -> Reading[dict[str, str]]:
        """The mask of all, and that of each workqueue that has one."""
        top = host.tree.reading(f"{self.folder}/cpumask")
        if top.value is None:
            return Reading(None, top.source, top.reason, top.applicable)
        paths = [f"{self.folder}/{name}/cpumask" for name in host.tree.names(self.folder)[:1000]]
        found = {path: text for path in paths if (text := host.tree.text(path))}
        return known({f"{self.folder}/cpumask": top.value, **found}, f"{top.source} and /{self.folder}/*/cpumask")

    def advise(self, value: dict[str, str], host: ExaminedHost) -> Judgment:
        """No mask may have an isolated CPU."""
        return advise_masks(value, host, "all masks are off the isolated CPUs")


def advise_masks(masks: dict[str, str], host: ExaminedHost, all_good: str) -> Judgment:
    """Judge masks by path: none may have an isolated CPU, and the fix takes these out."""
    isolated, wrong, damaged = set(host.isolated), {}, []
    for path, text in masks.items():
        cpus = cpus_of_mask(text)
        if cpus is None:
            damaged.append(path)
        elif isolated.intersection(cpus):
            wrong[path] = (text, tuple(sorted(set(cpus) - isolated)))
    if wrong:
        first, (text, _) = next(iter(wrong.items()))
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        name = first.rsplit("/", 2)[-2]
        fixes = [write(path, mask_of(kept), found) for path, (found, kept) in wrong.items() if kept]
        fix = together(fixes)
        if fix is not None:
            fix = Fix(fixes[0].summary + more, fix.commands, fix.undo)
        return bad(f"{name}: mask {text} has isolated CPUs{more}", fix)
    return unclear("", f"/{damaged[0]} holds no mask") if damaged else good(all_good)


def mask_of(cpus: Cpus) -> str:
    """The mask of CPUs as the kernel takes it: hexadecimal groups of 32 bits."""
    bits = sum(1 << cpu for cpu in cpus)
    groups = []
    while True:
        groups.append(bits & 0xFFFFFFFF)
        bits >>= 32
        if not bits:
            break
    return ",".join([f"{groups[-1]:x}", *(f"{group:08x}" for group in reversed(groups[:-1]))])


@dataclass(frozen=True, slots=True)
class PlacedTask:
    """A thread that is not bound by the kernel to one CPU, and the CPU that it ran on last."""

    tid: int
    name: str
    cpu: int


class OtherTasks(Check[tuple[PlacedTask, ...]]):
    """Whether other threads live on the isolated CPUs."""

    id = "other-tasks"
    title = "other tasks on the isolated CPUs"
    severity = "fail"
    needs = "isolated CPUs"
    threshold = "only the kernel's own threads of these CPUs"
    consequence = "they preempt"

    def read(self, host: ExaminedHost) -> Reading[tuple[PlacedTask, ...]]:
        """The threads whose last CPU is an isolated one, without those that the kernel binds to it."""
        source = "read from /proc/*/task/*/stat, field 39"
        if host.tree.text("proc/1/task/1/stat") is None:
            why = "/proc does not show the tasks of others (hidepid)" if host.live else NOT_CAPTURED
            return unknown(source, why)
        return known(tuple(_tasks_on(host, set(host.isolated))), source)

    def advise(self, value: tuple[PlacedTask, ...], host: ExaminedHost) -> Judgment:
        """A container sees its own threads only."""
        if value:
            listed = ", ".join(f"{task.name} ({task.tid}) on CPU {task.cpu}" for task in value[:SHOWN_MAX])
            more = f", and {len(value) - SHOWN_MAX} more" if len(value) > SHOWN_MAX else ""
            return bad(f"{listed}{more}", by_hand("move them: cpuset, or CPUAffinity= of systemd"))
        if host.is_container:
            return unclear("no task of this container", "a container sees its own tasks only")
        return good("none")


def _tasks_on(host: ExaminedHost, isolated: set[int]) -> Iterator[PlacedTask]:
    left = TASKS_MAX
    for pid in host.tree.names("proc"):
        if not is_digits(pid):
            continue
        for tid in host.tree.names(f"proc/{pid}/task"):
            left -= 1
            if left < 0:
                return
            task = _task(host.tree.text(f"proc/{pid}/task/{tid}/stat") or "", tid)
            if task is None or task.cpu not in isolated or _is_own(host, pid):
                continue
            if not _bound_by_kernel(host, f"proc/{pid}/task/{tid}", pid):
                yield task


def _task(stat: str, tid: str) -> PlacedTask | None:
    """From `/proc/PID/task/TID/stat`; the name may hold blanks and parentheses."""
    head, closing, rest = stat.rpartition(")")
    fields = rest.split()
    cpu = parse_integer(fields[36]) if len(fields) > 36 else None
    if not closing or cpu is None or not is_digits(tid) or len(tid) > 10:
        return None
    return PlacedTask(int(tid), head.partition("(")[2][:32], cpu)


def _is_own(host: ExaminedHost, pid: str) -> bool:
    return host.live is not None and pid == host.tree.link_target("proc/self")


def _bound_by_kernel(host: ExaminedHost, folder: str, pid: str) -> bool:
    """Whether it is a thread of the kernel that may run on one CPU only, such as ksoftirqd/3."""
    status = host.tree.text(f"{folder}/status") or ""
    allowed = re.search(r"^Cpus_allowed_list:\s*(\S+)", status, re.MULTILINE)
    is_kernel = not re.search(r"^VmSize:", status, re.MULTILINE) and "\nState:\tZ" not in status
    return is_kernel and pid != "1" and allowed is not None and is_digits(allowed[1])


CHECKS: Final = (IsolatedCpus(), FullDynticks(), RcuOffload(), Workqueues(), OtherTasks())
