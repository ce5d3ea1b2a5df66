"""Builds one report from the results of the runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Literal

from lowlat import units
from lowlat.engine.bench import over_runs, report_context
from lowlat.engine.bench.crosscheck import ReferenceCheck
from lowlat.engine.bench.load import load_facts
from lowlat.engine.bench.placement import Place
from lowlat.engine.bench.protocol import ClosedLoop, Load, OpenLoop, Pipeline, RunOutcome
from lowlat.engine.flow.golden import Golden
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.matching.config import EngineConfig
from lowlat.reports.model import results
from lowlat.reports.model.budget import Measured, budget, budget_class
from lowlat.reports.model.clock_faults import clock_fault, pass_faults
from lowlat.reports.model.report import INTERRUPTED, Report
from lowlat.reports.model.series import summarize


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that ended with a result; `started` in UTC."""

    index: int
    started: datetime
    duration_s: float
    outcome: RunOutcome


def assemble(
    flow: Flow,
    sized: EngineConfig,
    engine: str,
    command: Sequence[str],
    load: Load,
    finished: Sequence[Finished],
    checked: ReferenceCheck | None,
    place: Place,
    *,
    planned: int,
    surroundings: Mapping[str, Measured] | None = None,
    journal: Path | None = None,
    golden: Golden | None = None,
) -> Report:
    """The report of one or more finished runs. Fewer than `planned` runs mean that it was interrupted.

    So does a missing `checked`, because that check comes last. `surroundings`: stages of the latency budget
    outside the application. `journal`: where the runs left a journal. `golden`: what the events must be, if known.
    """
    outcomes = [run.outcome for run in finished]
    runs = tuple(run_of(run, load) for run in finished)
    summary = summarize(runs)
    loaded = load_facts(load, outcomes)
    untrue = (*_wrong_engine(flow, engine, outcomes, golden), *_wrong_clocks(load, outcomes, runs))
    wrong = (*untrue, *_reasons_invalid(load, outcomes, checked), *loaded.missed)
    status, reasons = _status(wrong, len(finished), planned, checked)
    host, absent = report_context.host(outcomes, runs)
    stages = budget(_application(load, summary) | dict(surroundings or {}))
    return Report(
        status=status,
        status_reasons=reasons,
        tool=report_context.tool(),
        command=tuple(command),
        engine=report_context.engine(engine, sized, outcomes),
        workload=report_context.workload(flow, load),
        load=loaded,
        host=host,
        clock=over_runs.clock_of(outcomes),
        runs=runs,
        summary=summary,
        budget=stages,
        budget_class=budget_class(stages),
        hot_path=over_runs.hot_path_of(outcomes, place),
        verification=_verification(outcomes[0], checked, golden),
        gate=None,
        not_available=absent | _absent(outcomes, checked),
        baselines=over_runs.baselines_of(outcomes, checked),
        journal=over_runs.journal_of(outcomes, journal),
        topology=place.topology_facts,
        placement=place.placement,
    )


def _status(
    wrong: tuple[str, ...], finished: int, planned: int, checked: ReferenceCheck | None
) -> tuple[Literal["ok", "interrupted", "invalid"], tuple[str, ...]]:
    """The status, and why it is not ok."""
    if finished == planned and checked is not None:
        return "invalid" if wrong else "ok", wrong
    left = (
        "before the check against the reference engine"
        if finished == planned
        else f"after {finished} of {units.plural(planned, 'run')}"
    )
    return "invalid" if wrong else "interrupted", (*wrong, f"{INTERRUPTED}{left}")


def _other_events(engine: str, outcomes: Sequence[RunOutcome]) -> Iterator[str]:
    """Whether an engine of another's gave other events than the native one; said first, since no figure then counts."""
    for outcome in outcomes:
        if outcome.native_check and outcome.native_check.difference:
            yield f"{engine} executes other trades than the native engine {outcome.native_check.difference}"
            return


def _wrong_engine(flow: Flow, engine: str, outcomes: Sequence[RunOutcome], golden: Golden | None) -> Iterator[str]:
    """Whether the events are those of the native engine, where they were compared, or else those that the reference
    engine gives for this profile; not if pools were too small.
    """
    if other := [*_other_events(engine, outcomes)]:
        yield from other
        return
    if golden is None or any(outcome.hot_path.pool_refusals for outcome in outcomes):
        return
    for index, outcome in enumerate(outcomes):
        if outcome.golden_part != golden.digest:
            yield (
                f"the {engine} engine is wrong: in run {index + 1}, its events up to command {golden.commands:,} of "
                f"{flow.name}, seed {flow.seed}, are not those of the reference engine: their digest is "
                f"sha256:{(outcome.golden_part or '')[:16]}..., the golden one sha256:{golden.digest[:16]}..."
            )
            return


def _wrong_clocks(load: Load, outcomes: Sequence[RunOutcome], runs: Sequence[results.Run]) -> Iterator[str]:
    """The first clock that another one contradicts."""
    calibrated = (fault for outcome in outcomes if (fault := clock_fault(outcome.clock)))
    elsewhere = isinstance(load, Pipeline) or any(outcome.process for outcome in outcomes)
    passed = () if elsewhere else pass_faults(runs)
    yield from islice(chain(calibrated, passed), 1)


def _reasons_invalid(load: Load, outcomes: Sequence[RunOutcome], checked: ReferenceCheck | None) -> Iterator[str]:
    digests = {outcome.digest for outcome in outcomes}
    same_order = not isinstance(load, Pipeline) or load.producers == 1
    if len(digests) > 1 and same_order:
        yield f"runs over the same commands gave {len(digests)} different event streams"
    for index, outcome in enumerate(outcomes):
        if len(set(outcome.events)) > 1:
            yield f"run {index + 1}: its passes gave different numbers of events: {sorted(set(outcome.events))}"
        if not outcome.same_tail:
            yield f"run {index + 1}: a measured pass ended in different events than the digested one"
        for fault in outcome.faults:
            yield f"run {index + 1}: {fault}"
        if refusals := outcome.hot_path.pool_refusals:
            yield (
                f"a pool was too small: {refusals:,} of {outcome.throughput.commands:,} commands rejected on "
                "pool exhaustion, so this is not the requested flow; use more --orders, or --on-exhaustion grow"
            )
            break
        if outcome.out_of_range:
            yield (
                f"run {index + 1}: {units.counted(outcome.out_of_range, 'latency value')} above the histogram's "
                "range of 73 minutes"
            )
    if checked is not None and checked.difference:
        yield f"the {checked.engine} engine differs from the reference engine: {checked.difference}"


def run_of(run: Finished, load: Load) -> results.Run:
    """A run as a report describes it."""
    paced = not isinstance(load, ClosedLoop) and load.arrivals is not None
    return results.Run(
        number=run.index + 1,
        started=run.started.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        duration_s=round(run.duration_s, 6),
        throughput=run.outcome.throughput,
        one_at_a_time=run.outcome.one_at_a_time,
        timed=run.outcome.timed,
        passes=run.outcome.passes,
        least_cpu_ns=run.outcome.least_cpu_ns,
        counters=run.outcome.counters,
        counters_one_at_a_time=run.outcome.counters_one_at_a_time,
        os_noise=run.outcome.os_noise,
        series=run.outcome.series,
        quiet=run.outcome.quiet,
        late_ns=run.outcome.late_ns if paced else None,
        waited_ns=run.outcome.waited_ns,
        garbage_collection=run.outcome.garbage_collection,
    )


def _application(load: Load, summary: Sequence[results.SummarySeries]) -> dict[str, Measured]:
    whole = next(series for series in summary if series.op == "all" and series.measure in ("response", "service"))
    match load:
        case ClosedLoop():
            what = "p99 of matching one command"
        case OpenLoop():
            what = "p99 from the intended start of a command until it is matched"
        case Pipeline(arrivals=None):
            return {
                "application": Measured(
                    None, "producers keep the queue full, so latency is queueing time; set a --rate"
                )
            }
        case Pipeline():
            what = "p99 from the intended start of an order until the book shows its effect"
    basis = f"{what}; excludes decoding, risk checks and strategy"
    return {"application": Measured(whole.percentiles["99"].value, basis)}


def _verification(outcome: RunOutcome, checked: ReferenceCheck | None, golden: Golden | None) -> results.Verification:
    return results.Verification(
        digest=f"sha256:{outcome.digest}",
        events=outcome.digested_events,
        reference_commands=checked.commands if checked else 0,
        reference_stretches=checked.stretches if checked else 0,
        equal=checked.equal if checked else None,
        bursts=None,
        matched=None,
        quotes=None,
        quotes_matched=None,
        mismatches=(),
        golden=results.GoldenCheck(
            commands=golden.commands, digest=f"sha256:{outcome.golden_part}", expected=f"sha256:{golden.digest}"
        )
        if golden
        else None,
        native=outcome.native_check,
    )


def _absent(outcomes: Sequence[RunOutcome], checked: ReferenceCheck | None) -> dict[str, str]:
    first, absent = outcomes[0], dict(outcomes[0].absent)
    nodes = sorted({node for outcome in outcomes if (node := outcome.hot_path.numa_node) is not None})
    if len(nodes) > 1:
        absent["hot_path.numa_node"] = f"not one: the runs were bound to nodes {', '.join(map(str, nodes))}"
    if first.hot_path.allocations is None:
        absent["hot_path.allocations"] = "not available here, because this build or engine does not count them"
    if (library := first.library) and library.heap_growth_bytes is None:
        absent["engine.library.heap_growth_bytes"] = "not available here, because this C library does not tell"
    if checked is not None and checked.skipped:
        absent |= dict.fromkeys(("verification.equal", "baselines.reference_ns"), checked.skipped)
    return absent
