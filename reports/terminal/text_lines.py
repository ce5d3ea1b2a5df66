"""The lines of a report other than the latency table, as plain text, one function for each line.

A line is a list of parts joined with a middle dot. A fact that is not available is omitted, or shown as not available
if that matters.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from lowlat import units
from lowlat.reports.model.context import (
    Clock,
    CpuCache,
    Extent,
    Host,
    Load,
    LoadModel,
    Placement,
    TopologySummary,
    Workload,
)
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import (
    Baselines,
    GoldenCheck,
    HotPath,
    Journal,
    JournalPolicy,
    NativeCheck,
    OsNoise,
    Run,
    SummarySeries,
    Throughput,
    Verification,
    typical_ns,
)

_SEPARATOR = " · "
_HASH_CHARACTERS = 23  # "sha256:" and 16 digits


def join(parts: Iterable[str | None]) -> str:
    """The parts that are there, as one line."""
    return _SEPARATOR.join(part for part in parts if part)


def measure(name: str) -> str:
    """The display name of a measure."""
    return "sched. delay" if name == "scheduling_delay" else name.removeprefix("stage:")


def host(facts: Host) -> str:
    """Processor, kernel and their tuning."""
    return join(
        [
            facts.cpu or "processor unknown",
            units.plural(facts.cores, "CPU") if facts.cores else None,
            f"measured on {units.cpus(facts.measured_cpus)}" if facts.measured_cpus else "not pinned",
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
    """The clock that timestamps commands, and its overhead in every latency."""
    uncertainty = f" ± {facts.uncertainty_ppm:.3g} ppm" if facts.uncertainty_ppm is not None else ""
    frequency = f"{units.frequency(facts.frequency_hz)}{uncertainty}" if facts.frequency_hz else None
    cost = f"timer cost {units.time(facts.read_cost_ns)}" if facts.read_cost_ns is not None else None
    rate = {True: "invariant", False: "NOT invariant", None: None}[facts.invariant]
    return join([facts.source, frequency, facts.frequency_source, rate, cost, _resolution(facts.step_ns)])


def _resolution(step_ns: float | None) -> str | None:
    """The smallest difference between two timestamps."""
    return f"resolution {units.time(step_ns)}" if step_ns else None


def topology(facts: TopologySummary) -> str:
    """The host's topology, and the caches of the measured CPU."""
    return join(
        [
            units.plural(facts.packages, "package"),
            units.plural(facts.cores, "core"),
            f"{units.plural(facts.threads_per_core, 'thread')} per core" if facts.threads_per_core else None,
            "no NUMA nodes" if facts.nodes is None else units.plural(facts.nodes, "NUMA node"),
            ", ".join(_cache(cache) for cache in facts.caches if cache.type != "instruction"),
            "guest view" if facts.guest_view else None,
        ]
    )


def _cache(cache: CpuCache) -> str:
    size = "size unknown" if cache.size_bytes is None else units.size(cache.size_bytes)
    shared = f" shared by {cache.cpus} CPUs" if cache.cpus > 1 else ""
    return f"L{cache.level} {size}{shared}"


def placement(facts: Placement) -> str:
    """The measured CPU and the reason; for a pipeline, the CPU of each thread, and the effect on the figures."""
    if facts.chosen_by == "system":
        return join(["not pinned: the scheduler chose the CPU", *facts.warnings])
    if facts.threads:
        by = "as requested" if facts.chosen_by == "user" else "auto-selected"
        threads = ", ".join(f"{thread} CPU {cpu}" for thread, cpu in facts.threads.items())
        return join([f"{threads} {by}", *facts.warnings])
    if facts.chosen_by == "user":
        return f"{units.cpus(facts.cpus)} as requested"
    against = f"but {'; '.join(facts.compromises)}" if facts.compromises else None
    return join(
        [f"{units.cpus(facts.cpus)} auto-selected: {'; '.join(facts.reasons) or 'the only one available'}", against]
    )


def passes(runs: Iterable[Run], model: LoadModel) -> dict[str, str]:
    """The passes as a whole, by name: their total, then the spread of the single ones."""
    runs = list(runs)
    first = [run.throughput for run in runs if run.throughput]
    single = [run.one_at_a_time for run in runs if run.one_at_a_time]
    timed = [run.timed for run in runs if run.timed]
    match model:
        case "closed":
            named = {
                "batched": _passes(first, "one call, look-ahead, no timestamps"),
                "one at a time": _passes(single, "a call per command, events read, no timestamps"),
                "timed pass": _passes(timed, "per-command timestamps"),
            }
        case "open":  # the thread is busy waiting
            named = {"throughput": _passes(first, "at intended start times, timestamps included", busy=None)}
        case "pipeline":
            how, busy = "end-to-end pipeline, timestamps included", "of the matcher's CPU time"
            named = {"throughput": _passes(first, how, busy)}
    return {name: line for name, line in named.items() if line}


def baselines(facts: Baselines, runs: Iterable[Run], model: LoadModel) -> str | None:
    """The baselines: the timer overhead; in a closed loop also the loop that only reads commands, and plain Python."""
    ours = [run.throughput.ns_per_command for run in runs if run.throughput and run.throughput.ns_per_command]
    if not ours:
        return None
    ns = statistics.median(ours)
    closed = model == "closed"
    return join(
        [
            f"{ns / facts.loop_ns:.1f}x a read-only loop over the commands ({units.time(facts.loop_ns)})"
            if closed and facts.loop_ns
            else None,
            f"Python reference engine {units.time(facts.reference_ns)} ({facts.reference_ns / ns:,.0f}x slower)"
            if closed and facts.reference_ns
            else None,
            f"timer overhead {units.time(facts.clock_ns)} (back-to-back timestamps)"
            if facts.clock_ns is not None
            else None,
        ]
    )


def journal(facts: Journal) -> str:
    """The cost of a journal by policy, next to the same batches without one."""
    off = next(each for each in facts.policies if each.policy == "off")
    return join(
        [
            f"batches of {units.short(facts.batch)}, {units.time(off.ns_per_command)} per command without a journal",
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


def _passes(passes: list[Throughput], how: str, busy: str | None = "of CPU time") -> str | None:
    if not passes:
        return None
    singles = [p.ns_per_command for p in passes if p.ns_per_command is not None]
    return join(
        [
            *typical(passes),
            _singles(singles) if len(singles) > 1 else None,
            cpu_time(passes, busy) if busy else None,
            how,
        ]
    )


def typical(passes: Sequence[Throughput]) -> tuple[str | None, str | None]:
    """The median pass as a rate and as a time per command."""
    ns = typical_ns(passes)
    return (units.rate(1e9 / ns), f"{units.time(ns)} per command") if ns else (None, None)


def cpu_time(passes: Sequence[Throughput], busy: str = "of CPU time") -> str | None:
    """CPU time per command, which does not include waiting for a CPU."""
    per_command = [p.cpu_ns / p.commands for p in passes if p.cpu_ns is not None and p.commands]
    return f"{units.time(statistics.median(per_command))} {busy}" if per_command else None


def _singles(values_ns: list[float]) -> str:
    listed = " ".join(f"{value:.1f}" for value in values_ns)
    return f"runs {min(values_ns):.1f}-{max(values_ns):.1f} ns ({listed})"


def load(facts: Load) -> str | None:
    """The target rate and the achieved rate, and for a pipeline the fate of the commands; None for a closed loop in
    which every command was answered."""
    lost = facts.sent - facts.acked - facts.rejected
    rate = delivered = None
    if facts.target_rate is not None and facts.achieved_rate is not None:
        rate = f"achieved {units.rate(facts.achieved_rate)} of {units.rate(facts.target_rate)} requested"
        rate += f", {facts.arrivals} arrivals" if facts.arrivals else ""
    if facts.producers is not None:
        delivered = (
            f"{units.plural(facts.producers, 'producer')}: {facts.sent:,} sent = {facts.acked:,} executed + "
            f"{facts.rejected:,} rejected"
        )
    parts = [
        rate,
        _ceiling(facts.loop_ceiling) if facts.loop_ceiling else None,
        delivered,
        f"{units.plural(facts.updates, 'level update')} published" if facts.updates is not None else None,
        f"{units.plural(lost, 'command')} unanswered" if lost else None,
        f"{units.plural(facts.out_of_range, 'latency value')} out of range" if facts.out_of_range else None,
    ]
    name = "pipeline" if facts.model == "pipeline" else f"{facts.model} loop"
    return join([name, *parts]) if any(parts) else None


def _ceiling(commands_per_s: float) -> str:
    """The limit of what the load can ask for, whatever the engine."""
    return f"loop ceiling {units.rate(commands_per_s)} ({1e9 / commands_per_s:.1f} ns per command)"


def workload(facts: Workload) -> str:
    """The composition of the flow."""
    total = sum(facts.mix.values())
    kinds = ", ".join(f"{kind} {units.share(count / total)}" for kind, count in facts.mix.items() if count)
    return join(
        [
            kinds,
            _extent("live orders", facts.live_orders),
            _extent("levels", facts.levels),
            units.plural(facts.trades, "trade") if facts.trades is not None else None,
            _extent("levels touched", facts.depth_touched),
            f"after a {units.short(facts.seeded)}-command warm-up (book pre-populated)" if facts.seeded else None,
            f"hash {_short(facts.hash)}" if facts.hash else None,
        ]
    )


def _short(hash_text: str) -> str:
    """A prefix of a hash, long enough to tell two apart; the document has the whole hash."""
    return hash_text if len(hash_text) <= _HASH_CHARACTERS else f"{hash_text[:_HASH_CHARACTERS]}..."


def _extent(name: str, extent: Extent | None) -> str | None:
    if extent is None:
        return None
    mean = f"{extent.mean:.2f}" if extent.mean < 100 else units.short(extent.mean)
    return f"{name} {mean} (peak {units.short(extent.peak)})"


def hot_path(facts: HotPath) -> str:
    """The engine's system activity after its start, and the memory allocated before."""
    locked = {True: "locked", False: "not locked", None: None}[facts.locked]
    huge = facts.huge_page_bytes
    return join(
        [
            _counted(facts.allocations, "allocation"),
            _counted(facts.page_faults, "page fault"),
            _counted(facts.involuntary_switches, "involuntary context switch"),
            units.plural(facts.pool_refusals, "command") + " rejected on pool exhaustion"
            if facts.pool_refusals
            else None,
            "pools grew " + units.plural(facts.pool_growths, "time") if facts.pool_growths else None,
            _memory(facts.memory),
            None if huge is None else f"{units.size(huge)} on huge pages" if huge else "no huge pages",
            locked,
            _numa(facts),
        ]
    )


def _numa(facts: HotPath) -> str | None:
    """The NUMA node of the memory, and whether the pages were found there."""
    pages = facts.numa_pages or {}
    total = sum(pages.values())
    if facts.numa_nodes == 0:
        return "no NUMA nodes"
    if facts.numa_nodes == 1 and facts.numa_verified is not False:
        return "single NUMA node" + (f" ({units.counted(total, 'page')} verified)" if total else "")
    where = "not bound to a node" if facts.numa_node is None else f"bound to node {facts.numa_node}"
    listed = ", ".join(f"{count:,} on node {node}" for node, count in pages.items())
    if facts.numa_verified is None:
        return None if facts.numa_node is None and facts.numa_nodes is None else f"{where}, pages not verified"
    if facts.numa_verified:
        return f"{where}, pages verified: {listed}"
    return f"{where}, but pages are on OTHER NODES: {listed or 'none found'}"


def _counted(count: int | None, noun: str) -> str:
    return f"{units.plural_of(noun)} not counted" if count is None else units.plural(count, noun)


def _memory(parts: dict[str, int]) -> str | None:
    if not parts:
        return None
    listed = ", ".join(f"{name} {units.size(count)}" for name, count in parts.items())
    return f"{units.size(sum(parts.values()))} ({listed})"


def os_noise(runs: Iterable[Run], model: LoadModel) -> str:
    """OS noise over all runs, and which runs are noisy; for a pipeline, that of its matcher."""
    runs = list(runs)
    seen = [run.os_noise for run in runs]
    gaps = [d.largest_gap_ns for d in seen if d.largest_gap_ns is not None]
    steal_ns = _sum(seen, "steal_ns")
    noisy = [f"run {run.number}: {', '.join(run.os_noise.reasons)}" for run in runs if run.os_noise.noisy]
    unknown = sum(run.os_noise.noisy is None for run in runs)
    return join(
        [
            "matcher thread and its CPU" if model == "pipeline" else None,
            _seen(seen, "involuntary_switches", "involuntary context switch"),
            _seen(seen, "migrations", "migration"),
            _seen(seen, "timer_interrupts", "timer interrupt"),
            f"steal {units.time(steal_ns)}" if steal_ns is not None else None,
            f"largest gap {units.time(max(gaps))}" if gaps else None,
            f"noisy: {len(noisy)} of {units.plural(len(runs), 'run')} ({'; '.join(noisy)})" if noisy else None,
            f"noise not known in {units.plural(unknown, 'run')}" if unknown else None,
        ]
    )


def _sum(seen: list[OsNoise], field: str) -> int | None:
    values = [getattr(d, field) for d in seen]
    return sum(value for value in values if value is not None) if any(v is not None for v in values) else None


def _seen(seen: list[OsNoise], field: str, noun: str) -> str | None:
    count = _sum(seen, field)
    return None if count is None else units.plural(count, noun)


def verification(report: Report) -> str:
    """How the results were verified."""
    facts = report.verification
    if facts is None:
        return "nothing"
    stretches = _compared(facts)
    verdict = {
        True: f"{stretches} identical to the reference engine's",
        False: f"{stretches} DIFFERENT from the reference engine's",
        None: not_compared(report),
    }[facts.equal]
    return join(
        [
            compared(facts.native) if facts.native else None,
            f"digest {_short(facts.digest)}" + (f" over {units.plural(facts.events, 'event')}" if facts.events else ""),
            _golden(facts.golden) if facts.golden else None,
            verdict,
            _matched("recorded bursts filled as on the venue", facts.matched, facts.bursts),
            _matched("best bids and asks match the vendor's file", facts.quotes_matched, facts.quotes),
        ]
    )


def compared(check: NativeCheck) -> str:
    """The comparison of every event with the native engine's."""
    left = f" ({' and '.join(check.not_compared)} left out)" if check.not_compared else ""
    if check.difference:
        return f"events DIFFERENT from the native engine's {check.difference}{left}"
    return f"all {units.plural(check.events, 'event')} identical to the native engine's{left}"


def _compared(facts: Verification) -> str:
    commands = units.plural(facts.reference_commands, "command")
    if facts.reference_stretches > 1:
        return f"{commands} in {facts.reference_stretches} stretches of the flow"
    return f"first {commands}"


def _golden(facts: GoldenCheck) -> str:
    up_to = f"the golden digest up to command {facts.commands:,}"
    return f"equal to {up_to}" if facts.digest == facts.expected else f"DIFFERENT from {up_to}"


def not_compared(report: Report) -> str:
    """That the engine was not compared with the reference engine, and why if the report knows."""
    why = report.not_available.get("verification.equal")
    return f"comparison with the reference engine {why}" if why else "not compared with the reference engine"


def _matched(name: str, matched: int | None, checked: int | None) -> str | None:
    if matched is None or not checked:
        return None
    return f"{matched:,} of {checked:,} {name} ({matched / checked:.3%})"


def bands(series: SummarySeries) -> str:
    """The share of samples in each latency range that is not empty."""
    return join(f"{band.name} {units.share(band.share)}" for band in series.bands if band.count)


def budget_class(report: Report) -> str | None:
    """The budget class and the total it is based on; None unless every stage was measured."""
    if report.budget_class is None or report.budget_class.leaves_out:
        return None
    limit = f" (< {units.time(report.budget_class.limit_ns)})" if report.budget_class.limit_ns else ""
    return f"{report.budget_class.name}{limit}: {units.time(report.budget_class.total_ns)}"


def status(report: Report) -> str | None:
    """Why the report is not ok; None if it is."""
    if report.status == "ok":
        return None
    meaning = {
        "interrupted": "INTERRUPTED: partial results",
        "invalid": "INVALID: discard these results",
    }
    return f"{meaning[report.status]}: {'; '.join(report.status_reasons) or 'no reason given'}"
