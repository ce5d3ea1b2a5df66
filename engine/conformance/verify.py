"""Compares the engine of a library, a process or a package with the native one, and says where they differ."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from lowlat.child_process import end_child, ending, own_environment, python_running
from lowlat.engine.bench.engines import engine_entry, is_foreign
from lowlat.engine.conformance.messages import Begun, Completed, ConformanceJob, FaultFound, Judged, Message, Shrinking
from lowlat.engine.conformance.python_engines import PythonDescription, describe_python
from lowlat.engine.external.hosting import describe_foreign
from lowlat.engine.external.line_engine import ProcessDescription
from lowlat.engine.foreign.capabilities import not_compared
from lowlat.engine.foreign.description import LibraryDescription
from lowlat.errors import ExitCode, RunFailedError
from lowlat.refusals import refusal
from lowlat.reports.model.conformance import Conformance, ConformanceSuite, Counterexample

Progress = Callable[[str, float], None]
Status = Literal["conforms", "differs", "failed", "interrupted"]
SUITES = ("worked examples", "random worlds", "profiles", "recorded")


@dataclass(frozen=True, slots=True)
class VerifyPlan:
    """What to compare with. `worlds`: how many random worlds; `commands`: of each profile; `recorded`: files; `part`:
    only these cases (`parts.py`), as suite, first and end.
    """

    worlds: int = 300
    seed: int = 1
    commands: int = 50_000
    recorded: tuple[str, ...] = ()
    part: tuple[int, int, int] | None = None


def verify(engine: str, plan: VerifyPlan, progress: Progress = lambda _text, _share: None) -> Conformance:
    """Compare until the first fault. `engine`: the absolute path of a library, what `is_process` takes, or the name
    of an engine in Python.

    An engine that crashes or hangs has failed: the result says in which commands. Raises `RunFailedError` for a library
    that cannot be used, what `describe_process` does, `KeyboardInterrupt` before the first case is judged.
    """
    told = describe_foreign(engine) if is_foreign(engine) else describe_python(engine_entry(engine))
    job = ConformanceJob(
        engine=engine,
        parent=os.getpid(),
        worlds=plan.worlds,
        seed=plan.seed,
        commands=plan.commands,
        recorded=plan.recorded,
        part=plan.part,
    )
    seen = _Seen(progress)
    try:
        status = _status(job, seen)
    except KeyboardInterrupt:
        if not any(suite.of for suite in seen.suites):
            raise
        status = "interrupted"
    return _document(told, plan, seen, status)


class _Seen:
    """What the comparing process has said so far."""

    def __init__(self, progress: Progress) -> None:
        self.suites = [
            ConformanceSuite(name=name, cases=0, of=0, skipped=0, lacking=(), commands=0, events=0) for name in SUITES
        ]
        self.last: Begun | None = None
        self.counterexample: Counterexample | None = None
        self.finished = False
        self._progress = progress

    def take(self, message: Message) -> None:
        match message:
            case Begun(suite, case, of):
                self.last = message
                self.suites[suite] = replace(self.suites[suite], of=of)
                self._progress(f"{SUITES[suite]}: {case + 1:,} of {of:,}", (suite + case / of) / len(SUITES))
            case Judged(suite, commands, events, lacking):
                self.suites[suite] = _with(self.suites[suite], commands, events, lacking)
            case Shrinking():
                self._progress("a fault: looking for the shortest list of commands that shows it", 0.99)
            case FaultFound(counterexample):
                self.counterexample = counterexample
            case Completed():
                self.finished = True


def _with(suite: ConformanceSuite, commands: int, events: int, lacking: tuple[str, ...]) -> ConformanceSuite:
    if lacking:
        return replace(suite, skipped=suite.skipped + 1, lacking=tuple(sorted({*suite.lacking, *lacking})))
    return replace(suite, cases=suite.cases + 1, commands=suite.commands + commands, events=suite.events + events)


def _status(job: ConformanceJob, seen: _Seen) -> Status:
    ended = _run(job, seen)
    if ended is None:
        return "differs" if seen.counterexample else "conforms"
    if seen.last is None:
        raise RunFailedError(ended, ExitCode.NOT_VALID)
    again = msgspec.structs.replace(job, only=(seen.last.suite, seen.last.case))
    if _run(again, seen) is None and seen.counterexample is not None:
        seen.counterexample = replace(seen.counterexample, difference=ended)
        return "failed"
    raise RunFailedError(
        f"{ended}, while it executed {SUITES[seen.last.suite]} {seen.last.case + 1:,}", ExitCode.NOT_VALID
    )


def _run(job: ConformanceJob, seen: _Seen) -> str | None:
    """Run the job to its end; how its process ended if that was not of its own accord."""
    seen.finished = False
    with _started() as process:
        assert process.stdin and process.stdout and process.stderr, "all are pipes"
        try:
            process.stdin.write(msgspec.json.encode(job))
            process.stdin.close()
            for line in _whole_lines(process.stdout):
                seen.take(msgspec.json.decode(line, type=Message))
            said = process.stderr.read().decode(errors="replace").strip().splitlines()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)  # and what the engine has started
            end_child(process)
            raise
    if process.returncode == ExitCode.OK and seen.finished:
        return None
    if process.returncode == ExitCode.USAGE and said:
        raise RunFailedError(said[-1], ExitCode.USAGE)
    if process.returncode == ExitCode.NOT_VALID and said:
        return said[-1]
    return f"the process of {job.engine} {ending(process.returncode)}" + (f": {said[-1]}" if said else "")


def _started() -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            python_running("lowlat.engine.conformance.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=own_environment(),
            start_new_session=True,  # Ctrl-C reaches only this process, which ends the other
        )
    except (OSError, MemoryError) as error:
        raise RunFailedError(f"the comparing process cannot be started: {refusal(error)}", ExitCode.USAGE) from error


def _whole_lines(stream: Iterator[bytes]) -> Iterator[bytes]:
    return (line for line in stream if line.endswith(b"\n"))


def _document(
    told: LibraryDescription | ProcessDescription | PythonDescription, plan: VerifyPlan, seen: _Seen, status: Status
) -> Conformance:
    return Conformance(
        status=status,
        engine=told.name,
        version=told.version,
        file=told.file,
        capabilities=tuple(sorted(capability.name for capability in told.capabilities)),
        not_compared=not_compared(told.capabilities),
        seed=plan.seed,
        suites=tuple(suite for suite in seen.suites if suite.of),
        counterexample=seen.counterexample,
    )
