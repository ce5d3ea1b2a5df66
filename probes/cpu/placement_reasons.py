"""What speaks for and against the CPU of a thread, once every thread of a plan has its CPU."""

from __future__ import annotations

from lowlat import units
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.cpu.placement_facts import CpuFacts

OTHER_WORK = "other work"


class Reasons:
    """Collects what speaks for (`pro`) and against (`contra`) one thread's CPU."""

    def __init__(self, facts: CpuFacts, memory_node: int | None, cpu: int, thread: str) -> None:
        self._facts = facts
        self._memory_node = memory_node
        self._cpu = cpu
        self._thread = thread
        self.pro: list[str] = []
        self.contra: list[str] = []
        self._explain_cpu()
        self._explain_core()
        self._explain_kind()
        self._explain_node()
        self._explain_cache()
        self._explain_isolation()
        self._explain_cpu_0()

    def _explain_cpu(self) -> None:
        sharing = [thread for thread in self._facts.threads[self._cpu] if thread != self._thread]
        if sharing:
            available = units.plural(len(self._facts.allowed), "CPU")
            self.contra.append(f"shared with {', '.join(sharing)}: {available} available")
        if self._cpu in self._facts.busy_by_others:
            self.contra.append("busy with other work: no CPU without it is left")

    def _explain_core(self) -> None:
        """Whether a sibling is idle is not measured, and so not said."""
        facts, siblings = self._facts, self._facts.siblings(self._cpu)
        busy = [sibling for sibling in siblings if facts.is_busy(sibling)]
        for sibling in busy:
            who = ", ".join(facts.threads.get(sibling, (OTHER_WORK,)))
            self.contra.append(f"SMT sibling of CPU {sibling} ({who}): no free core is left")
        alone = not busy and len(facts.threads[self._cpu]) == 1
        if siblings and alone:
            listed = format_cpu_list(siblings)
            self.pro.append(
                f"no other planned thread on its core (SMT sibling CPU {listed}, whose load is not measured)"
            )
        elif alone:
            self.pro.append("a core with one thread")
        foreign = [sibling for sibling in siblings if sibling not in facts.allowed]
        if foreign:
            self.contra.append(f"SMT sibling CPU {format_cpu_list(foreign)} is outside the allowed CPUs")

    def _explain_kind(self) -> None:
        kinds = self._facts.topology.core_kinds
        if kinds:
            rank = self._facts.kind_rank.get(self._cpu, 0)
            (self.pro if rank == 0 else self.contra).append(f"core type {kinds[rank].name!r}")

    def _explain_node(self) -> None:
        if self._memory_node is None:
            return
        node, topology = self._facts.node.get(self._cpu), self._facts.topology
        if node != self._memory_node:
            self.contra.append(f"on node {node}, away from the memory on node {self._memory_node}")
        elif node in (topology.memory_nodes.value or ()):
            self.pro.append(f"on node {node}, where the memory is")
        else:
            self.pro.append(f"on node {node}, whose memory the kernel does not report")

    def _explain_cache(self) -> None:
        facts = self._facts
        if facts.matcher in (None, self._cpu) or not facts.last_level:
            return
        near = facts.is_near(self._cpu)
        verb = "shares" if near else "does not share"
        (self.pro if near else self.contra).append(f"{verb} the last-level cache of CPU {facts.matcher} (matcher)")

    def _explain_isolation(self) -> None:
        facts = self._facts
        usable = facts.isolated.intersection(facts.allowed)
        beside = facts.shared_isolation(self._cpu)
        if beside:
            self.contra.append(
                f"only a part of its core is isolated: the scheduler may run work on SMT sibling CPU "
                f"{format_cpu_list(beside)}"
            )
        elif self._cpu in facts.isolated:
            self.pro.append("isolated from the scheduler")
        elif usable:
            left = [cpu for cpu in usable if not facts.is_busy(cpu)]
            worse = f"CPU {format_cpu_list(left)} would share a core, be slower or be away from the memory"
            self.contra.append(f"not isolated: {worse if left else 'no isolated CPU is left'}")

    def _explain_cpu_0(self) -> None:
        if self._cpu == 0:
            self.contra.append("CPU 0, which handles most kernel housekeeping: no better CPU is left")
        elif 0 in self._facts.core(self._cpu):
            self.contra.append("on the core of CPU 0, which handles most kernel housekeeping: no better core is left")
        elif 0 in self._facts.allowed:
            self.pro.append("not CPU 0")
