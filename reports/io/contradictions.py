"""Derives every figure of a report again that follows from others, and names the first that differs.

A document can satisfy its schema and still contradict itself. What nothing in a document can contradict (the name of a
processor, a count that stands alone) is listed in `tests/integration/test_report_leaves.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Final

from lowlat import units
from lowlat.errors import NotValidError
from lowlat.os_noise import is_noisy, reasons_of
from lowlat.reports.model import budget, over_runs, recording
from lowlat.reports.model.clock_faults import clock_fault, pass_faults
from lowlat.reports.model.context import Extent
from lowlat.reports.model.lateness import is_late
from lowlat.reports.model.recording import RECORDED
from lowlat.reports.model.report import Report, is_interruption
from lowlat.reports.model.results import (
    GarbageCollection,
    GoldenCheck,
    HardwareCounters,
    NativeCheck,
    OsNoise,
    Run,
    Throughput,
    Verification,
)

_TOLERANCE: Final = 1e-9
_SHOWN_MAX: Final = 100
_WAITED_SHARE: Final = 0.01
_WAITED_NS: Final = 1_000_000
"""By how much two counters of the kernel, one of the scheduler and one of the CPU clock, may differ."""
_STEP_NS: Final = 2
"""Two conversions of ticks, each rounded down."""


def expect(place: str, told: object, derived: object, basis: str) -> None:
    """Raise `NotValidError` unless a field says what follows from `basis`."""
    if isinstance(told, float) and isinstance(derived, float | int) and math.isclose(told, derived, rel_tol=_TOLERANCE):
        return
    if told != derived:
        raise NotValidError(f"{place} is {_shown(told)}, but {basis} {_shown(derived)}; discard the document")


def require(holds: bool, place: str, told: object, rule: str) -> None:
    """Raise `NotValidError` unless a field keeps to a rule."""
    if not holds:
        raise NotValidError(f"{place} is {_shown(told)}, but {rule}; discard the document")


def check_parts(report: Report) -> None:
    """Raise `NotValidError`, naming the field, if the parts of a report, which has runs, contradict each other."""
    recorded = report.load.model == RECORDED
    for name in ("recording", "engine"):
        there = getattr(report, name) is not None
        require(there == (recorded == (name == "recording")), name, there, f"the load model is {report.load.model}")
    own = (_check_recording,) if recorded else (_check_workload, _check_load, _check_budget, _check_verification)
    for check in (*own, _check_status, _check_hot_path):
        check(report)
    for index, run in enumerate(report.runs):
        _check_run(report, run, index)
    _check_journal(report)
    _check_absent(report)


# -- recordings of another program ----------------------------------------------------------------------------------


def _check_recording(report: Report) -> None:
    """Only its latencies are known: whatever else a report could say, lowlat did not measure."""
    work = report.workload
    for name, part in recording.report_parts(work.profile, work.notes, report.runs).items():
        _expect_part(name, getattr(report, name), part)
    for index, run in enumerate(report.runs):
        for name, part in recording.RUN_PARTS.items():
            _expect_part(f"runs[{index}].{name}", getattr(run, name), part)
    for name in ("measured_cpus", "steal_percent"):
        expect(f"host.{name}", getattr(report.host, name), None, "a recording has")
    told = report.recording
    if told is not None:
        run_by_us = told.source == "command"
        require(bool(told.command) == run_by_us, "recording.command", told.command, f"source is {told.source}")
        named = told.source in ("pipe", "file")
        require(bool(told.files) == named, "recording.files", told.files, f"source is {told.source}")


def _expect_part(place: str, told: object, derived: object) -> None:
    """Compare the fields of a part, so that the message names the one that differs."""
    if is_dataclass(told) and is_dataclass(derived):
        for field in fields(derived):
            place_of = f"{place}.{field.name}"
            expect(place_of, getattr(told, field.name), getattr(derived, field.name), "a recording has")
    else:
        expect(place, told, derived, "a recording has")


# -- runs -----------------------------------------------------------------------------------------------------------


def _check_run(report: Report, run: Run, index: int) -> None:
    place = f"runs[{index}]"
    expect(f"{place}.number", run.number, index + 1, "it is number")
    closed, paced = report.load.model == "closed", report.load.target_rate is not None
    for name in ("throughput", "one_at_a_time", "timed"):
        done: Throughput | None = getattr(run, name)
        if done is None:
            continue
        require(closed or name == "throughput", f"{place}.{name}", "there", "only a closed loop has that pass")
        _check_pass(f"{place}.{name}", done, report.workload.commands)
    _check_least_cpu(f"{place}.least_cpu_ns", run, closed=closed)
    _check_counters(place, run, closed=closed)
    require((run.late_ns is not None) == paced, f"{place}.late_ns", run.late_ns, "it goes with load.target_rate")
    took = run.duration_s is None or run.duration_s * 1e9 + 1e3 >= run.os_noise.wall_ns
    require(took, f"{place}.duration_s", run.duration_s, "its passes took longer")
    _check_noise(f"{place}.os_noise", run, pipeline=report.load.model == "pipeline")
    _check_collections(f"{place}.garbage_collection", run.garbage_collection, run.os_noise.wall_ns)
    _check_waited(f"{place}.waited_ns", run, open_loop=report.load.model == "open")


def _check_collections(place: str, told: GarbageCollection | None, wall_ns: int) -> None:
    if told is None:
        return
    rounded = told.longest_ns * max(told.collections, 1) + 1
    require(told.longest_ns <= told.pause_ns <= rounded, f"{place}.longest_ns", told.longest_ns, f"of {told.pause_ns}")
    require(told.collections > 0 or told.pause_ns == 0, f"{place}.collections", told.collections, "there is a pause")
    require(told.pause_ns <= wall_ns, f"{place}.pause_ns", told.pause_ns, f"the passes took {wall_ns} ns")


def _check_counters(place: str, run: Run, *, closed: bool) -> None:
    """Only the passes of a closed loop are counted; and a mispredicted branch is an instruction."""
    for name in ("counters", "counters_one_at_a_time"):
        told: HardwareCounters | None = getattr(run, name)
        if told is None:
            continue
        require(closed, f"{place}.{name}", "there", "only the passes of a closed loop are counted")
        missed, of = told.branch_misses, told.instructions
        if missed is not None and of is not None:
            require(missed <= of, f"{place}.{name}.branch_misses", missed, f"of {of} instructions")


def _check_waited(place: str, run: Run, *, open_loop: bool) -> None:
    """What the latencies leave out is time without a CPU, as another counter of the kernel has it too."""
    if run.waited_ns is None:
        return
    require(open_loop, place, run.waited_ns, "only an open loop leaves waits out")
    off_ns = run.os_noise.off_cpu_ns
    most_ns = run.os_noise.wall_ns if off_ns is None else (1 + _WAITED_SHARE) * off_ns + _WAITED_NS
    require(run.waited_ns <= most_ns, place, run.waited_ns, f"the thread was off its CPU for {off_ns} ns")


def _check_least_cpu(place: str, run: Run, *, closed: bool) -> None:
    told, shown = run.least_cpu_ns, run.throughput.cpu_ns if run.throughput else None
    if told is not None:
        require(closed and shown is not None, place, told, "only a closed loop has it, and the CPU time of its passes")
        _check_sum(place, told, shown or 0, run, "cpu_ns", least=True)


def _check_pass(place: str, done: Throughput, commands: int | None) -> None:
    expect(f"{place}.commands", done.commands, commands, "workload.commands is")
    derived = Throughput.of(done.commands, done.wall_ns, done.cpu_ns)
    for name in ("commands_per_s", "ns_per_command"):
        expect(f"{place}.{name}", getattr(done, name), getattr(derived, name), "commands and wall_ns give")


def _check_noise(place: str, run: Run, *, pipeline: bool) -> None:
    told = run.os_noise
    times = [(done.wall_ns, done.cpu_ns) for done in over_runs.passes_of(run)]
    _check_sum(f"{place}.wall_ns", told.wall_ns, sum(wall_ns for wall_ns, _ in times), run, "wall_ns")
    if told.off_cpu_ns is not None and not pipeline and all(cpu_ns is not None for _, cpu_ns in times):
        off_ns = sum(max(0, wall_ns - (cpu_ns or 0)) for wall_ns, cpu_ns in times)
        _check_sum(f"{place}.off_cpu_ns", told.off_cpu_ns, off_ns, run, "wall_ns and cpu_ns")
        require(told.off_cpu_ns <= told.wall_ns, f"{place}.off_cpu_ns", told.off_cpu_ns, f"of {told.wall_ns}")
    require((told.steal_ns or 0) % 1_000_000 == 0, f"{place}.steal_ns", told.steal_ns, "it counts milliseconds")
    longest = max((each.max for each in run.series if each.measure == "service"), default=0)
    if told.largest_gap_ns is not None and not pipeline:  # whose service times span threads
        enough = told.largest_gap_ns + _STEP_NS >= longest
        require(enough, f"{place}.largest_gap_ns", told.largest_gap_ns, f"a service time is {longest} ns")
    counts = _counts(told)
    expect(f"{place}.reasons", told.reasons, reasons_of(counts, told.wall_ns), "its counts give")
    expect(f"{place}.noisy", told.noisy, is_noisy(counts, told.wall_ns), "its counts give")


def _check_sum(place: str, told: int, shown: int, run: Run, names: str, *, least: bool = False) -> None:
    """What is the sum over all passes, or the least of them. A run shows one pass of each name, of median duration if
    it made several.
    """
    if run.passes == 1:
        expect(place, told, shown, f"{names} of the passes give")
    else:
        holds = told <= shown if least else told >= shown
        require(holds, place, told, f"{names} of the passes shown give {shown}")


def _counts(told: OsNoise) -> dict[str, int | None]:
    counts = {field.name: getattr(told, field.name) for field in fields(told)}
    return counts | {"steal_ms": None if told.steal_ns is None else told.steal_ns // 1_000_000}


# -- the work and its load --------------------------------------------------------------------------------------------


def _check_workload(report: Report) -> None:
    work = report.workload
    expect("workload.commands", work.commands, sum(work.mix.values()), "mix adds up to")
    require(work.hash is not None, "workload.hash", work.hash, f"the load model is {report.load.model}")
    for name in ("live_orders", "levels", "depth_touched"):
        extent: Extent | None = getattr(work, name)
        if extent is not None:
            require(
                extent.mean <= extent.peak + 1e-3, f"workload.{name}.mean", extent.mean, f"the peak is {extent.peak}"
            )


def _check_load(report: Report) -> None:
    load, runs = report.load, report.runs
    require(
        (load.target_rate is None) == (load.arrivals is None), "load.arrivals", load.arrivals, "it goes with a rate"
    )
    require(load.model != "closed" or load.target_rate is None, "load.model", load.model, "it has a target_rate")
    require(load.model != "open" or load.target_rate is not None, "load.model", load.model, "it has no target_rate")
    for name in ("producers", "updates"):
        told = getattr(load, name)
        require((told is not None) == (load.model == "pipeline"), f"load.{name}", told, f"the load is {load.model}")
    ceiling, rate = load.loop_ceiling, load.target_rate
    require(ceiling is None or rate is not None, "load.loop_ceiling", ceiling, "there is no target_rate")
    require(ceiling is None or (rate or 0) <= ceiling, "load.target_rate", rate, f"the loop ceiling is {ceiling}")
    expect("load.achieved_rate", load.achieved_rate, over_runs.achieved_rate(runs, rate), "the runs give")
    sent = sum(run.throughput.commands for run in runs if run.throughput)
    expect("load.sent", load.sent, sent, "the runs have")
    lost = load.sent - load.acked - load.rejected
    require(lost == 0 or report.status == "invalid", "load.acked", load.acked, "with rejected it is not what was sent")
    late = any(
        run.late_ns is not None and run.throughput and rate and is_late(run.late_ns, run.throughput.commands, rate)
        for run in runs
    )
    require(bool(load.missed) == late, "load.missed", load.missed, f"late_ns of the runs says {late}")
    _check_counts(report)
    expect("host.steal_percent", report.host.steal_percent, over_runs.steal_percent(runs), "the runs give")


def _check_counts(report: Report) -> None:
    """Every command has a latency of each measure, unless it was out of range. A missed rate leaves out none."""
    if report.status == "invalid" and not set(report.status_reasons) <= set(report.load.missed):
        return
    wholes = [series for series in report.summary if series.op == "all" and not series.measure.startswith("stage:")]
    made = sum(run.throughput.commands * run.passes for run in report.runs if run.throughput)
    counted = made * len(wholes) - sum(series.count for series in wholes)
    if wholes:
        expect("load.out_of_range", report.load.out_of_range, counted, "the samples of all operations lack")
    if not report.load.out_of_range:
        rejects = sum(
            series.count // run.passes
            for run in report.runs
            for series in run.series
            if series.op == "reject" and not series.measure.startswith("stage:")
        )
        if wholes:
            expect("load.rejected", report.load.rejected, rejects // len(wholes), "samples of rejected commands are")


# -- status, budget, memory ---------------------------------------------------------------------------------------


def _check_status(report: Report) -> None:
    told, reasons = report.status, report.status_reasons
    require((told == "ok") == (not reasons), "status", told, f"status_reasons has {len(reasons)}")
    require(set(report.load.missed) <= set(reasons), "status_reasons", reasons, "load.missed has others")
    require(told != "interrupted" or any(map(is_interruption, reasons)), "status", told, "no reason says so")
    for wrong, why in _faults(report):
        require(not wrong or told == "invalid", "status", told, why)


def _faults(report: Report) -> Iterator[tuple[bool, str]]:
    """What makes a report invalid."""
    checked = report.verification
    yield bool(report.load.missed), "load.missed says that the rate was not sustained"
    yield report.load.out_of_range > 0, "load.out_of_range is above 0"
    yield bool(report.hot_path.pool_refusals), "hot_path.pool_refusals is above 0"
    yield checked is not None and checked.equal is False, "verification.equal is false"
    native = checked.native if checked else None
    yield native is not None and native.difference is not None, "verification.native.difference names one"
    yield clock_fault(report.clock) is not None, str(clock_fault(report.clock))
    if report.load.model != "pipeline":
        for fault in pass_faults(report.runs) if report.engine is None or report.engine.process is None else ():
            yield True, fault
    golden = checked.golden if checked else None
    yield golden is not None and golden.digest != golden.expected, "verification.golden.digest is not the expected one"


def _check_budget(report: Report) -> None:
    rows = [row for row in report.budget if row.stage != "total"]
    derived = budget.budget({row.stage: budget.Measured(row.measured_ns, row.basis, row.parts) for row in rows})
    for index, (told, again) in enumerate(zip(report.budget, derived, strict=False)):
        for name in ("stage", "reference_ns", "measured_ns", "basis"):
            expect(f"budget[{index}].{name}", getattr(told, name), getattr(again, name), "the stages give")
        for at, part in enumerate(told.parts):
            place = f"budget[{index}].parts[{at}]"
            known = [value is not None for value in (part.p50_ns, part.p99_ns)]
            require(known == [part.samples > 0] * 2, f"{place}.samples", part.samples, "percentiles go with samples")
            require(
                (part.p50_ns or 0) <= (part.p99_ns or 0), f"{place}.p50_ns", part.p50_ns, f"p99_ns is {part.p99_ns}"
            )
            if part.name == budget.KERNEL_PART:
                expect(f"budget[{index}].measured_ns", told.measured_ns, part.p99_ns, f"p99 of {part.name} is")
    expect("budget", len(report.budget), len(derived), "the stages of a path are")
    application = next(row for row in rows if row.stage == "application")
    derived_ns = over_runs.application_ns(report.load.model, report.load.target_rate, report.summary)
    expect("budget (application).measured_ns", application.measured_ns, derived_ns, "p99 of all operations is")
    expect("budget_class", report.budget_class, budget.budget_class(report.budget), "the budget gives")


def _check_hot_path(report: Report) -> None:
    told, noise = report.hot_path, [run.os_noise for run in report.runs]
    faults = over_runs.added(value for each in noise for value in (each.minor_faults, each.major_faults))
    expect("hot_path.page_faults", told.page_faults, faults, "the runs have")
    switches = over_runs.added(each.involuntary_switches for each in noise)
    expect("hot_path.involuntary_switches", told.involuntary_switches, switches, "the runs have")
    pages = told.numa_pages
    require(
        told.numa_verified is None or bool(pages), "hot_path.numa_verified", told.numa_verified, "no pages are known"
    )
    if told.numa_verified and told.numa_node is not None:
        expect("hot_path.numa_node", [str(told.numa_node)], [*(pages or {})], "the verified pages are on nodes")
    if told.numa_verified is False:
        moved = told.numa_node is None or [*(pages or {})] != [str(told.numa_node)]
        require(moved or report.status != "ok", "hot_path.numa_verified", False, "all pages are on the bound node")


# -- verification ---------------------------------------------------------------------------------------------------


def _check_native(report: Report, native: NativeCheck | None, in_all: int) -> None:
    engine = report.engine
    another = (engine is not None and (engine.library or engine.process) is not None) or _in_python(report)
    require(
        another == (native is not None),
        "verification.native",
        native is not None,
        "it goes with engine.library, engine.process and runs.garbage_collection",
    )
    if native is None or report.verification is None:
        return
    expect("verification.native.commands", native.commands, in_all, "the flow has")
    if native.difference is None:
        expect("verification.native.events", native.events, report.verification.events, "verification.events is")


def _in_python(report: Report) -> bool:
    """Whether the engine was called from Python: each run then says what the garbage collector did."""
    told = [run.garbage_collection is not None for run in report.runs]
    require(len(set(told)) <= 1, "runs.garbage_collection", told, "it is of all runs or of none")
    return any(told)


def _check_golden(report: Report, told: Verification, golden: GoldenCheck, commands: int) -> None:
    require(golden.commands <= commands, "verification.golden.commands", golden.commands, _flow(report))
    if golden.commands == commands:
        same = golden.digest in told.digest.split(" / ")
        require(same, "verification.digest", told.digest, f"its part up to the last command is {golden.digest}")


def _check_verification(report: Report) -> None:
    told, work = report.verification, report.workload
    reference = report.baselines.reference_commands if report.baselines else None
    if told is None:
        return
    commands = work.commands or 0
    in_all = work.seeded + commands
    least = in_all + (work.trades or 0 if report.load.model != "pipeline" else 0)
    other = told.native is not None and told.native.difference is not None  # an engine that leaves events out
    enough = other or told.events is None or told.events >= least
    require(enough, "verification.events", told.events, f"at least {least} follow")
    compared = told.reference_commands
    if reference is not None:
        expect("baselines.reference_commands", reference, compared, "verification.reference_commands is")
    require(
        compared == 0 or work.seeded <= compared <= in_all, "verification.reference_commands", compared, _flow(report)
    )
    for name, value in (("equal", told.equal is not None), ("reference_stretches", told.reference_stretches > 0)):
        require(
            value == (compared > 0), f"verification.{name}", getattr(told, name), f"commands compared: {compared:,}"
        )
    one = told.reference_stretches == 1
    require(not one or compared in {in_all, 0}, "verification.reference_stretches", 1, _flow(report))
    _check_native(report, told.native, in_all)
    if told.golden is not None:
        _check_golden(report, told, told.golden, commands)
    for found, of, name in (
        (told.matched, told.bursts, "matched"),
        (told.quotes_matched, told.quotes, "quotes_matched"),
    ):
        require((found is None) == (of is None), f"verification.{name}", found, "it goes with what was checked")
        require((found or 0) <= (of or 0), f"verification.{name}", found, f"only {of} were checked")
    missing = sum(
        (of or 0) - (found or 0) for found, of in ((told.matched, told.bursts), (told.quotes_matched, told.quotes))
    )
    expect("verification.mismatches", len(told.mismatches), missing, "what did not match is")


def _flow(report: Report) -> str:
    commands = units.counted(report.workload.commands or 0, "command")
    return f"the flow has {commands} after a warm-up of {report.workload.seeded:,}"


def _check_journal(report: Report) -> None:
    for index, told in enumerate(report.journal.policies if report.journal else ()):
        place = f"journal.policies[{index}]"
        require(told.commands <= (report.workload.commands or 0), f"{place}.commands", told.commands, _flow(report))
        off = told.policy == "off"
        require(
            off == (told.more_ns_per_command is None), f"{place}.more_ns_per_command", told.policy, "only off has none"
        )
        lower, upper = told.sync_p50_ns, told.sync_p99_ns
        require((lower is None) == (upper is None), f"{place}.sync_p50_ns", lower, "both percentiles go together")
        require((lower or 0) <= (upper or 0), f"{place}.sync_p50_ns", lower, f"p99 is {upper}")
        require((lower is None) == (told.syncs == 0), f"{place}.syncs", told.syncs, "percentiles go with syncs")


# -- what is not available ------------------------------------------------------------------------------------------


def _check_absent(report: Report) -> None:
    for path in report.not_available:
        found = [*_values_at(report, path.split("."))]
        require(None in found, f"not_available ({path})", "there", "the report has the value")


def _values_at(thing: Any, names: list[str]) -> Iterator[Any]:
    if not names or thing is None:
        yield thing
    elif isinstance(thing, tuple):
        for each in thing:
            yield from _values_at(each, names)
    elif is_dataclass(thing) and names[0] in {field.name for field in fields(thing)}:
        yield from _values_at(getattr(thing, names[0]), names[1:])


def _shown(value: object) -> str:
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."
