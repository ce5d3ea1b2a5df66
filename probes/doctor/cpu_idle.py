"""What do CPUs do between tasks: how deep do they sleep, what shares their core, what stops them?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lowlat.probes.cpu.cpu_sets import CPU_FOLDER, cpus_of_list
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.doctor.check import Check
from lowlat.probes.doctor.examined_host import ExaminedHost, PerCpu, absent
from lowlat.probes.doctor.finding import MeasuredFigure
from lowlat.probes.doctor.judgment import Judgment, bad, boot, by_hand, good, note, unclear, write, write_each
from lowlat.probes.doctor.registers import SMI_COUNT, register_path
from lowlat.probes.host.host_tree import parse_integer
from lowlat.probes.host.vulnerabilities import Vulnerability, vulnerabilities
from lowlat.probes.reading import Reading, known, not_applicable

EXIT_LATENCY_MAX_US: Final = 10
"""Sleep states that take longer to leave are deep ones."""
NO_LIMIT_US: Final = 2_000_000_000
"""What the kernel answers when no process limits the wake-up latency (PM_QOS_CPU_LATENCY_DEFAULT_VALUE)."""


@dataclass(frozen=True, slots=True)
class IdleState:
    """A sleep state of one CPU."""

    cpu: int
    name: str
    latency_us: int | None
    disabled: bool
    folder: str

    @property
    def is_deep(self) -> bool:
        """Whether it is in use and slow to leave."""
        return not self.disabled and (self.latency_us or 0) > EXIT_LATENCY_MAX_US


def idle_states(host: ExaminedHost) -> tuple[IdleState, ...]:
    """The sleep states of the judged CPUs."""
    found = []
    for cpu in host.judged:
        for name in host.tree.names(f"{CPU_FOLDER}/cpu{cpu}/cpuidle"):
            folder = f"{CPU_FOLDER}/cpu{cpu}/cpuidle/{name}"
            label = host.tree.text(f"{folder}/name")
            if re.fullmatch(r"state[0-9]{1,2}", name) and label is not None:
                disabled = (host.tree.integer(f"{folder}/disable") or 0) != 0
                found.append(IdleState(cpu, label, host.tree.integer(f"{folder}/latency"), disabled, folder))
    return tuple(found)


class CStates(Check[tuple[IdleState, ...]]):
    """How long a CPU needs to wake up."""

    id = "c-states"
    title = "C-states allowed"
    severity = "fail"
    threshold = "no state above 10 us is enabled, nor entered"
    consequence = "a wake-up takes 50 to 200 microseconds"
    owner = "hardware"

    def counters(self, host: ExaminedHost) -> tuple[str, ...]:
        """How often each deep state was entered."""
        return tuple(f"{state.folder}/usage" for state in idle_states(host) if state.is_deep)

    def read(self, host: ExaminedHost) -> Reading[tuple[IdleState, ...]]:
        """The states of the judged CPUs."""
        source = f"read from /{CPU_FOLDER}/cpuN/cpuidle/state*"
        states = idle_states(host)
        return known(states, source) if states else not_applicable(source, "the kernel manages no sleep states")

    def measure(self, host: ExaminedHost) -> tuple[MeasuredFigure, ...]:
        """How often deep states were entered."""
        paths = self.counters(host)
        if host.counters is None or not paths:
            return ()
        entered = sum(host.counters.difference(path).value or 0 for path in paths)
        return (MeasuredFigure(round(entered / host.counters.seconds), "entries a second into deep states"),)

    def advise(self, value: tuple[IdleState, ...], host: ExaminedHost) -> Judgment:
        """A guest sees its own states only; a request for low latency keeps the CPUs out of deep ones."""
        names = dict.fromkeys(state.name for state in value if not state.disabled)
        listed = ", ".join(list(names)[:6]) or "all disabled"
        deep = [state for state in value if state.is_deep]
        if host.is_guest and all(name.upper() == "POLL" or "haltpoll" in name for name in names):
            return unclear(listed, "a guest does not see the states of the host")
        if not deep:
            unread = next((state for state in value if not state.disabled and state.latency_us is None), None)
            return unclear(listed, f"/{unread.folder}/latency cannot be read") if unread else good(listed)
        if (limit := _requested_us(host)) is not None and limit <= EXIT_LATENCY_MAX_US:
            return good(f"{listed}, and a process asks for {limit} us at most")
        worst = max(deep, key=lambda state: state.latency_us or 0)
        cpus = format_cpu_list({state.cpu for state in deep})
        fix = write_each({f"{state.folder}/disable": "0" for state in deep}, "1", "cpupower idle-set -D 10")
        return bad(f"{worst.name} takes {worst.latency_us} us, on CPU {cpus}", fix)


def _requested_us(host: ExaminedHost) -> int | None:
    return host.live.latency_request_us().value if host.live else None


class PmQos(Check[int]):
    """Whether a process asks the kernel for fast wake-ups."""

    id = "latency-request"
    title = "requested wake-up latency (PM QoS)"
    severity = "fail"
    threshold = "10 us or less while the workload runs"
    consequence = "the host falls into deep C-states"
    owner = "hardware"

    def read(self, host: ExaminedHost) -> Reading[int]:
        """The strictest request, in microseconds."""
        live = host.on_live()
        return absent(live) if live.value is None else live.value.latency_request_us()

    def advise(self, value: int, host: ExaminedHost) -> Judgment:
        """Without deep states there is nothing to ask for; a guest's request does not reach the host."""
        shown = "no limit" if value == NO_LIMIT_US else f"{value} us"
        if 0 <= value <= EXIT_LATENCY_MAX_US:
            return good(shown)
        if host.is_guest:
            return note(f"{shown}; a guest's request does not reach the host")
        states = idle_states(host)
        if states and not any(state.is_deep for state in states):
            return good(f"{shown}, and no deep state is enabled")
        return bad(shown, by_hand("keep /dev/cpu_dma_latency open after writing 0 (4 bytes), as tuned's force_latency"))


class ResumeLatency(Check[PerCpu]):
    """The same request for one CPU."""

    id = "cpu-latency-request"
    title = "resume latency of each CPU"
    severity = "info"
    threshold = "n/a (zero latency), or up to 10; 0 means no limit"
    consequence = "these CPUs may fall into deep C-states"

    file = "power/pm_qos_resume_latency_us"

    def read(self, host: ExaminedHost) -> Reading[PerCpu]:
        """The limit of each judged CPU."""
        return host.per_cpu(self.file, host.judged)

    def advise(self, value: PerCpu, host: ExaminedHost) -> Judgment:
        """`0` is no limit, and `n/a` demands zero latency: the words look reversed."""
        wrong = {cpu: text for cpu, text in value.values.items() if not _is_limit(text)}
        said = {
            cpu: {"0": "0 (no limit)", "n/a": "n/a (zero latency)"}.get(text, text)
            for cpu, text in value.values.items()
        }
        text = PerCpu(said, {}).text
        if not wrong:
            return unclear(text, value.gap) if value.gap else good(text)
        return bad(text, write_each({f"{CPU_FOLDER}/cpu{cpu}/{self.file}": old for cpu, old in wrong.items()}, "n/a"))


def _is_limit(text: str) -> bool:
    number = parse_integer(text)
    return text == "n/a" or (number is not None and 0 < number <= EXIT_LATENCY_MAX_US)


class GuestHaltPolling(Check[str]):
    """Whether an idle virtual CPU polls for a while before it returns to the hypervisor."""

    id = "guest-halt-polling"
    title = "guest halt polling"
    severity = "warn"
    needs = "a guest"
    threshold = "driver haltpoll with guest_halt_poll_ns above 0"
    consequence = "every idle is an exit: a wake-up takes 20 to 100 microseconds more"

    driver = "sys/devices/system/cpu/cpuidle/current_driver"
    parameter = "sys/module/haltpoll/parameters/guest_halt_poll_ns"

    def read(self, host: ExaminedHost) -> Reading[str]:
        """The driver of idle CPUs."""
        return host.tree.reading(self.driver)

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """The parameter counts only with its driver."""
        if host.parameters.get("idle") == "poll":
            return good("idle=poll")
        if value == "intel_idle":
            return note("intel_idle: the hypervisor lets this guest wait by itself (MWAIT)")
        text = host.tree.text(self.parameter)
        if value != "haltpoll":
            return bad(f"driver {value}", boot("cpuidle_haltpoll.force=1"))
        polled_ns = parse_integer(text or "")
        if polled_ns is None:
            return unclear("driver haltpoll", f"/{self.parameter} cannot be read")
        if polled_ns > 0:
            return good(f"haltpoll, {polled_ns} ns")
        return bad("haltpoll, but 0 ns", write(self.parameter, "200000", str(text)))


class IdleParameters(Check[str]):
    """What the command line says of idle CPUs."""

    id = "idle-parameters"
    title = "idle and C-state boot parameters"
    severity = "info"
    threshold = "known; idle=poll disables turbo and can make the processor throttle"
    consequence = "they decide about the C-states, whatever else is set"

    def read(self, host: ExaminedHost) -> Reading[str]:
        """The kernel's command line."""
        return host.tree.reading("proc/cmdline")

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """They are only named."""
        names = ("idle", "processor.max_cstate", "intel_idle.max_cstate", "cpuidle_haltpoll.force", "cpuidle.off")
        listed = [f"{name}={host.parameters[name]}" for name in names if name in host.parameters]
        return note(", ".join(listed) or "none")


class Smt(Check[str]):
    """Whether two hardware threads share a core."""

    id = "smt"
    title = "SMT"
    severity = "warn"
    threshold = "off, or the siblings of isolated CPUs are isolated too"
    consequence = "a busy sibling takes 10 to 40% of the core, and brings jitter"
    owner = "hardware"

    control = "sys/devices/system/cpu/smt/control"
    active = "sys/devices/system/cpu/smt/active"

    def read(self, host: ExaminedHost) -> Reading[str]:
        """What the kernel says of it."""
        return host.tree.reading(self.control)

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """`notsupported` in a guest is not `off`: two of its CPUs may be siblings on the host."""
        active = host.tree.text(self.active)
        if host.is_guest and value in ("notsupported", "notimplemented"):
            return unclear(value, "two CPUs of a guest may be siblings on the host, which does not say so")
        if active == "0" or value in ("off", "forceoff", "notsupported", "notimplemented"):
            return good(value)
        fix = write(self.control, "off", value)
        if not host.isolated:
            return bad(f"{value}, siblings share cores", fix)
        shared = _busy_siblings(host)
        if shared is None:
            return unclear(value, "no topology names the siblings")
        if shared:
            return bad(f"{value}, and CPU {format_cpu_list(shared)} shares a core with an isolated CPU", fix)
        return good(f"{value}, but all siblings of isolated CPUs are isolated")


def _busy_siblings(host: ExaminedHost) -> set[int] | None:
    """CPUs that share a core with an isolated one and are not isolated; None if nothing names siblings."""
    found, seen = set(), False
    for cpu in host.isolated:
        folder = f"{CPU_FOLDER}/cpu{cpu}/topology"
        text = host.tree.text(f"{folder}/thread_siblings_list") or host.tree.text(f"{folder}/core_cpus_list")
        siblings = cpus_of_list(text) if text else None
        if siblings:
            seen = True
            found.update(set(siblings) - set(host.isolated))
    return found.intersection(host.online) if seen else None


class Smis(Check[int]):
    """Interrupts of the firmware, which the operating system does not see."""

    id = "smi"
    title = "system management interrupts"
    severity = "warn"
    needs = "bare metal"
    threshold = "none while counters are compared"
    consequence = "hundreds of microseconds to milliseconds, without a trace"
    owner = "hardware"

    def counters(self, host: ExaminedHost) -> tuple[str, ...]:
        """The register of one CPU: the interrupt goes to all of them."""
        return (register_path(host.online[0]),) if host.online and host.live and not host.is_guest else ()

    def read(self, host: ExaminedHost) -> Reading[int]:
        """The count of an Intel processor; others have none."""
        live = host.on_live()
        if live.value is None:
            return absent(live)
        if "GenuineIntel" not in (host.tree.text("proc/cpuinfo") or ""):
            why = "only Intel processors count them in a register; on AMD, perf stat -e ls_smi_rx does"
            return not_applicable("MSR 0x34", why)
        now = live.value.register(host.online[0], SMI_COUNT)
        if now.value is None or host.counters is None:
            return now
        return host.counters.difference(register_path(host.online[0]))

    def advise(self, value: int, host: ExaminedHost) -> Judgment:
        """Any is too many."""
        measured = MeasuredFigure(value, "SMIs between two reads")
        return (
            bad("the firmware interrupts", by_hand("firmware settings"), measured) if value else good("none", measured)
        )


class Mitigations(Check[tuple[Vulnerability, ...]]):
    """What is done against flaws of the processor, and costs time in the kernel."""

    id = "mitigations"
    title = "mitigations"
    severity = "info"
    threshold = "an informed choice"
    consequence = "system calls and context switches take up to three times as long"

    def read(self, host: ExaminedHost) -> Reading[tuple[Vulnerability, ...]]:
        """What the kernel says of each flaw."""
        return vulnerabilities(host.tree)

    def advise(self, value: tuple[Vulnerability, ...], host: ExaminedHost) -> Judgment:
        """Never bad: on a host with one tenant, off may be right."""
        mitigated = sum(each.status == "mitigated" for each in value)
        vulnerable = sum(each.status == "vulnerable" for each in value)
        view = ", as the guest sees it" if host.is_guest else ""
        chosen = host.parameters.get("mitigations")
        said = f"; mitigations={chosen}" if chosen else ""
        return note(f"{mitigated} mitigated, {vulnerable} vulnerable{view}{said}")


CHECKS: Final = (
    CStates(),
    PmQos(),
    ResumeLatency(),
    GuestHaltPolling(),
    IdleParameters(),
    Smt(),
    Smis(),
    Mitigations(),
)
