"""Measured runs: repeats in fresh processes, their reports merged, the result verified."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from lowlat.child_process import python_running
from lowlat.engine.bench.crosscheck import PrefixCheck, check_prefix
from lowlat.engine.bench.engines import ENGINES
from lowlat.engine.bench.journal_cost import new_journal
from lowlat.engine.bench.kernel_stages import kernel_stage, peer_stages
from lowlat.engine.bench.pipeline_placement import choose_path, shown_in
from lowlat.engine.bench.placement import Place, choose_place
from lowlat.engine.bench.protocol import (
    INTERRUPTIONS,
    ClosedLoop,
    Job,
    JournalJob,
    Load,
    LogJob,
    Outcome,
    PathPlaces,
    Pipeline,
)
from lowlat.engine.bench.report_builder import Finished, assemble
from lowlat.engine.flow.arrivals import check_schedule
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.records import EXTENDED_COMMAND, PoolPolicy
from lowlat.errors import ExitCode, LowlatError, UsageError
from lowlat.probes.network.peer import PeerPath
from lowlat.reports.histogram.hlog_writer import IntervalLog, interval_log
from lowlat.reports.model.report import Report

Progress = Callable[[str, float], None]
"""Called with what comes next and the share done, 0 to 1; never while a measured section runs."""


class RunFailedError(LowlatError):
    """The process of a run ended without a result. The exit code is the one it gave, if it gave one of ours."""

    def __init__(self, message: str, returned: int) -> None:
        super().__init__(message)
        ours = returned in {code.value for code in ExitCode} and returned != ExitCode.GATE_FAILED
        self.exit_code = ExitCode(returned) if ours else ExitCode.INTERNAL


_CLOSED = ClosedLoop()


@dataclass(frozen=True, slots=True)
class RunPlan:
    """How a flow is to be measured.

    `cpus`: run i is pinned to the i-th of them, in turn; None lets the placement plan choose one for all runs. A
    pipeline takes them for its threads, in turn: matcher, producers, publisher. `engine`: its name in `ENGINES`.
    `load`: how commands reach it; anything but a closed loop is for a compiled one. `books`: folder of a pipeline's
    mapped books, None for the one where `lowlat book` looks. `log`: file for an interval log of the passes with time
    stamps. `journal`: where to leave a journal of the flow, and measure in a closed loop what one costs, with `batch`
    commands committed together. `orders`, `trades`, `when_dry`: pool sizes and policy, None for what the flow needs.
    `reference_prefix`: measured commands that the reference engine executes too. `command`: the command line, for the
    report. `peer`: the way to another host, if it was measured.
    """

    engine: str = "native"
    runs: int = 5
    cpus: tuple[int, ...] | None = None
    load: Load = _CLOSED
    books: Path | None = None
    log: Path | None = None
    journal: Path | None = None
    batch: int = 4096
    orders: int | None = None
    trades: int | None = None
    when_dry: PoolPolicy | None = None
    reference_prefix: int = 20_000
    command: tuple[str, ...] = ()
    peer: PeerPath | None = None


def measure(flow: Flow, plan: RunPlan, progress: Progress = lambda _text, _share: None) -> Report:
    """Run `flow` as `plan` says and report.

    Each run is a process of its own and executes the whole flow once before its measured passes. The report's status
    is `invalid`, with reasons, when a digest, a count of events, the reference engine or a histogram's range says that
    the figures must not be believed, and `interrupted` when Ctrl-C came after the first run; before that it raises
    `KeyboardInterrupt`. Raises `UsageError` for a CPU that cannot be used or a load that the engine is not for,
    `RunFailedError` when a process dies.
    """
    _check_load(flow, plan)
    sized = settings_of(flow, plan)
    finished: list[Finished] = []
    prefix: PrefixCheck | None = None
    around = peer_stages(plan.peer)
    with contextlib.ExitStack() as stack:
        place, path = stack.enter_context(_places(flow, plan))
        file = stack.enter_context(_commands_file(flow))
        log = stack.enter_context(interval_log(plan.log)) if plan.log else None
        journals = stack.enter_context(new_journal(plan.journal)) if plan.journal else None
        try:
            for index in range(plan.runs):
                progress(f"run {index + 1} of {plan.runs}", index / (plan.runs + 1))
                finished.append(_run(_job(file, flow, sized, plan, place, path, log, journals, index), index))
            progress("measuring the kernel's part", plan.runs / (plan.runs + 1))
            around |= kernel_stage(finished[0].outcome, place.topology)
            progress("verifying against the reference engine", plan.runs / (plan.runs + 1))
            prefix = check_prefix(flow, sized, plan.reference_prefix, ENGINES.get(plan.engine))
        except KeyboardInterrupt:
            if not finished:
                raise
    progress("done", 1.0)
    return assemble(
        flow,
        sized,
        plan.engine,
        plan.command,
        plan.load,
        finished,
        prefix,
        place,
        planned=plan.runs,
        surroundings=around,
        journal=plan.journal,
    )


def _check_load(flow: Flow, plan: RunPlan) -> None:
    """Raises `UsageError` for a load that the engine is not for, `ArrivalsError` for times that cannot be planned."""
    name, compiled = plan.engine, ENGINES.get(plan.engine).compiled
    if not compiled and not isinstance(plan.load, ClosedLoop):
        raise UsageError(f"the {name} engine runs in a closed loop only; use the native one for rates and pipelines")
    if not compiled and plan.log is not None:
        raise UsageError(f"the {name} engine keeps no interval log; use the native one for --log")
    if plan.journal is not None and not (compiled and isinstance(plan.load, ClosedLoop)):
        raise UsageError("a journal is measured in a closed loop of the native engine; leave out --journal")
    if isinstance(plan.load, Pipeline) and flow.commands.dtype == EXTENDED_COMMAND:
        raise UsageError(
            f"a pipeline's queues carry plain commands, and those of {flow.name} have terms; leave out --pipeline"
        )
    if not isinstance(plan.load, ClosedLoop) and plan.load.arrivals:
        check_schedule(len(flow.measured), plan.load.arrivals.rate, flow.seed or 0)


@contextlib.contextmanager
def _places(flow: Flow, plan: RunPlan) -> Iterator[tuple[Place, PathPlaces | None]]:
    """Where the measured thread runs, and, of a pipeline, the others and its books."""
    if not isinstance(plan.load, Pipeline):
        yield choose_place(plan.cpus), None
        return
    place = choose_path(plan.cpus, plan.load.producers)
    with shown_in(plan.books, flow, place) as path:
        yield place.matcher, path


@contextlib.contextmanager
def _commands_file(flow: Flow) -> Iterator[IO[bytes]]:
    """The commands in a file without a name, for the runs' processes to map."""
    with tempfile.TemporaryFile() as file:
        try:
            flow.commands.tofile(file)
            file.flush()
        except OSError as error:
            raise UsageError(
                f"the {flow.commands.nbytes / 1e6:,.0f} MB of commands do not fit into {tempfile.gettempdir()}: "
                f"{error}; set TMPDIR to a folder with more room, or measure fewer --commands"
            ) from error
        yield file


def settings_of(flow: Flow, plan: RunPlan) -> EngineConfig:
    """How the engine is sized for this flow: as the plan says, else as the flow needs."""
    return EngineConfig(
        flow.instruments,
        flow.orders if plan.orders is None else plan.orders,
        flow.tape if plan.trades is None else plan.trades,
        flow.when_orders_dry if plan.when_dry is None else plan.when_dry,
        flow.when_trades_dry,
    )


def _job(
    file: IO[bytes],
    flow: Flow,
    sized: EngineConfig,
    plan: RunPlan,
    place: Place,
    path: PathPlaces | None,
    log: IntervalLog | None,
    journals: Path | None,
    index: int,
) -> Job:
    cpu = place.cpus[index % len(place.cpus)] if place.cpus else None
    return Job(
        engine=plan.engine,
        parent=os.getpid(),
        commands_fd=file.fileno(),
        wide=flow.commands.dtype == EXTENDED_COMMAND,
        seeded=flow.seeded,
        rules=[
            (rules.tick, rules.lot, rules.price_min, rules.price_max, rules.algorithm, rules.off_tick)
            for rules in sized.instruments
        ],
        orders=sized.orders,
        trades=sized.trades,
        when_orders_dry=sized.when_orders_dry,
        when_trades_dry=sized.when_trades_dry,
        cpu=cpu,
        memory_node=place.memory_node(cpu).value,
        load=plan.load,
        seed=flow.seed or 0,
        path=path,
        journal=None if journals is None else JournalJob(folder=str(journals), batch=plan.batch),
        log=None if log is None else LogJob(path=str(log.path), descriptor=log.descriptor, base_ns=log.base_ns),
    )


def _run(job: Job, index: int) -> Finished:
    os.lseek(job.commands_fd, 0, os.SEEK_SET)
    started, begin = datetime.now(UTC), time.monotonic()
    outcome = _in_fresh_process(job)
    return Finished(index, started, time.monotonic() - begin, outcome)


def _in_fresh_process(job: Job) -> Outcome:
    """Run the worker; the whole time this process only waits, so that it takes nothing from the measured one."""
    # Held back until the process is ours to kill: an interruption inside Popen would leave it running.
    signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTIONS)
    try:
        process = subprocess.Popen(
            # A session of its own: Ctrl-C reaches this process alone, which then decides.
            python_running("lowlat.engine.bench.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(job.commands_fd, *((job.log.descriptor,) if job.log else ())),
            start_new_session=True,
        )
        with process:
            try:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTIONS)
                out, err = process.communicate(msgspec.json.encode(job))
            except BaseException:
                process.kill()
                process.wait()  # on Ctrl-C Popen's own `with` would not
                raise
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTIONS)
    if process.returncode != 0:
        raise RunFailedError(_last_words(process.returncode, err), process.returncode)
    return msgspec.json.decode(out, type=Outcome)


def _last_words(returned: int, err: bytes) -> str:
    lines = err.decode(errors="replace").strip().splitlines() or ["it said nothing"]
    if returned == -signal.SIGKILL:
        return "a run's process was killed, most likely for want of memory; measure fewer --commands or --orders"
    if returned == ExitCode.USAGE:
        return lines[-1]
    return f"a run's process ended with {returned}: {lines[-1]}"
