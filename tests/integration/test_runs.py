"""Measured runs end to end, in fresh processes: reports are correct, and falsified outcomes are detected."""

import dataclasses
import os
import signal
import subprocess
import sys

import jsonschema
import msgspec
import numpy as np
import psutil
import pytest

from lowlat.documents import published
from lowlat.engine.bench import run as run_module
from lowlat.engine.bench.compiled_run import CLOSED_PASSES
from lowlat.engine.bench.crosscheck import check_against_reference, first_difference
from lowlat.engine.bench.engines import ENGINES
from lowlat.engine.bench.placement import choose_place
from lowlat.engine.bench.protocol import ClosedLoop, RunOutcome
from lowlat.engine.bench.report_builder import Finished, assemble
from lowlat.engine.bench.run import RunPlan, measure
from lowlat.engine.bench.run_setup import QUIET_PASSES
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import ExecType, PoolPolicy
from lowlat.errors import ExitCode, LowlatError, RunFailedError
from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.topology.nodes import memory_nodes
from lowlat.reports.io.json_codec import from_document, to_document
from tests.shallow_flows import shallow_flow
from tests.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def flow():
    return shallow_flow("steady", 20_000, 3)


@pytest.fixture(scope="module")
def report(flow):
    return measure(flow, RunPlan(runs=2, command=("lowlat", "bench")))


def test_report_is_ok_and_obeys_the_published_schema(report):
    assert (report.status, report.status_reasons) == ("ok", ())
    jsonschema.validate(to_document(report), published("lowlat.report/1"))


def test_each_command_is_recorded_once_a_pass(report, flow):
    """The quiet passes are some of all; the least CPU time is at most that of the median pass."""
    whole = next(series for series in report.summary if series.op == "all")
    assert whole.count == 2 * CLOSED_PASSES * len(flow.measured)
    assert sum(series.count for series in report.summary if series.op != "all") == whole.count
    for run in report.runs:
        passes = (run.throughput, run.one_at_a_time, run.timed)
        assert [done.commands for done in passes] == [len(flow.measured)] * 3
        quiet = next(series for series in run.quiet if series.op == "all")
        assert (run.passes, quiet.count) == (CLOSED_PASSES, QUIET_PASSES * len(flow.measured))
        assert 0 < run.least_cpu_ns <= run.throughput.cpu_ns


def test_the_hot_path_allocates_and_faults_on_nothing(report):
    assert report.hot_path.allocations == 0
    assert report.hot_path.page_faults == 0


def test_a_run_is_noisy_by_what_came_into_its_passes_only(report):
    """Memory that the harness allocates does not count as page faults of the engine."""
    for run in report.runs:
        seen = run.os_noise
        assert (seen.minor_faults == 0) == (not any("first touch" in reason for reason in seen.reasons))
        assert (seen.involuntary_switches == 0) == (not any("preempted" in reason for reason in seen.reasons))


def test_report_says_where_it_ran_and_why(report):
    """Topology, placement, clock, and the node of the memory as reported by the kernel."""
    assert report.topology.cores >= report.topology.packages >= 1
    assert report.placement.chosen_by == "plan"
    assert report.placement.cpus == report.host.measured_cpus
    assert report.placement.reasons or report.placement.compromises
    assert report.clock.frequency_source
    assert report.clock.uncertainty_ppm < 1
    nodes = memory_nodes().value
    assert report.hot_path.numa_nodes == len(nodes or ())
    if nodes is None or "hot_path.numa_pages" in report.not_available:
        assert report.hot_path.numa_verified is None
        return
    assert report.hot_path.numa_verified is True
    assert set(report.hot_path.numa_pages) == {str(report.hot_path.numa_node)}
    # Every page of every part was asked for, in both runs; the commands come on top.
    assert sum(report.hot_path.numa_pages.values()) > 2 * sum(report.hot_path.memory.values()) // os.sysconf(
        "SC_PAGESIZE"
    )


def test_report_of_an_older_version_still_reads(report):
    older = to_document(report)
    for name in ("topology", "placement"):
        del older[name]
    for name in ("numa_nodes", "numa_pages", "numa_verified"):
        del older["hot_path"][name]
    for name in ("frequency_source", "invariant"):
        del older["clock"][name]
    jsonschema.validate(older, published("lowlat.report/1"))
    read = from_document(older)
    assert (read.topology, read.placement, read.hot_path.numa_pages, read.clock.invariant) == (None,) * 4


def test_digest_is_that_of_the_events_that_the_engine_gives(report, flow):
    import hashlib

    events = Engine(flow.instruments, orders=flow.orders).process(flow.commands)
    assert report.verification.digest == "sha256:" + hashlib.sha256(events.tobytes()).hexdigest()
    assert report.verification.equal is True
    assert report.verification.reference_commands == len(flow.commands)


def test_reference_engine_gives_the_same_digest(report, flow):
    interpreted = measure(flow, RunPlan(engine="reference", runs=1, kernel_path=False))
    assert interpreted.verification.digest == report.verification.digest
    assert interpreted.hot_path.allocations is None
    assert "hot_path.allocations" in interpreted.not_available


def test_progress_comes_between_runs_and_ends_at_one(flow):
    seen = []
    measure(flow, RunPlan(runs=1), lambda text, share: seen.append((text, share)))
    assert [share for _, share in seen] == sorted(share for _, share in seen)
    assert seen[0][0] == "run 1 of 1"
    assert seen[-1] == ("done", 1.0)


def test_runs_take_their_cpus_in_turn(flow):
    cpus = allowed_cpus()
    measured = measure(flow, RunPlan(runs=2, cpus=(cpus[0], cpus[-1]), kernel_path=False))
    assert measured.host.measured_cpus == format_cpu_list({cpus[0], cpus[-1]})


def test_a_cpu_that_does_not_exist_is_refused_before_any_run(flow):
    with pytest.raises(LowlatError, match="4095"):
        measure(flow, RunPlan(cpus=(4095,)))


def test_a_pool_too_small_for_the_flow_makes_the_run_invalid_and_is_counted(flow):
    cramped = measure(flow, RunPlan(runs=1, orders=500, kernel_path=False))
    assert cramped.status == "invalid"
    assert "a pool was too small" in cramped.status_reasons[0]
    assert 0 < cramped.hot_path.pool_refusals <= cramped.load.rejected
    assert any(series.op == "reject" for series in cramped.summary)


def test_a_pool_that_may_grow_takes_the_flow_and_says_that_it_grew(flow):
    grown = measure(flow, RunPlan(runs=1, orders=500, on_exhaustion=PoolPolicy.GROW, kernel_path=False))
    assert (grown.status, grown.hot_path.pool_refusals) == ("ok", 0)
    assert grown.hot_path.pool_growths == 2


def test_no_latency_is_longer_than_the_largest_gap(report):
    for run in report.runs:
        assert run.os_noise.largest_gap_ns >= max(series.max for series in run.series)


def outcome_of(report_flow):
    """One real outcome, to be falsified."""
    kept = []
    real = run_module._in_fresh_process

    def keeping(job):
        kept.append(real(job))
        return kept[-1]

    run_module._in_fresh_process = keeping
    try:
        report = measure(report_flow, RunPlan(runs=1, kernel_path=False))
    finally:
        run_module._in_fresh_process = real
    return kept[0], report


def test_falsified_outcomes_make_the_report_invalid(flow):
    outcome, report = outcome_of(flow)
    sized = EngineConfig(flow.instruments, orders=flow.orders)

    right = check_against_reference(flow, sized, 10, ENGINES.get("native"))

    def status(*outcomes: RunOutcome, prefix=None):
        runs = [Finished(index, dt_of(report), 1.0, outcome_) for index, outcome_ in enumerate(outcomes)]
        made = assemble(
            flow, sized, "native", (), ClosedLoop(), runs, prefix or right, choose_place(None), planned=len(runs)
        )
        return made.status, " ".join(made.status_reasons)

    assert status(outcome, outcome) == ("ok", "")
    other = msgspec.structs.replace(outcome, digest="0" * 64)
    assert status(outcome, other)[0] == "invalid"
    elsewhere = msgspec.structs.replace(outcome, same_tail=False)
    assert "ended in different events" in status(elsewhere)[1]
    fewer = msgspec.structs.replace(outcome, events=(*outcome.events[:-1], 1))
    assert "numbers of events" in status(fewer)[1]
    told = msgspec.structs.replace(outcome, faults=("the log broke off",))
    assert status(outcome, told) == ("invalid", "run 2: the log broke off")
    beyond = msgspec.structs.replace(outcome, out_of_range=1)
    assert "above the histogram's range" in status(beyond)[1]
    prefix = dataclasses.replace(right, difference="event 3: ...")
    assert "differs from the reference engine" in status(outcome, prefix=prefix)[1]


def dt_of(report):
    from datetime import datetime

    return datetime.fromisoformat(report.runs[0].started)


def test_one_changed_event_is_found(flow):
    events = Engine(flow.instruments, orders=flow.orders).process(flow.commands)
    assert first_difference(events, events.copy()) is None
    broken = events.copy()
    at = int(np.flatnonzero(broken["kind"] == ExecType.TRADE)[5])
    broken["maker_id"][at] += 1
    assert first_difference(events, broken).startswith(f"event {at}: expected")
    assert first_difference(events, events[:-1]) == f"expected {len(events):,} events, got {len(events) - 1:,}"


@pytest.mark.parametrize(
    ("program", "message", "code"),
    [
        ("exit 1", r"^a run's process exited with code 1: \(no output on stderr\)$", ExitCode.NOT_VALID),
        ("exit 130", "exited with code 130", ExitCode.NOT_VALID),
        ("echo alas >&2; exit 2", "^alas$", ExitCode.USAGE),
        ("echo KeyError >&2; exit 70", "exited with code 70: KeyError$", ExitCode.INTERNAL),
        ("echo 'Fatal Python error: none' >&2; echo '<no frame>' >&2; exit 1", ": Fatal Python error: none$", 3),
        ("kill -SEGV $$", "^a run's process was killed by SIGSEGV: ", ExitCode.NOT_VALID),
        ("kill -INT $$", "was killed by SIGINT", ExitCode.NOT_VALID),
        ("kill -TERM $$", "was killed by SIGTERM", ExitCode.NOT_VALID),
        ("kill -KILL $$", "was killed by SIGKILL, most likely because memory ran out", ExitCode.NOT_VALID),
        (
            "cat; printf '{\"cpu\":'",
            r"ended without a whole result: .* \([\d,]+ bytes\); run it again",
            ExitCode.NOT_VALID,
        ),
    ],
)
def test_a_process_that_dies_is_an_error_with_its_signal_or_last_words(
    flow, monkeypatch, tmp_path, program, message, code
):
    """No signal to a run's process is an interruption, which only the user makes, of the process that waits."""
    shell = tmp_path / "worker"
    shell.write_text(f"#!/bin/sh\ncat >/dev/null\n{program}\n")
    shell.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(shell))
    with pytest.raises(RunFailedError, match=message) as caught:
        measure(flow, RunPlan(runs=1))
    assert caught.value.exit_code == code


def test_a_process_that_cannot_be_started_is_the_systems_refusal(flow, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such")
    with pytest.raises(RunFailedError, match="cannot be started: /no/such: No such file or directory") as caught:
        measure(flow, RunPlan(runs=1))
    assert caught.value.exit_code == ExitCode.USAGE


def test_pools_larger_than_the_memory_are_the_users_error(flow):
    with pytest.raises(RunFailedError, match=r"needs about .* GiB") as caught:
        measure(flow, RunPlan(runs=1, orders=1_000_000_000))
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("after", [0, 1])
def test_ctrl_c_keeps_what_was_measured(flow, after):
    """Ctrl-C during run 2 gives a report of run 1, marked; during run 1 there is nothing to report."""
    script = (
        "import os, signal, sys\n"
        "from lowlat.engine import load_profile; from lowlat.engine import synthetic_flow\n"
        "from lowlat.engine.bench.run import RunPlan, measure\n"
        "def progress(text, share):\n"
        f"    if text == 'run {after + 1} of 3': signal.setitimer(signal.ITIMER_REAL, 0.05)\n"
        "signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))\n"
        "report = measure(synthetic_flow(load_profile('steady'), 20000, 3), RunPlan(runs=3), progress)\n"
        "print(report.status, len(report.runs), report.verification.equal)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    if after:
        assert done.stdout == "interrupted 1 None\n"
    else:
        assert done.stdout == ""
        assert done.returncode in (-signal.SIGINT, 128 + signal.SIGINT, 1)
        assert "KeyboardInterrupt" in done.stderr


def test_no_worker_is_left_behind(flow):
    """The process of a run is reaped; not even a zombie remains."""
    before = set(psutil.Process().children())
    measure(flow, RunPlan(runs=1))
    assert set(psutil.Process().children()) <= before
