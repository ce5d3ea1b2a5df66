"""From what the runs measured to one report."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from lowlat.engine import _core
from lowlat.engine.bench.crosscheck import PrefixCheck
from lowlat.engine.bench.load import load_facts
from lowlat.engine.bench.placement import Place
from lowlat.engine.bench.protocol import (
    ClosedLoop,
    JournalCost,
    JournaledPasses,
    Load,
    OpenLoop,
    Outcome,
    Pass,
    Pipeline,
)
from lowlat.engine.flow.order_flow import Extent, Flow
from lowlat.engine.matching.config import EngineConfig
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.host.facts import host_facts
from lowlat.probes.reading import Reading
from lowlat.reports.histogram.hdr_codec import decode
from lowlat.reports.histogram.histogram import merge
from lowlat.reports.model import context, results
from lowlat.reports.model.budget import Measured, budget, tier
from lowlat.reports.model.report import Report
from lowlat.reports.model.series import series_of, summarize


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that ended with a result; `started` in UTC."""

    index: int
    started: datetime
    duration_s: float
    outcome: Outcome


def assemble(
    flow: Flow,
    sized: EngineConfig,
    engine: str,
    command: Sequence[str],
    load: Load,
    finished: Sequence[Finished],
    prefix: PrefixCheck | None,
    place: Place,
    *,
    planned: int,
    surroundings: Mapping[str, Measured] | None = None,
    journal: Path | None = None,
) -> Report:
    """The report of one or more finished runs; fewer than `planned` of them: it was interrupted.

    So it was when there is no `prefix`, since the check of the prefix comes last. `surroundings`: stages of the budget
    beside the application. `journal`: where the runs left one.
    """
    interrupted = len(finished) < planned or prefix is None
    outcomes = [run.outcome for run in finished]
    runs = tuple(_run(run) for run in finished)
    summary = summarize(runs)
    loaded = load_facts(load, outcomes)
    wrong = (*_why_not_valid(load, outcomes, prefix), *loaded.missed)
    host, absent = _host(outcomes)
    stages = budget(_application(load, summary) | dict(surroundings or {}))
    status: Literal["ok", "interrupted", "invalid"] = "ok"
    if wrong or interrupted:
        status = "invalid" if wrong else "interrupted"
    left = "before the check against the reference engine" if len(finished) == planned else ""
    stopped = (f"interrupted {left or f'after {len(finished)} of {planned} runs'}",) if interrupted else ()
    return Report(
        status=status,
        status_reasons=(*wrong, *stopped),
        tool=_tool(),
        command=tuple(command),
        engine=context.Engine(name=engine, settings=_settings(sized)),
        workload=_workload(flow, load),
        load=loaded,
        host=host,
        clock=_clock(outcomes),
        runs=runs,
        summary=summary,
        budget=stages,
        tier=tier(stages),
        hot_path=_hot_path(outcomes, place),
        verification=_verification(outcomes, prefix),
        gate=None,
        not_available=absent | _absent(outcomes),
        baselines=_baselines(outcomes, prefix),
        journal=_journal(outcomes, journal),
        topology=place.topology_facts,
        placement=place.placement,
    )


def _why_not_valid(load: Load, outcomes: Sequence[Outcome], prefix: PrefixCheck | None) -> Iterable[str]:
    digests = {outcome.digest for outcome in outcomes}
    same_order = not isinstance(load, Pipeline) or load.producers == 1
    if len(digests) > 1 and same_order:
        yield f"runs over the same commands gave {len(digests)} different event streams"
    for index, outcome in enumerate(outcomes):
        counts = {outcome.events, *(done.events for done in outcome.passes)}
        if len(counts) > 1:
            yield f"run {index}: its passes gave different numbers of events: {sorted(counts)}"
        if not outcome.same_tail:
            yield f"run {index}: a measured pass ended in other events than the digested one"
        for fault in outcome.delivery.faults if outcome.delivery else ():
            yield f"run {index}: {fault}"
        if outcome.log_fault:
            yield f"run {index}: {outcome.log_fault}"
        if outcome.refusals:
            yield (
                f"a pool was too small: {outcome.refusals:,} of {outcome.stamped.commands:,} commands were refused for "
                "want of room, so this is not the flow that was asked for; give more --orders, or --when-dry grow"
            )
            break
        if outcome.out_of_range:
            yield f"run {index}: {outcome.out_of_range} latencies above the histogram's range of 73 minutes"
    if prefix is not None and prefix.difference:
        yield f"the {prefix.engine} engine differs from the reference engine: {prefix.difference}"


def _run(run: Finished) -> results.Run:
    outcome = run.outcome
    histograms = [(each, decode(each.hdr, (each.min_ns, each.max_ns))) for each in outcome.latencies]
    series = []
    for measure in dict.fromkeys(each.measure for each in outcome.latencies):
        by_op = {each.op: histogram for each, histogram in histograms if each.measure == measure}
        series += [series_of(op, measure, histogram) for op, histogram in by_op.items()]
        series.append(series_of("all", measure, merge(by_op.values())))
    return results.Run(
        index=run.index,
        started=run.started.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        duration_s=round(run.duration_s, 6),
        throughput=_throughput(outcome.plain or outcome.stamped),
        stamped=_throughput(outcome.stamped) if outcome.plain else None,
        disturbances=_disturbances(outcome),
        series=tuple(series),
    )


def _throughput(done: Pass) -> results.Throughput:
    return results.Throughput.of(done.commands, done.wall_ns, done.cpu_ns)


def _disturbances(outcome: Outcome) -> results.Disturbances:
    seen = outcome.disturbance
    return results.Disturbances(
        involuntary_switches=_in_passes(outcome, "involuntary_switches"),
        voluntary_switches=_in_passes(outcome, "voluntary_switches"),
        migrations=seen.migrations,
        minor_faults=_in_passes(outcome, "minor_faults"),
        major_faults=_in_passes(outcome, "major_faults"),
        timer_interrupts=seen.timer_interrupts,
        steal_ns=None if seen.steal_ms is None else seen.steal_ms * 1_000_000,
        largest_gap_ns=outcome.largest_gap_ns,
        disturbed=bool(seen.reasons),
        reasons=tuple(seen.reasons),
    )


def _in_passes(outcome: Outcome, counter: str) -> int | None:
    return _total(getattr(done, counter) for done in outcome.passes)


def _total(values: Iterable[int | None]) -> int | None:
    listed = list(values)
    return None if None in listed else sum(value for value in listed if value is not None)


def _tool() -> context.Tool:
    build = _core.build_facts()
    flags = [build["flags"]]
    flags += [f"-fsanitize={build['sanitize']}"] if build["sanitize"] else []
    flags += ["-DLOWLAT_CHECKED"] if build["checked"] else []
    return context.Tool(
        version=version("lowlat"),
        git=build["git"] or None,
        build=context.Build(compiler=build["compiler"], flags=" ".join(flags), isa=build["isa"]),
    )


def _settings(sized: EngineConfig) -> dict[str, str | int | float | bool | None]:
    return {
        "symbols": len(sized.instruments),
        "orders": sized.orders,
        "trades": sized.trades,
        "when_orders_dry": sized.when_orders_dry.name.lower(),
        "when_trades_dry": sized.when_trades_dry.name.lower(),
    }


def _workload(flow: Flow, load: Load) -> context.Workload:
    overtaking = isinstance(load, Pipeline) and load.producers > 1
    in_turn = ("producers overtake each other: live orders, levels and trades are those of the flow in its own order",)
    return context.Workload(
        profile=flow.name,
        seed=flow.seed,
        commands=len(flow.measured),
        mix=flow.mix,
        live_orders=_extent(flow.live_orders),
        levels=_extent(flow.levels),
        depth_touched=_extent(flow.depth_touched),
        trades=flow.trades,
        hash=f"sha256:{flow.hash}",
        seeded=flow.seeded,
        notes=(*flow.notes, *(in_turn if overtaking else ())),
    )


def _extent(extent: Extent | None) -> context.Extent | None:
    return None if extent is None else context.Extent(mean=round(extent.mean, 3), peak=extent.peak)


def _clock(outcomes: Sequence[Outcome]) -> context.Clock:
    clocks = [outcome.clock for outcome in outcomes]
    return context.Clock(
        source=clocks[0].source,
        frequency_hz=statistics.median(clock.frequency_hz for clock in clocks),
        uncertainty_ppm=max(clock.uncertainty_ppm for clock in clocks),
        read_cost_ns=round(statistics.median(clock.read_cost_ns for clock in clocks), 3),
        step_ns=round(statistics.median(clock.step_ns for clock in clocks), 3),
        frequency_source=clocks[0].frequency_source,
        invariant=clocks[0].invariant,
    )


def _application(load: Load, summary: Sequence[results.SummarySeries]) -> dict[str, Measured]:
    whole = next(series for series in summary if series.op == "all" and series.measure in ("response", "service"))
    match load:
        case ClosedLoop():
            what = "p99 of matching one command"
        case OpenLoop():
            what = "p99 from when a command is due until it is matched"
        case Pipeline(arrivals=None):
            return {"application": Measured(None, "producers keep the queue full: times are its length; give a --rate")}
        case Pipeline():
            what = "p99 from when an order is due until the book shows what it did"
    basis = f"{what}; decoding, risk checks and strategy are not in it"
    return {"application": Measured(whole.percentiles["99"].value, basis)}


def _hot_path(outcomes: Sequence[Outcome], place: Place) -> results.HotPath:
    passes = [done for outcome in outcomes for done in outcome.passes]
    memory = outcomes[0].memory
    return results.HotPath(
        allocations=_total(done.allocations for done in passes),
        page_faults=_total(
            None if done.minor_faults is None or done.major_faults is None else done.minor_faults + done.major_faults
            for done in passes
        ),
        involuntary_switches=_total(done.involuntary_switches for done in passes),
        memory=memory.parts,
        huge_page_bytes=memory.huge_page_bytes,
        locked=memory.locked,
        numa_node=_only(outcome.memory.node for outcome in outcomes),
        numa_nodes=len(place.nodes.value or ()),
        numa_pages=_pages(outcomes),
        numa_verified=_verified(outcomes, place),
        pool_refusals=sum(outcome.refusals for outcome in outcomes),
        pool_growths=sum(outcome.growths for outcome in outcomes),
        trades_recycled=sum(outcome.trades_recycled for outcome in outcomes),
    )


def _only(values: Iterable[int | None]) -> int | None:
    """The value that all have, if it is one."""
    different = set(values)
    return different.pop() if len(different) == 1 else None


def _pages(outcomes: Sequence[Outcome]) -> dict[str, int] | None:
    total: Counter[int] = Counter()
    for outcome in outcomes:
        if outcome.memory.pages_by_node is None:
            return None
        total.update(outcome.memory.pages_by_node)
    return {str(node): total[node] for node in sorted(total)}


def _verified(outcomes: Sequence[Outcome], place: Place) -> bool | None:
    """Whether each run's pages are all on the node that its CPU's memory belongs to; None when not all can be told."""
    wanted = [place.memory_node(outcome.cpu).value for outcome in outcomes]
    if None in wanted or any(outcome.memory.pages_by_node is None for outcome in outcomes):
        return None
    return all(
        set(outcome.memory.pages_by_node or ()) == {node} and not outcome.memory.pages_astray
        for node, outcome in zip(wanted, outcomes, strict=True)
    )


def _verification(outcomes: Sequence[Outcome], prefix: PrefixCheck | None) -> results.Verification:
    return results.Verification(
        digest=f"sha256:{outcomes[0].digest}",
        events=outcomes[0].digested_events,
        reference_prefix=prefix.commands if prefix else 0,
        equal=None if prefix is None else prefix.difference is None,
        bursts=None,
        matched=None,
        quotes=None,
        quotes_matched=None,
        mismatches=(),
    )


def _baselines(outcomes: Sequence[Outcome], prefix: PrefixCheck | None) -> results.Baselines:
    loops = [outcome.loop_ns for outcome in outcomes if outcome.loop_ns is not None]
    reference_ns = prefix.reference_ns if prefix else None
    return results.Baselines(
        loop_ns=round(statistics.median(loops), 3) if loops else None,
        clock_ns=statistics.median(outcome.clock_ns for outcome in outcomes),
        reference_ns=None if reference_ns is None else round(reference_ns, 1),
        reference_commands=prefix.commands if prefix else 0,
    )


def _journal(outcomes: Sequence[Outcome], file: Path | None) -> results.Journal | None:
    costs = [outcome.journal for outcome in outcomes if outcome.journal is not None]
    if not costs or file is None:
        return None
    return results.Journal(
        file=str(file),
        size_bytes=costs[-1].size_bytes,
        batch=costs[0].batch,
        policies=tuple(_policy(costs, at) for at in range(len(costs[0].policies))),
    )


def _policy(costs: Sequence[JournalCost], at: int) -> results.JournalPolicy:
    """One policy over all runs; what it costs more is taken within each run, whose passes were in turn."""
    passes = [cost.policies[at] for cost in costs]
    without = [_ns_per_command(cost.policies[0]) for cost in costs]
    own = [_ns_per_command(each) for each in passes]
    off = passes[0].policy == "off"
    more = statistics.median(mine - bare for mine, bare in zip(own, without, strict=True))
    return results.JournalPolicy(
        policy=passes[0].policy,
        commands=passes[0].commands,
        ns_per_command=round(statistics.median(own), 3),
        more_ns_per_command=None if off else round(more, 3),
        syncs=sum(each.syncs for each in passes),
        sync_p50_ns=_median_ns(each.sync_p50_ns for each in passes),
        sync_p99_ns=_median_ns(each.sync_p99_ns for each in passes),
    )


def _ns_per_command(passes: JournaledPasses) -> float:
    return statistics.median(passes.wall_ns) / max(passes.commands, 1)


def _median_ns(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known)) if known else None


def _host(outcomes: Sequence[Outcome]) -> tuple[context.Host, dict[str, str]]:
    """The host's facts, and why those that are None are. Steal is that of the measured CPUs during the passes."""
    read = host_facts()
    readings: dict[str, Reading[Any]] = {
        "cpu": read.cpu_brand,
        "cores": read.logical_cpus,
        "kernel": read.kernel_release,
        "cmdline": read.kernel_cmdline,
        "governor": read.governor,
        "turbo": read.turbo,
        "isolated": read.isolated_cpus,
        "clocksource": read.clocksource,
        "load_average": read.load_average,
    }
    host = context.Host(
        cpu=read.cpu_brand.value,
        cores=read.logical_cpus.value,
        measured_cpus=format_cpu_list({outcome.cpu for outcome in outcomes}),
        kernel=read.kernel_release.value,
        cmdline=read.kernel_cmdline.value,
        governor=read.governor.value,
        turbo=read.turbo.value,
        isolated=None if read.isolated_cpus.value is None else format_cpu_list(read.isolated_cpus.value),
        clocksource=read.clocksource.value,
        virtualization=read.virtualization.text,
        steal_percent=_steal_percent(outcomes),
        load_average=read.load_average.value,
    )
    return host, {f"host.{name}": reading.text for name, reading in readings.items() if reading.value is None}


def _steal_percent(outcomes: Sequence[Outcome]) -> float | None:
    stolen_ms = _total(outcome.disturbance.steal_ms for outcome in outcomes)
    wall_ns = sum(done.wall_ns for outcome in outcomes for done in outcome.passes)
    # The kernel counts steal in ticks of some milliseconds: a short pass can seem wholly stolen, and no more.
    return None if stolen_ms is None else min(100.0, round(stolen_ms * 1e8 / wall_ns, 2))


def _absent(outcomes: Sequence[Outcome]) -> dict[str, str]:
    absent = {f"runs.disturbances.{name}": why for name, why in outcomes[0].disturbance.absent.items()}
    absent |= {f"hot_path.{name}": why for name, why in outcomes[0].memory.absent.items()}
    if unknown := absent.get("hot_path.numa_pages"):
        absent["hot_path.numa_verified"] = unknown
    if outcomes[0].largest_gap_ns is None:
        absent["runs.disturbances.largest_gap_ns"] = (
            "not measured: stamps follow each other at once in the native engine's closed loop only"
        )
    nodes = sorted({outcome.memory.node for outcome in outcomes if outcome.memory.node is not None})
    if len(nodes) > 1:
        absent["hot_path.numa_node"] = f"not one: the runs were bound to nodes {', '.join(map(str, nodes))}"
    if outcomes[0].stamped.allocations is None:
        absent["hot_path.allocations"] = "not available here, because this build or engine does not count them"
    return absent
