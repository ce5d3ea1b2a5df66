"""The lines of a report's rendering beside the latency table: one function a line, each gives plain text.

A line is a list of parts, joined with a middle dot; a fact that is not available is left out, or named as
such where its absence matters.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from lowlat import units
from lowlat.reports.model.context import Clock, CpuCache, Extent, Host, Load, LoadModel, Placement, Topology, Workload
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import (
    Baselines,
    Disturbances,
    HotPath,
    Journal,
    JournalPolicy,
    Run,
    SummarySeries,
    Throughput,
    Verification,
)

_SEPARATOR = " · "
_EXAMPLE_NS = 30
_HASH_CHARACTERS = 23  # "sha256:" and 16 digits


def _join(parts: Iterable[str | None]) -> str:
    return _SEPARATOR.join(part for part in parts if part)


def host(facts: Host) -> str:
    """Processor, kernel and what tunes them."""
    return _join(
        [
            facts.cpu or "processor unknown",
            units.plural(facts.cores, "CPU") if facts.cores else None,
            f"measured on CPU {facts.measured_cpus}" if facts.measured_cpus else "not pinned",
            facts.kernel,
            facts.virtualization if facts.virtualization != "none" else "bare metal",
            f"governor {facts.governor}" if facts.governor else None,
            None if facts.turbo is None else f"turbo {'on' if facts.turbo else 'off'}",
            f"isolated {facts.isolated}" if facts.isolated else None,
            f"load {facts.load_average[0]:.2f}" if facts.load_average else None,
            f"steal {facts.steal_percent:.1f}%" if facts.steal_percent else None,
        ]
    )


def clock(facts: Clock) -> str:
    """What stamped the commands, and what that adds to every latency."""
    uncertainty = f" ± {facts.uncertainty_ppm:.3g} ppm" if facts.uncertainty_ppm is not None else ""
    frequency = f"{units.frequency(facts.frequency_hz)}{uncertainty}" if facts.frequency_hz else None
    cost = f"one read costs {units.time(facts.read_cost_ns)}" if facts.read_cost_ns is not None else None
    rate = {True: "invariant rate", False: "rate NOT invariant", None: None}[facts.invariant]
    return _join([facts.source, frequency, facts.frequency_source, rate, cost, _steps(facts.step_ns)])


def _steps(step_ns: float | None) -> str | None:
    """The resolution in words, where it is coarse enough to show in the figures."""
    if not step_ns:
        return None
    if step_ns < 2:
        return f"steps of {units.time(step_ns)}"
    return f"steps of {units.time(step_ns)}: a latency of {_EXAMPLE_NS} ns is {_EXAMPLE_NS / step_ns:.2g} steps"


def topology(facts: Topology) -> str:
    """What the host is made of, and the caches that the measured CPU has."""
    return _join(
        [
            units.plural(facts.packages, "package"),
            units.plural(facts.cores, "core"),
            f"{units.plural(facts.threads_per_core, 'thread')} a core" if facts.threads_per_core else None,
            "no NUMA nodes" if facts.nodes is None else units.plural(facts.nodes, "NUMA node"),
            ", ".join(_cache(cache) for cache in facts.caches if cache.type != "instruction"),
            "guest view" if facts.guest_view else None,
        ]
    )


def _cache(cache: CpuCache) -> str:
    size = "of unknown size" if cache.size_bytes is None else units.size(cache.size_bytes)
    shared = f" for {cache.cpus} CPUs" if cache.cpus > 1 else ""
    return f"L{cache.level} {size}{shared}"


def placement(facts: Placement) -> str:
    """Which CPU was measured on, and why; of a pipeline, where each thread ran, and what that does to the figures."""
    if facts.chosen_by == "system":
        return _join(["where the scheduler put it", *facts.warnings])
    if facts.threads:
        by = "as asked" if facts.chosen_by == "user" else "by plan"
        threads = ", ".join(f"{thread} CPU {cpu}" for thread, cpu in facts.threads.items())
        return _join([f"{threads} {by}", *facts.warnings])
    if facts.chosen_by == "user":
        return f"CPU {facts.cpus} as asked"
    against = f"but {'; '.join(facts.compromises)}" if facts.compromises else None
    return _join([f"CPU {facts.cpus} by plan: {'; '.join(facts.reasons) or 'there is no other'}", against])


def throughput(runs: Iterable[Run], model: LoadModel) -> str | None:
    """The passes that count: all of them as one, then the spread of the single ones."""
    passes = [run.throughput for run in runs if run.throughput]
    how = {
        "closed": "pass without time stamps",
        "open": "pass at planned times, stamps included",
        "pipeline": "pass through the whole path, stamps included",
    }
    # In an open loop the thread is busy with waiting.
    busy = {"closed": "of CPU time", "open": None, "pipeline": "of the matcher's CPU time"}[model]
    return _passes(passes, how[model], busy) if passes else None


def stamped(runs: Iterable[Run]) -> str | None:
    """The passes that read the clock around every command."""
    passes = [run.stamped for run in runs if run.stamped]
    return _passes(passes, "pass with a time stamp per command") if passes else None


def baselines(facts: Baselines, runs: Iterable[Run], model: LoadModel) -> str | None:
    """What the figures are to be held against: what the clock costs; in a closed loop the least there is to do, and
    plain Python."""
    ours = [run.throughput.ns_per_command for run in runs if run.throughput and run.throughput.ns_per_command]
    if not ours:
        return None
    ns = statistics.median(ours)
    closed = model == "closed"
    return _join(
        [
            f"{ns / facts.loop_ns:.1f}x a loop that only reads the commands ({units.time(facts.loop_ns)})"
            if closed and facts.loop_ns
            else None,
            f"reference engine in Python {units.time(facts.reference_ns)}: {facts.reference_ns / ns:,.0f}x as long"
            if closed and facts.reference_ns
            else None,
            f"two stamps around nothing {units.time(facts.clock_ns)}" if facts.clock_ns is not None else None,
        ]
    )


def journal(facts: Journal) -> str:
    """What a journal costs by policy, beside the same batches without one."""
    off = next(each for each in facts.policies if each.policy == "off")
    return _join(
        [
            f"batches of {units.short(facts.batch)}, {units.time(off.ns_per_command)} a command without",
            *(_policy(each) for each in facts.policies if each.more_ns_per_command is not None),
            f"{facts.file} {units.size(facts.size_bytes)}",
        ]
    )


def _policy(facts: JournalPolicy) -> str:
    called = ""
    if facts.sync_p50_ns is not None and facts.sync_p99_ns is not None:
        called = f" (fdatasync p50 {units.time(facts.sync_p50_ns)}, p99 {units.time(facts.sync_p99_ns)})"
    more = facts.more_ns_per_command or 0.0
    return f"{facts.policy} {'-' if more < 0 else '+'}{units.time(abs(more))}{called}"


def _passes(passes: list[Throughput], how: str, busy: str | None = "of CPU time") -> str:
    commands, wall_ns = sum(p.commands for p in passes), sum(p.wall_ns for p in passes)
    singles = [p.ns_per_command for p in passes if p.ns_per_command is not None]
    return _join(
        [
            units.rate(commands * 1e9 / wall_ns),
            f"{units.time(wall_ns / commands)} a command" if commands else None,
            _singles(singles) if len(singles) > 1 else None,
            _cpu_time(passes, busy) if busy else None,
            how,
        ]
    )


def _cpu_time(passes: list[Throughput], busy: str) -> str | None:
    """Processor time a command, which waiting for the processor does not lengthen."""
    per_command = [p.cpu_ns / p.commands for p in passes if p.cpu_ns is not None and p.commands]
    return f"{units.time(statistics.median(per_command))} {busy}" if per_command else None


def _singles(values_ns: list[float]) -> str:
    listed = " ".join(f"{value:.1f}" for value in values_ns)
    return f"runs {min(values_ns):.1f}-{max(values_ns):.1f} ns ({listed})"


def load(facts: Load) -> str | None:
    """The rate asked and the rate reached, and of a pipeline what became of the commands; nothing for a closed loop in
    which every command was answered."""
    lost = facts.sent - facts.acked - facts.rejected
    rate = delivered = None
    if facts.target_rate is not None and facts.achieved_rate is not None:
        rate = f"achieved {units.rate(facts.achieved_rate)} of {units.rate(facts.target_rate)} asked"
        rate += f", {facts.arrivals} arrivals" if facts.arrivals else ""
    if facts.producers is not None:
        delivered = (
            f"{units.plural(facts.producers, 'producer')}: {facts.sent:,} sent = {facts.acked:,} carried out + "
            f"{facts.rejected:,} rejected"
        )
    parts = [
        rate,
        delivered,
        f"{units.plural(facts.updates, 'level update')} published" if facts.updates is not None else None,
        f"{units.plural(lost, 'command')} not answered" if lost else None,
        f"{units.plural(facts.out_of_range, 'latency value')} out of range" if facts.out_of_range else None,
    ]
    name = "pipeline" if facts.model == "pipeline" else f"{facts.model} loop"
    return _join([name, *parts]) if any(parts) else None


def workload(facts: Workload) -> str:
    """What the flow is made of."""
    total = sum(facts.mix.values())
    kinds = ", ".join(f"{kind} {units.share(count / total)}" for kind, count in facts.mix.items() if count)
    return _join(
        [
            kinds,
            _extent("live orders", facts.live_orders),
            _extent("levels", facts.levels),
            f"{units.short(facts.trades)} trades" if facts.trades is not None else None,
            _extent("levels touched", facts.depth_touched),
            f"behind {units.plural(facts.seeded, 'command')} that seed the book" if facts.seeded else None,
            f"hash {_short(facts.hash)}",
        ]
    )


def _short(hash_text: str) -> str:
    """Enough of a hash to tell two apart by eye; the document has it whole."""
    return hash_text if len(hash_text) <= _HASH_CHARACTERS else f"{hash_text[:_HASH_CHARACTERS]}..."


def _extent(name: str, extent: Extent | None) -> str | None:
    if extent is None:
        return None
    mean = f"{extent.mean:.2f}" if extent.mean < 100 else units.short(extent.mean)
    return f"{name} {mean} (peak {units.short(extent.peak)})"


def hot_path(facts: HotPath) -> str:
    """What the engine asked of the system after its start, and the memory that it took before."""
    locked = {True: "locked", False: "not locked", None: None}[facts.locked]
    huge = facts.huge_page_bytes
    return _join(
        [
            _counted(facts.allocations, "allocation"),
            _counted(facts.page_faults, "page fault"),
            _counted(facts.involuntary_switches, "involuntary switch"),
            units.plural(facts.pool_refusals, "command") + " refused by a dry pool" if facts.pool_refusals else None,
            "pools grew " + units.plural(facts.pool_growths, "time") if facts.pool_growths else None,
            _memory(facts.memory),
            None if huge is None else f"{units.size(huge)} on huge pages" if huge else "no huge pages",
            locked,
            _numa(facts),
        ]
    )


def _numa(facts: HotPath) -> str | None:
    """The node of the memory, and whether the pages were found there."""
    pages = facts.numa_pages or {}
    total = sum(pages.values())
    if facts.numa_nodes == 0:
        return "no NUMA nodes"
    if facts.numa_nodes == 1 and facts.numa_verified is not False:
        return "one NUMA node: nothing to choose" + (f" ({total:,} pages verified there)" if total else "")
    where = "not bound to a node" if facts.numa_node is None else f"bound to node {facts.numa_node}"
    listed = ", ".join(f"{count:,} on node {node}" for node, count in pages.items())
    if facts.numa_verified is None:
        return None if facts.numa_node is None and facts.numa_nodes is None else f"{where}, its pages not verified"
    if facts.numa_verified:
        return f"{where}, pages verified: {listed}"
    return f"{where}, but pages LIE ELSEWHERE: {listed or 'none found'}"


def _counted(count: int | None, noun: str) -> str:
    return f"{units.plural_of(noun)} not counted" if count is None else units.plural(count, noun)


def _memory(parts: dict[str, int]) -> str | None:
    if not parts:
        return None
    listed = ", ".join(f"{name} {units.size(count)}" for name, count in parts.items())
    return f"{units.size(sum(parts.values()))} ({listed})"


def disturbances(runs: Iterable[Run], model: LoadModel) -> str:
    """What came between over all runs, and which runs it disturbed; of a pipeline, to its matcher."""
    runs = list(runs)
    seen = [run.disturbances for run in runs]
    gaps = [d.largest_gap_ns for d in seen if d.largest_gap_ns is not None]
    steal_ns = _sum(seen, "steal_ns")
    disturbed = [
        f"run {run.index}: {', '.join(run.disturbances.reasons)}" for run in runs if run.disturbances.disturbed
    ]
    return _join(
        [
            "of the matcher's thread and CPU" if model == "pipeline" else None,
            _seen(seen, "involuntary_switches", "involuntary switch"),
            _seen(seen, "migrations", "migration"),
            _seen(seen, "timer_interrupts", "timer interrupt"),
            f"steal {units.time(steal_ns)}" if steal_ns is not None else None,
            f"largest gap {units.time(max(gaps))}" if gaps else None,
            f"disturbed: {len(disturbed)} of {units.plural(len(runs), 'run')} ({'; '.join(disturbed)})"
            if disturbed
            else None,
        ]
    )


def _sum(seen: list[Disturbances], field: str) -> int | None:
    values = [getattr(d, field) for d in seen]
    return sum(value for value in values if value is not None) if any(v is not None for v in values) else None


def _seen(seen: list[Disturbances], field: str, noun: str) -> str | None:
    count = _sum(seen, field)
    return None if count is None else units.plural(count, noun)


def verification(facts: Verification) -> str:
    """What shows that the work was done right."""
    prefix = f"first {units.plural(facts.reference_prefix, 'command')}"
    verdict = {
        True: f"{prefix} equal to the reference engine's",
        False: f"{prefix} DIFFER from the reference engine's",
        None: "not compared with the reference engine",
    }[facts.equal]
    return _join(
        [
            f"digest {_short(facts.digest)}" + (f" over {units.plural(facts.events, 'event')}" if facts.events else ""),
            verdict,
            _matched("recorded bursts filled as the venue filled them", facts.matched, facts.bursts),
            _matched("best bids and asks found in the vendor's file", facts.quotes_matched, facts.quotes),
        ]
    )


def _matched(name: str, matched: int | None, checked: int | None) -> str | None:
    if matched is None or not checked:
        return None
    return f"{matched:,} of {checked:,} {name} ({matched / checked:.3%})"


def bands(series: SummarySeries) -> str:
    """The share of samples in each latency range that has any."""
    return _join(f"{band.name} {units.share(band.share)}" for band in series.bands if band.count)


def tier(report: Report) -> str | None:
    """The tier, and what it was named from."""
    if report.tier is None:
        return None
    limit = f" (< {units.time(report.tier.limit_ns)})" if report.tier.limit_ns else ""
    left_out = f", leaving out {', '.join(report.tier.leaves_out)}" if report.tier.leaves_out else ""
    return f"{report.tier.name}{limit} by what was measured: {units.time(report.tier.total_ns)}{left_out}"


def status(report: Report) -> str | None:
    """Why the report is not ok; None when it is."""
    if report.status == "ok":
        return None
    meaning = {
        "interrupted": "INTERRUPTED, these are the runs until then",
        "invalid": "NOT VALID, do not believe these figures",
    }
    return f"{meaning[report.status]}: {'; '.join(report.status_reasons) or 'no reason given'}"
