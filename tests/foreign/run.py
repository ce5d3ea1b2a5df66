"""Runs foreign engines in a process of its own, for `tests/foreign/apart.py`, which asks for the functions below."""

from __future__ import annotations

import pickle
import socket
from dataclasses import dataclass
from pathlib import Path

from lowlat.engine import _core
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.config_codec import native_rules
from lowlat.engine.matching.records import EXTENDED_COMMAND, Commands
from lowlat.errors import LowlatError


@dataclass(frozen=True)
class Job:
    """Batches of commands for a new engine of a library. `resets`: the batches before which it is reset."""

    library: Path
    settings: EngineConfig
    batches: list[Commands]
    resets: frozenset[int] = frozenset()
    stall_limit_ms: int = 600_000


@dataclass(frozen=True)
class Done:
    """The events of each batch as bytes, and what the heap grew by while it ran."""

    events: list[bytes]
    grown: list[int]


def capabilities(library: Path) -> int:
    """Those that it says it has."""
    return _core.EngineLibrary(str(library), 600_000).capabilities


def run(job: Job) -> Done:
    """Every batch."""
    engine, done = _engine(job), Done([], [])
    for at, batch in enumerate(job.batches):
        if at in job.resets:
            engine.reset()
        before = _core.heap_in_use()
        done.events.append(engine.process(batch).tobytes())
        done.grown.append(_core.heap_in_use() - before - len(done.events[-1]))
    return done


def run_batched(job: Job) -> list[int]:
    """The batches by the measured loop that times a batch; how many events each had."""
    engine = _engine(job)
    return [_core.run_batched(engine, batch).events for batch in job.batches]


def run_one_at_a_time(job: Job) -> list[int]:
    """The same by the one that times a command at a time."""
    engine = _engine(job)
    return [_core.run_one_at_a_time(engine, batch).events for batch in job.batches]


def _engine(job: Job) -> _core.ForeignEngine:
    library = _core.EngineLibrary(str(job.library), job.stall_limit_ms)
    extended = any(batch.dtype == EXTENDED_COMMAND for batch in job.batches)
    return _core.ForeignEngine(library, native_rules(job.settings), job.settings.orders, extended=extended)


def answer_requests() -> None:
    """Read pickled pairs of one of the functions above and its argument from stdin, a socket, until it ends; answer
    with what it returns, or the `LowlatError` that it raises. Stdout and stderr are the engine's.
    """
    with socket.socket(fileno=0) as asked, asked.makefile("rwb") as stream:
        while True:
            try:
                function, argument = pickle.load(stream)
            except EOFError:
                return
            try:
                answer = function(argument)
            except LowlatError as error:
                answer = error
            pickle.dump(answer, stream)
            stream.flush()
