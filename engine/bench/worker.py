"""One run in its own process: `python -m lowlat.engine.bench.worker` reads a `Job` from stdin and writes a `RunOutcome`
to stdout.

The order is always the same: pin, calibrate, bind memory to the CPU's NUMA node, execute the whole flow once as a
warm-up, run the measured passes, and finally run a pass that keeps every event for the digest.
"""

from __future__ import annotations

# Before the engine's module: nanobind's arrays are then allocated by this one, and not counted as the engine's.
import lowlat.reports._core  # noqa: F401

# isort: split

import gc
import signal
import sys

import msgspec

from lowlat.child_process import apart_from_stdout
from lowlat.engine import _core
from lowlat.engine.bench.engines import engine_entry
from lowlat.engine.bench.native_run import NativeRun
from lowlat.engine.bench.numa import memory_bound_to
from lowlat.engine.bench.pass_counters import per_command
from lowlat.engine.bench.passes import added, run_noise
from lowlat.engine.bench.protocol import INTERRUPTIONS, Delivery, Job, RunOutcome
from lowlat.engine.bench.run_setup import MeasuredRun, RunSetup, clock_context, commands_from, recorded_series
from lowlat.engine.matching.config_codec import from_plain
from lowlat.probes.clock.counter import calibrate_quick
from lowlat.probes.cpu.affinity import affinity_of, pin
from lowlat.probes.cpu.threads import end_with_parent
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.model import results


def main() -> None:
    """Read the job, run it, write the outcome. `lowlat.child_process.run_program` reports what fails."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTIONS)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    end_with_parent(job.parent)
    with apart_from_stdout() as out:
        out.write(msgspec.json.encode(run(job)))


def run(job: Job) -> RunOutcome:
    """Execute `job` in this process."""
    allowed = affinity_of()
    cpu = pin([job.cpu])[0] if job.cpu is not None else allowed[0]
    clock = calibrate_quick()
    with memory_bound_to(job.memory_node) as bound:
        commands = commands_from(job.commands_fd, wide=job.wide)
        gc.disable()
        # Covers the whole run: memory of the passes, such as the event ring and the histograms, is bound too.
        setup = RunSetup(job, from_plain(job.settings), cpu, tuple(allowed), clock, commands, bound)
        measured = _measured(setup)
        return msgspec.structs.replace(
            outcome_of(setup, measured),
            library=measured.library,
            process=measured.process,
            native_check=measured.native_check,
            garbage_collection=measured.garbage_collection,
            counters=per_command(measured.passes.done.get("batched", ())),
            counters_one_at_a_time=per_command(measured.passes.done.get("one at a time", ())),
        )


def _measured(setup: RunSetup) -> MeasuredRun:
    entry = engine_entry(setup.job.engine)
    if entry.library:
        from lowlat.engine.bench.library_run import measure_library

        return measure_library(setup, entry.library)
    if entry.process:
        from lowlat.engine.bench.process_run import measure_process

        return measure_process(setup, entry.process)
    if entry.compiled:
        return NativeRun(setup, entry.make_compiled(setup.settings)).measured_load()
    from lowlat.engine.bench.python_run import measure_python

    return measure_python(setup, entry)


def outcome_of(setup: RunSetup, measured: MeasuredRun) -> RunOutcome:
    """The run's results in the report's structures, with the cost of an empty pass."""
    digest, passes = measured.digest, measured.passes
    timed, batched, single = passes.typical("timed"), passes.typical("batched"), passes.typical("one at a time")
    assert timed is not None, "every load has timestamps"
    series, out_of_range = recorded_series(measured.recorders)
    os_noise, unseen = run_noise(passes.os_noise, measured.largest_gap_ns)
    return RunOutcome(
        cpu=setup.cpu,
        clock=clock_context(setup.clock),
        throughput=(batched or timed).throughput,
        one_at_a_time=single.throughput if single else None,
        timed=timed.throughput if batched else None,
        passes=len(passes.done["timed"]),
        least_cpu_ns=passes.least_cpu_ns("batched"),
        os_noise=os_noise,
        series=series,
        quiet=recorded_series(measured.quiet)[0] if measured.quiet else (),
        out_of_range=out_of_range,
        late_ns=measured.late_ns,
        waited_ns=measured.waited_ns,
        loop_ceiling=measured.loop_ceiling,
        delivery=measured.delivery or _delivery(timed.commands, digest.rejected),
        hot_path=_hot_path(measured),
        pages_astray=measured.memory.pages_astray,
        clock_ns=_clock_ns(setup),
        loop_ns=_loop_ns(setup),
        journal=measured.journal,
        digest=digest.sha256,
        golden_part=digest.golden_part,
        digested_events=digest.total_events,
        events=(digest.events, *(done.events for done in passes.all)),
        same_tail=all(digest.ends_as(done.tail) for done in passes.all),
        faults=measured.faults,
        absent=_absent(unseen, measured),
    )


def _hot_path(measured: MeasuredRun) -> results.HotPath:
    passes, memory = measured.passes.all, measured.memory
    return results.HotPath(
        allocations=added(done.allocations for done in passes),
        page_faults=added(done.page_faults for done in passes),
        involuntary_switches=added(done.involuntary_switches for done in passes),
        memory=memory.parts,
        huge_page_bytes=memory.huge_page_bytes,
        locked=memory.locked,
        numa_node=memory.numa_node,
        numa_pages=memory.numa_pages,
        pool_refusals=measured.digest.refusals,
        pool_growths=measured.growths,
        trades_recycled=measured.trades_recycled,
    )


def _delivery(commands: int, rejected: int) -> Delivery:
    return Delivery(sent=commands, acked=commands - rejected, rejected=rejected, updates=None)


def _loop_ns(setup: RunSetup) -> float:
    loop = _core.run_loop(setup.measured)
    return setup.scale.to_ns(loop.ticks) / max(loop.commands, 1)


def _clock_ns(setup: RunSetup) -> int:
    recorder = Recorder()
    _core.run_clock(setup.measured, setup.scale.multiplier, setup.scale.shift, recorder)
    return Histogram.from_native(recorder).percentile(50).value_ns


def _absent(unseen: dict[str, str], measured: MeasuredRun) -> dict[str, str]:
    absent = {f"runs.os_noise.{name}": why for name, why in unseen.items()}
    absent |= {f"hot_path.{name}": why for name, why in measured.memory.absent.items()}
    if unknown := absent.get("hot_path.numa_pages"):
        absent["hot_path.numa_verified"] = unknown
    batched = measured.passes.done.get("batched", ())
    if not any(done.counts for done in batched):
        absent |= dict.fromkeys(("runs.counters", "runs.counters_one_at_a_time"), measured.uncounted)
    if measured.largest_gap_ns is None:
        absent["runs.os_noise.largest_gap_ns"] = (
            "not measured: the passes of an engine called from Python, or by lines, keep no timestamps"
        )
    return absent


if __name__ == "__main__":
    main()
