"""Measured runs: repeats in fresh processes, their reports merged, the result verified."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from lowlat import units
from lowlat.child_process import end_child, ending, own_environment, python_running
from lowlat.engine.bench.crosscheck import ReferenceCheck, check_against_reference
from lowlat.engine.bench.engines import ENGINES, EngineEntry, engine_entry
from lowlat.engine.bench.journal_cost import new_journal
from lowlat.engine.bench.kernel_stages import KERNEL_LEFT_OUT, kernel_stage, peer_stages
from lowlat.engine.bench.loop_ceiling import ceiling_of
from lowlat.engine.bench.pipeline_placement import choose_path, shown_in
from lowlat.engine.bench.placement import Place, choose_place
from lowlat.engine.bench.protocol import (
    INTERRUPTIONS,
    ClosedLoop,
    Job,
    JournalJob,
    Load,
    LogJob,
    PathPlaces,
    Pipeline,
    RunOutcome,
)
from lowlat.engine.bench.report_builder import Finished, assemble
from lowlat.engine.flow.arrivals import check_schedule
from lowlat.engine.flow.golden import Golden, golden_of
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.foreign.capabilities import lacking, needed
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.config_codec import to_plain
from lowlat.engine.matching.records import EXTENDED_COMMAND, PoolPolicy
from lowlat.errors import ExitCode, RunFailedError, UsageError
from lowlat.probes.network.peer import PeerPath
from lowlat.refusals import refusal
from lowlat.reports.histogram.hlog_writer import IntervalLog, interval_log
from lowlat.reports.model.budget import Measured
from lowlat.reports.model.report import Report

Progress = Callable[[str, float], None]
"""Called with the next step and the fraction done, 0 to 1; never while a measured section runs."""


_CLOSED = ClosedLoop()


@dataclass(frozen=True, slots=True)
class RunPlan:
    """How a flow is to be measured.

    `cpus`: runs are pinned to them round-robin; None lets the placement plan choose one for all runs. A pipeline
    assigns them to its threads round-robin: matcher, producers, publisher. `engine`: its name in `ENGINES`, or the file
    of a library. `load`: how commands reach the engine; anything but a closed loop needs a compiled engine. `books`:
    folder of a pipeline's mapped books, None for the default folder of `lowlat book`. `log`: file for an interval log
    of the timed passes. `journal`: where to leave a journal of the flow; its cost is measured in a closed loop, with
    `batch` commands committed together. `orders`, `trades`, `on_exhaustion`: pool sizes and policy, None for what the
    flow needs. `reference_commands`: number of measured commands that the reference engine also executes. `command`:
    the command line, for the report. `peer`: the network path to another host, if it was measured. `kernel_path`:
    whether to measure the kernel's part of the latency budget, after the runs.
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
    on_exhaustion: PoolPolicy | None = None
    reference_commands: int = 20_000
    command: tuple[str, ...] = ()
    peer: PeerPath | None = None
    kernel_path: bool = True


def measure(flow: Flow, plan: RunPlan, progress: Progress = lambda _text, _share: None) -> Report:
    """Run `flow` according to `plan` and return the report.

    Each run is a separate process and executes the whole flow once before its measured passes. The report's status is
    `invalid`, with reasons, if a digest, an event count, the reference engine or a histogram's range shows that the
    figures are wrong, and `interrupted` if Ctrl-C came after the first run; before that, Ctrl-C raises
    `KeyboardInterrupt`. Raises `UsageError` for an unusable CPU or a load that the engine does not support,
    `RunFailedError` if a process dies.
    """
    checked: ReferenceCheck | None = None
    around = peer_stages(plan.peer)
    with _prepared(flow, plan) as runs:
        try:
            for index in range(plan.runs):
                progress(f"run {index + 1} of {plan.runs}", index / (plan.runs + 1))
                runs.run()
            if plan.kernel_path:
                progress("measuring the kernel path", plan.runs / (plan.runs + 1))
            around |= runs.kernel_stage()
            progress("verifying against the reference engine", plan.runs / (plan.runs + 1))
            checked = runs.check_reference()
        except KeyboardInterrupt:
            if not runs.finished:
                raise
    progress("done", 1.0)
    return runs.report(checked, around)


class Measurement:
    """The runs of one flow under one plan, made one at a time.

    `file`: the commands, from `commands_file`. `path`, `log`, `journals`: only for a pipeline, an interval log or
    journals. The load has passed `check_load`.
    """

    def __init__(
        self,
        flow: Flow,
        plan: RunPlan,
        file: IO[bytes],
        place: Place,
        path: PathPlaces | None = None,
        log: IntervalLog | None = None,
        journals: Path | None = None,
    ) -> None:
        self.flow = flow
        self.plan = plan
        self.finished: list[Finished] = []
        self._settings = settings_of(flow, plan)
        self._file, self._place, self._path, self._log, self._journals = file, place, path, log, journals
        # Concurrent producers decide the order of the commands, and with it the events.
        in_order = not isinstance(plan.load, Pipeline) or plan.load.producers == 1
        self._golden = golden_of(flow) if in_order else None
        self._entry = engine_entry(plan.engine)

    def run(self) -> Finished:
        """Make the next run in a fresh process. Raises `RunFailedError` if it dies."""
        job = _job(
            self._file,
            self.flow,
            self._settings,
            self.plan,
            self._place,
            self._path,
            self._log,
            self._journals,
            self._golden,
            len(self.finished),
        )
        self.finished.append(_run(job, len(self.finished)))
        return self.finished[-1]

    def kernel_stage(self) -> dict[str, Measured]:
        """Measure the kernel's part of the latency budget, after the first run, unless the plan leaves it out."""
        if not self.plan.kernel_path:
            return KERNEL_LEFT_OUT
        return kernel_stage(self.finished[0].outcome, self._place.topology)

    def check_reference(self) -> ReferenceCheck:
        """Execute stretches of the flow on the reference engine too."""
        return check_against_reference(self.flow, self._settings, self.plan.reference_commands, self._entry)

    def report(self, checked: ReferenceCheck | None, around: Mapping[str, Measured]) -> Report:
        """The report of the runs, at least one. `around`: stages of the latency budget outside the application."""
        return assemble(
            self.flow,
            self._settings,
            name_of(self._entry),
            self.plan.command,
            self.plan.load,
            self.finished,
            checked,
            self._place,
            planned=max(self.plan.runs, len(self.finished)),
            surroundings=around,
            journal=self.plan.journal,
            golden=self._golden,
        )


@contextlib.contextmanager
def _prepared(flow: Flow, plan: RunPlan) -> Iterator[Measurement]:
    """Raises what `check_load` raises, and `UsageError` for a rate above the loop ceiling."""
    check_load(flow, plan)
    due = None if isinstance(plan.load, ClosedLoop) else plan.load.arrivals
    if due and (ceiling := ceiling_of(plan.load, logged=plan.log is not None)):
        ceiling.check(due.rate)
    with contextlib.ExitStack() as stack:
        place, path = _places(flow, plan)
        file = stack.enter_context(commands_file(flow))
        log = stack.enter_context(interval_log(plan.log)) if plan.log else None
        journals = stack.enter_context(new_journal(plan.journal)) if plan.journal else None
        yield Measurement(flow, plan, file, place, path, log, journals)


def check_load(flow: Flow, plan: RunPlan) -> None:
    """Raises `UsageError` for a load that the engine does not support or times that cannot be planned."""
    entry = engine_entry(plan.engine)
    name, compiled = entry.name, entry.compiled
    if not compiled and not isinstance(plan.load, ClosedLoop):
        raise UsageError(f"the {name} engine runs in a closed loop only; use the native one for rates and pipelines")
    if not compiled and plan.log is not None:
        raise UsageError(f"the {name} engine keeps no interval log; use the native one for --log")
    if entry.foreign and isinstance(plan.load, Pipeline):
        raise UsageError("a pipeline is of the native engine; remove --pipeline, or measure this engine at a --rate")
    if plan.journal is not None and not (compiled and not entry.foreign and isinstance(plan.load, ClosedLoop)):
        raise UsageError("a journal is measured in a closed loop of the native engine; remove --journal")
    if isinstance(plan.load, Pipeline) and flow.commands.dtype == EXTENDED_COMMAND:
        raise UsageError(
            f"a pipeline's queues carry plain commands, and those of {flow.name} are extended commands; remove "
            "--pipeline"
        )
    _check_capabilities(flow, entry)
    if not isinstance(plan.load, ClosedLoop) and plan.load.arrivals:
        check_schedule(len(flow.measured), plan.load.arrivals.rate, flow.seed or 0)


def _check_capabilities(flow: Flow, entry: EngineEntry) -> None:
    if missing := lacked(flow, entry):
        raise UsageError(
            f"{name_of(entry)} does not take what {flow.name} has: {missing}; implement it and "
            f"{'set its bit' if entry.library else 'name it in capabilities'}, or choose a --profile without it"
        )


def lacked(flow: Flow, entry: EngineEntry) -> str | None:
    """What the flow needs and the engine does not claim, in words; None if it claims all."""
    return lacking(entry.claimed, needed(flow.commands, flow.instruments), len(flow.commands))


def name_of(entry: EngineEntry) -> str:
    """What an engine is called: that of a library or a process by its own word."""
    return entry.told.name if entry.told else entry.name


def _places(flow: Flow, plan: RunPlan) -> tuple[Place, PathPlaces | None]:
    """The place of the measured thread and, for a pipeline, of its other threads and books."""
    if not isinstance(plan.load, Pipeline):
        return choose_place(plan.cpus), None
    place = choose_path(plan.cpus, plan.load.producers)
    return place.matcher, shown_in(plan.books, flow, place)


@contextlib.contextmanager
def commands_file(flow: Flow) -> Iterator[IO[bytes]]:
    """The commands in an unnamed file, for the runs' processes to map."""
    with tempfile.TemporaryFile() as file:
        try:
            flow.commands.tofile(file)
            file.flush()
        except OSError as error:
            raise UsageError(
                f"the {flow.commands.nbytes / 1e6:,.0f} MB of commands do not fit into {tempfile.gettempdir()}: "
                f"{error}; set TMPDIR to a directory with more space, or measure fewer --commands"
            ) from error
        yield file


def settings_of(flow: Flow, plan: RunPlan) -> EngineConfig:
    """The engine's settings for this flow: the plan's sizes, or what the flow needs."""
    return EngineConfig(
        flow.instruments,
        flow.orders if plan.orders is None else plan.orders,
        flow.tape if plan.trades is None else plan.trades,
        flow.when_orders_dry if plan.on_exhaustion is None else plan.on_exhaustion,
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
    golden: Golden | None,
    index: int,
) -> Job:
    cpu = place.cpus[index % len(place.cpus)] if place.cpus else None
    return Job(
        engine=plan.engine,
        parent=os.getpid(),
        commands_fd=file.fileno(),
        wide=flow.commands.dtype == EXTENDED_COMMAND,
        seeded=flow.seeded,
        settings=to_plain(sized),
        cpu=cpu,
        memory_node=place.memory_node(cpu).value,
        load=plan.load,
        seed=flow.seed or 0,
        path=path,
        golden_commands=golden.commands if golden else 0,
        journal=None if journals is None else JournalJob(folder=str(journals), batch=plan.batch),
        log=None if log is None else LogJob(path=str(log.path), descriptor=log.descriptor, base_ns=log.base_ns),
    )


def _run(job: Job, index: int) -> Finished:
    os.lseek(job.commands_fd, 0, os.SEEK_SET)
    started, begin = datetime.now(UTC), time.monotonic()
    outcome = _in_fresh_process(job)
    return Finished(index, started, time.monotonic() - begin, outcome)


def _in_fresh_process(job: Job) -> RunOutcome:
    """Run the worker. Meanwhile this process only waits, to leave the CPUs to the measured one."""
    # Signals are blocked until we hold the process handle: an interruption inside Popen would leave it running.
    signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTIONS)
    try:
        with _started(job) as process:
            try:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTIONS)
                out, err = process.communicate(msgspec.json.encode(job))
            except BaseException:
                end_child(process)
                raise
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTIONS)
    if process.returncode != 0:
        raise _failure(process.returncode, err, engine_entry(job.engine))
    try:
        return msgspec.json.decode(out, type=RunOutcome)
    except msgspec.DecodeError as error:
        whose = _process_of(engine_entry(job.engine))
        text = f"{whose} ended without a whole result: {error} ({units.counted(len(out), 'byte')}); run it again"
        raise RunFailedError(text, ExitCode.NOT_VALID) from error


def _started(job: Job) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            # In a new session, so that Ctrl-C reaches only this process, which then decides.
            python_running("lowlat.engine.bench.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(job.commands_fd, *((job.log.descriptor,) if job.log else ())),
            env=own_environment(),
            start_new_session=True,
        )
    except (OSError, MemoryError) as error:
        raise RunFailedError(f"a run's process cannot be started: {refusal(error)}", ExitCode.USAGE) from error


def _failure(returned: int, err: bytes, entry: EngineEntry) -> RunFailedError:
    lines = err.decode(errors="replace").strip().splitlines() or ["(no output on stderr)"]
    if returned == ExitCode.USAGE:
        return RunFailedError(lines[-1], ExitCode.USAGE)
    if entry.process and returned == ExitCode.NOT_VALID:
        return RunFailedError(lines[-1], ExitCode.NOT_VALID)
    if (library := entry.library) is not None:
        said = lines[-1] if returned == ExitCode.NOT_VALID else f"its process {ending(returned)}: {_cause(lines)}"
        return RunFailedError(said if said.startswith(library) else f"{library}: {said}", ExitCode.NOT_VALID)
    if returned == -signal.SIGKILL:
        what = "most likely because memory ran out; measure fewer --commands or --orders"
        return RunFailedError(f"{_process_of(entry)} {ending(returned)}, {what}", ExitCode.NOT_VALID)
    # The interpreter itself ends with 1 where it cannot start, and an engine of a package in any way: only codes that a
    # worker of ours chooses are passed on.
    ours = entry.name in ENGINES.built_in
    code = ExitCode.INTERNAL if ours and returned == ExitCode.INTERNAL else ExitCode.NOT_VALID
    return RunFailedError(f"{_process_of(entry)} {ending(returned)}: {_cause(lines)}", code)


def _process_of(entry: EngineEntry) -> str:
    return "a run's process" if entry.name in ENGINES.built_in else f"the process of a run of {entry.name}"


def _cause(lines: Sequence[str]) -> str:
    """The line of its stderr that says why a process ended: the last one, unless the interpreter itself failed."""
    return next((line for line in lines if line.startswith("Fatal Python error")), lines[-1])
