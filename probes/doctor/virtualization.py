"""What stands between this process and the hardware, and do the sources about it agree?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from lowlat.probes.cache_line import reported_lines
from lowlat.probes.doctor.check import Check
from lowlat.probes.doctor.clock import TscFlags
from lowlat.probes.doctor.examined_host import ExaminedHost, absent
from lowlat.probes.doctor.judgment import Judgment, bad, by_hand, good, note
from lowlat.probes.host.facts import cpu_brand
from lowlat.probes.host.virtualization import Virtualization
from lowlat.probes.reading import Reading, known
from lowlat.probes.topology import Topology, read_topology
from lowlat.text import is_digits

_DMI: Final = "sys/class/dmi/id"
_HELPERS: Final = re.compile(
    r"(?i)pv ?(?:qspinlock|spinlock|tlb|ipi|sched|eoi)[\w ]*|kvm-clock"
    r"|paravirtualized kernel on \w+|hyper-v: [\w ]{1,40}"
)


class Platform(Check[Virtualization]):
    """Hypervisor and container: they decide what can be judged at all."""

    id = "hypervisor"
    title = "hypervisor and container"
    severity = "info"
    threshold = "known"
    consequence = "decides what this host can show, and who can change it"

    def read(self, host: ExaminedHost) -> Reading[Virtualization]:
        """All signs together."""
        found = host.virtualization
        return known(found, f"{found.hypervisor.source}; {found.container.source}")

    def advise(self, value: Virtualization, host: ExaminedHost) -> Judgment:
        """The machine's name, if the firmware tells it."""
        names = [host.tree.text(f"{_DMI}/{name}") for name in ("sys_vendor", "product_name")]
        machine = " ".join(name[:40] for name in names if name)
        return note(f"{value.text}{f', {machine}' if machine else ''}")


class SyntheticTopology(Check[str]):
    """Whether cores and caches are those of the hardware."""

    id = "guest-topology"
    title = "topology of the guest"
    severity = "info"
    needs = "a guest"
    threshold = "measured, not believed"
    consequence = "threads are placed by a map that may be wrong"

    def read(self, host: ExaminedHost) -> Reading[str]:
        """Which CPUs share a cache, as the hypervisor presents them."""
        path = "sys/devices/system/cpu/cpu0/cache/index3/shared_cpu_list"
        found = host.tree.text(path)
        return known(found or "no shared cache named", f"read from /{path}")

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        """Nothing in the guest can confirm it."""
        fix = by_hand("measure the latency between cores before threads are placed by it")
        return note(
            f"guest view: CPU {value[:40]} share the last cache" if is_digits(value[:1]) else f"guest view: {value}",
            fix=fix,
        )


class ParavirtualHelpers(Check[tuple[str, ...]]):
    """What the kernel asks the hypervisor to do, and whether there are two of them."""

    id = "paravirtual-helpers"
    title = "paravirtual helpers and nesting"
    severity = "info"
    needs = "a guest"
    threshold = "known; not nested"
    consequence = "an exit from a nested guest takes five to ten times as long"

    def read(self, host: ExaminedHost) -> Reading[tuple[str, ...]]:
        """Flags, command line, and the kernel's log where it can be read."""
        flags = TscFlags().read(host).value or frozenset()
        found = [f"{name} (this guest can run guests)" for name in ("vmx", "svm") if name in flags]
        found += [name for name in host.parameters if "nested" in name]
        log = host.live.log() if host.live else None
        for line in (log.value or ()) if log else ():
            if match := _HELPERS.search(line):
                found.append(match[0].strip()[:40])
        where = "the kernel's log" if log and log.value else "no log could be read"
        return known(tuple(dict.fromkeys(found)), f"read from /proc/cpuinfo, /proc/cmdline; {where}")

    def advise(self, value: tuple[str, ...], host: ExaminedHost) -> Judgment:
        """Only told."""
        return note(", ".join(value[:6]) or "none seen")


class ProcessorIdentity(Check[dict[str, Any]]):
    """Whether py-cpuinfo, the kernel and CPUID tell the same about the processor."""

    id = "processor-identity"
    title = "what sources say of the processor"
    severity = "info"
    threshold = "py-cpuinfo, the kernel and CPUID agree"
    consequence = "a program that believes the wrong source aligns or sizes its data wrongly"

    def read(self, host: ExaminedHost) -> Reading[dict[str, Any]]:
        """What py-cpuinfo answered meanwhile."""
        live = host.on_live()
        return absent(live) if live.value is None else live.value.cpuinfo()

    def advise(self, value: dict[str, Any], host: ExaminedHost) -> Judgment:
        """Each difference is named."""
        different = list(differences(value, host))
        if different:
            return bad("; ".join(different), by_hand("believe the kernel (lowlat topology), or measure (--measure)"))
        return good("they agree")


def differences(value: dict[str, Any], host: ExaminedHost) -> Iterator[str]:
    """Where py-cpuinfo differs from the kernel, a line each. Texts are of another program: they are cut."""
    brand, theirs = cpu_brand(host.tree).value, value.get("brand_raw")
    if isinstance(theirs, str) and brand is not None and theirs.split() != brand.split():
        yield f"name {theirs[:40]!r} by py-cpuinfo, {brand[:40]!r} by the kernel"
    flags, listed = TscFlags().read(host).value, value.get("flags")
    if flags and isinstance(listed, list):
        missing = sorted(flags - set(map(str, listed)))
        if missing:
            yield f"{len(missing)} flags missing in py-cpuinfo: {', '.join(missing[:3])}"
    topology = read_topology(host.tree)
    yield from _different_sizes(value, topology)
    line = value.get("l2_cache_line_size")
    lines = {each.name: each.line_bytes.value for each in reported_lines(topology) if each.line_bytes.value}
    if isinstance(line, int) and lines and line not in lines.values():
        others = ", ".join(f"{size} by {source}" for source, size in lines.items())
        yield f"L2 line {line} B by py-cpuinfo, {others}"


_SIZES: Final = (
    ("l1_data_cache_size", 1, ("Data",)),
    ("l1_instruction_cache_size", 1, ("Instruction",)),
    ("l2_cache_size", 2, ("Unified",)),
    ("l3_cache_size", 3, ("Unified",)),
)


def _different_sizes(value: dict[str, Any], topology: Topology) -> Iterator[str]:
    """Sizes of caches: that of one instance, or of all together, is right."""
    for name, level, kinds in _SIZES:
        caches = [each for each in topology.caches.value or () if each.level == level and each.type in kinds]
        sizes = [(cache.size_bytes, len(cache.instances)) for cache in caches if cache.size_bytes]
        total = sum(size * count for size, count in sizes)
        theirs = value.get(name)
        if isinstance(theirs, int) and sizes and theirs not in {total, *(size for size, _ in sizes)}:
            yield f"{name.replace('_', ' ')} {theirs} by py-cpuinfo, {sizes[0][0]} by the kernel"


CHECKS: Final = (Platform(), SyntheticTopology(), ParavirtualHelpers(), ProcessorIdentity())
