"""`python -m lowlat.engine.conformance.worker` reads a `ConformanceJob` from stdin, loads the library, starts the
process or makes the engine in Python, and compares it case by case. Stops at the first fault, and makes it short.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
import numpy as np

from lowlat.child_process import apart_from_stdout
from lowlat.engine.bench.engines import engine_entry, is_library
from lowlat.engine.conformance.cases import Case, seeded_max, suites
from lowlat.engine.conformance.comparison import Difference, compare, events_of, with_commands
from lowlat.engine.conformance.messages import Begun, Completed, ConformanceJob, FaultFound, Judged, Message, Shrinking
from lowlat.engine.conformance.python_engines import PythonEngines
from lowlat.engine.conformance.shrinking import CandidateEnd, shrunk, tried
from lowlat.engine.external.hosting import EngineHost
from lowlat.engine.external.naming import is_process
from lowlat.engine.external.process import ended_by_sigterm
from lowlat.engine.foreign.description import STALL_LIMIT_S
from lowlat.engine.foreign.library import LoadedLibrary, loaded, silenced
from lowlat.engine.matching.commands import describe
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import Commands, CommandType, SelfTradePrevention, Side, TimeInForce
from lowlat.errors import NotValidError
from lowlat.probes.cpu.threads import end_with_parent
from lowlat.reports.model.conformance import Counterexample

Tell = Callable[[Message], None]
Source: TypeAlias = LoadedLibrary | EngineHost | PythonEngines


def main() -> None:
    """`lowlat.child_process.run_program` reports what fails."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=ConformanceJob)
    end_with_parent(job.parent)
    with apart_from_stdout() as out, silenced():

        def tell(message: Message) -> None:
            out.write(msgspec.json.encode(message) + b"\n")
            out.flush()

        if is_library(job.engine):
            _run(job, loaded(job.engine, STALL_LIMIT_S), tell)
        elif is_process(job.engine):
            with ended_by_sigterm(), EngineHost(job.engine) as host:
                _run(job, host, tell)
        else:
            _run(job, PythonEngines(engine_entry(job.engine)), tell)
        tell(Completed())


def _run(job: ConformanceJob, source: Source, tell: Tell) -> None:
    claimed = source.description.capabilities
    all_suites = suites(
        claimed,
        worlds=job.worlds,
        seed=job.seed,
        commands=job.commands,
        recorded=job.recorded,
        seeded_max=seeded_max(job.engine),
    )
    if job.only is not None:
        ended, at = all_suites[job.only[0]], job.only[1]
        tell(Shrinking())
        tell(FaultFound(_ended(source, ended.name, ended.cases[at]())))
        return
    chosen, first, end = job.part or (None, 0, None)
    for number, suite in enumerate(all_suites):
        if chosen is not None and number != chosen:
            continue
        for at in range(len(suite.cases))[first:end]:
            tell(Begun(number, at, len(suite.cases)))
            case = suite.cases[at]()
            if case.lacks:
                tell(Judged(number, 0, 0, case.lacks))
                continue
            difference, events = compare(source, case)
            if difference is not None:
                tell(Shrinking())
                tell(FaultFound(_different(source, suite.name, case, difference)))
                return
            tell(Judged(number, len(case.commands), events, ()))


def _different(source: Source, suite: str, case: Case, first: Difference) -> Counterexample:
    """The case, cut behind the first difference and made short, with both engines' events."""
    short = _shortest(source, with_commands(case, case.commands[: first.command + 1]), CandidateEnd.DIFFERENT)
    found, _ = compare(source, short)
    if found is None:  # it depends on what was there before
        short, found = case, first
    given, expected = events_of(source, short, found.how)
    return _counterexample(suite, case, short, found.how, found.command, found.text, expected, given)


def _ended(source: Source, suite: str, case: Case) -> Counterexample:
    """The same of a case that ends the engine's process."""
    short = _shortest(source, case, CandidateEnd.ENDED)
    expected = Engine.of(short.settings).process(short.commands)
    return _counterexample(suite, case, short, "in batches or one at a time", None, "", expected, expected[:0])


def _shortest(source: Source, case: Case, outcome: CandidateEnd) -> Case:
    attempt = _tried_in_process if isinstance(source, EngineHost) else tried

    def shows(commands: Commands) -> bool:
        candidate = with_commands(case, commands)
        return attempt(lambda: compare(source, candidate)[0] is not None) is outcome

    return with_commands(case, shrunk(case.commands, shows)) if shows(case.commands) else case


def _tried_in_process(differs: Callable[[], bool]) -> CandidateEnd:
    """As `tried`, of an engine whose process is not ours: it may end, and the next candidate has a new one."""
    try:
        return CandidateEnd.DIFFERENT if differs() else CandidateEnd.EQUAL
    except NotValidError:
        return CandidateEnd.ENDED


def _counterexample(
    suite: str,
    case: Case,
    short: Case,
    how: str,
    command: int | None,
    text: str,
    expected: np.ndarray[Any, Any],
    given: np.ndarray[Any, Any],
) -> Counterexample:
    return Counterexample(
        suite=suite,
        case=case.name,
        case_commands=len(case.commands),
        rules=case.rules,
        commands=tuple(named_fields(row) for row in short.commands),
        how=how,
        command=command,
        difference=text,
        expected=tuple(map(describe, expected)),
        given=tuple(map(describe, given)),
    )


_NAMES = {"kind": CommandType, "side": Side, "time_in_force": TimeInForce, "self_trade": SelfTradePrevention}


def named_fields(row: Any) -> dict[str, int | str]:
    """A command by field, with the names of its numbers."""
    fields: dict[str, int | str] = {}
    for name in row.dtype.names:
        value, known = int(row[name]), _NAMES.get(name)
        fields[name] = known(value).name if known and value in frozenset(known) else value
    return fields


if __name__ == "__main__":
    main()
