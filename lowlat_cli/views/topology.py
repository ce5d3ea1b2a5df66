"""A topology on the terminal: first hypervisor and container, then the tree and the tables."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.probes.cpu.cpu_sets import Cpus
from lowlat.probes.reading import Reading, known
from lowlat.probes.topology import Cache, HugePages, Topology
from lowlat.text import plain_text
from lowlat_cli.views import layout
from lowlat_cli.views.devices import devices_view
from lowlat_cli.views.frequencies import frequencies_view, frequency_line
from lowlat_cli.views.interrupts import interrupts_view
from lowlat_cli.views.numa_nodes import numa_view
from lowlat_cli.views.topology_tree import topology_tree
from lowlat_cli.views.vulnerabilities import mitigations_line, vulnerabilities_view

_GUEST_VIEW = (
    "guest view: cores, caches and NUMA nodes are as the hypervisor presents them, not necessarily the hardware"
)


def topology_view(topology: Topology) -> Iterator[RenderableType]:
    """All parts, top to bottom; `-v` shows them."""
    yield layout.facts(head(topology))
    if topology.packages:
        yield layout.spaced(topology_tree(topology))
    yield layout.spaced(_caches(topology))
    if topology.frequencies.value:
        yield layout.spaced(frequencies_view(topology.frequencies.value))
    if topology.vulnerabilities.value:
        yield layout.spaced(vulnerabilities_view(topology.vulnerabilities.value))
    for part in numa_view(topology.nodes):
        yield layout.spaced(part)
    if topology.devices:
        yield layout.spaced(devices_view(topology.devices))
    yield layout.spaced(interrupts_view(topology.interrupts))
    yield layout.spaced(_sets(topology))
    if topology.core_kinds:
        kinds = ((kind.name, f"{units.cpus(layout.cpus(kind.cpus))}, {kind.source}") for kind in topology.core_kinds)
        yield layout.spaced(layout.facts(kinds))
    if topology.warnings:
        yield layout.spaced(layout.facts(("warning" if not at else "", w) for at, w in enumerate(topology.warnings)))


def head(topology: Topology) -> list[tuple[str, str | Text | None]]:
    """The lines that describe the host as a whole."""
    kernel, machine = topology.kernel_release.value, topology.machine.value
    system = " · ".join(part for part in (machine, f"kernel {kernel}" if kernel else None) if part)
    pages = _huge_pages(topology.huge_pages)
    return [
        ("platform", plain_text(topology.virtualization.text, style="bold")),
        ("", plain_text(_GUEST_VIEW, style="yellow") if topology.guest_view else None),
        ("processor", layout.text_of(topology.cpu_brand)),
        ("microcode", layout.text_of(topology.microcode)),
        ("mitigations", mitigations_line(topology.vulnerabilities)),
        ("system", system),
        ("CPUs", _counts(topology)),
        ("frequency", frequency_line(topology.frequencies)),
        ("quota", _quota(topology)),
        ("memory", _memory(topology)),
        ("huge pages", pages),
    ]


def _counts(topology: Topology) -> str:
    sets = topology.cpu_sets
    online, present = len(sets.online.value or ()), len(sets.present.value or ())
    threads = max((len(core.cpus) for core in topology.cores), default=0)
    parts = [
        f"{online} online of {present} present" if online != present else f"{online} online",
        units.plural(len(topology.packages), "package"),
        units.plural(len(topology.cores), "core"),
        f"{units.plural(threads, 'thread')} per core" if threads else "",
        f"SMT {topology.smt.value}" if topology.smt.value not in (None, "notsupported", "notimplemented") else "",
    ]
    return " · ".join(part for part in parts if part)


def _quota(topology: Topology) -> str | Text:
    quota = topology.cpu_quota.value
    if quota is None:
        return layout.missing(topology.cpu_quota)
    if quota.cpus is None or quota.quota_us is None or quota.period_us is None:
        return "no limit"
    return (
        f"{quota.cpus:g} {'CPU' if quota.cpus == 1 else 'CPUs'}: {units.time(quota.quota_us * 1e3)} in every "
        f"{units.time(quota.period_us * 1e3)}, "
        "then throttled until the next"
    )


def _memory(topology: Topology) -> str | Text:
    total = topology.memory_total_bytes
    return layout.missing(total) if total.value is None else units.size(total.value)


def _huge_pages(pages: tuple[HugePages, ...]) -> str:
    """Reserved pages by size; sizes without reserved pages come last."""

    def count(number: int | None) -> str:
        return "?" if number is None else str(number)

    said = [f"{count(p.total)} of {layout.size(p.size_bytes)} ({count(p.free)} free)" for p in pages if p.total != 0]
    none = [layout.size(page.size_bytes) for page in pages if page.total == 0]
    return ", ".join(said + ([f"no {' or '.join(none)} pages reserved"] if none else []))


def _caches(topology: Topology) -> RenderableType:
    caches = topology.caches.value
    if caches is None:
        return layout.facts([("caches", layout.missing(topology.caches))])
    figures = ("size", "line", "ways", "sets", "count")
    made = layout.table("cache", *figures, "shared by CPUs", right=figures, wrap=("shared by CPUs",))
    for cache in caches:
        made.add_row(
            plain_text(f"L{cache.level} {cache.type.lower()}"),
            layout.size(cache.size_bytes),
            layout.size(cache.line_bytes),
            _number(cache.ways),
            _number(cache.sets),
            str(len(cache.instances)),
            _instances(cache, topology),
        )
    return made


def _number(value: int | None) -> str:
    return "?" if value is None else str(value)


def _instances(cache: Cache, topology: Topology) -> str:
    """The CPUs of each cache: in full where cores share it, so that its groups can be used; else in short."""
    shared = any(len(cpus) > len(topology.siblings_of(cpus[0])) for cpus in cache.instances)
    return " | ".join(map(layout.cpus, cache.instances)) if shared else layout.groups(cache.instances)


def _sets(topology: Topology) -> Table:
    sets = topology.cpu_sets
    made = layout.table("CPU set", "CPUs", "", wrap=("CPUs", ""))
    _row(made, "online", sets.online)
    if sets.present.value != sets.online.value:
        _row(made, "present", sets.present)
    _row(made, "offline", known(sets.offline, "present, but not online"))
    _row(made, "isolated", sets.isolated)
    _row(made, "nohz_full", sets.nohz_full)
    _row(made, "affinity", sets.affinity)
    _row(made, "cpuset", sets.cpuset)
    _row(made, "allowed", known(sets.allowed, "usable by this process: (affinity or isolated) and cpuset and online"))
    return made


def _row(made: Table, name: str, cpus: Reading[Cpus]) -> None:
    if cpus.value is None:
        made.add_row(name, plain_text("-"), layout.missing(cpus))
    else:
        made.add_row(name, layout.cpus(cpus.value), plain_text(cpus.source, style="dim"))
