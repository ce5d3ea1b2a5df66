"""`python -m lowlat.fleet.partition_starter` reads `PartitionJob`s from stdin, a line each, replays each in a process
of its own, and writes a line for each to stdout: a `PartitionAnswer`, or a `PartitionFailure`.

A partition's process is forked from this one, which has loaded the modules, but has read no file, pins no thread and
has no engine: all begin in the same state, without the time that Python takes to start. The process that measures a
run is a fresh one nevertheless, as it is for any replay.

It ends when stdin does, and with it what it started; or when it has had nothing to do for `IDLE_S`.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import sys
import tempfile
from typing import Final, NoReturn

import msgspec

from lowlat.child_process import apart_from_stdout, failures_told
from lowlat.engine.flow.registry import READERS
from lowlat.errors import ExitCode
from lowlat.fleet.partition_job import IDLE_S, PartitionFailure, PartitionJob, why_ended
from lowlat.fleet.partition_worker import replayed
from lowlat.probes.cpu.threads import end_with_parent

_LOADED_LATE: Final = ("email.parser", "hdrh.histogram", "numpy.ma")
"""Modules of others that a partition would load when it first needs them."""
_STDIN, _STDERR = 0, 2


def main() -> None:
    """`lowlat.child_process.run_program` reports what fails."""
    for name in _LOADED_LATE:
        importlib.import_module(name)
    assert READERS.built_in, "which loads them"
    gc.freeze()  # else a collection in a partition would copy the pages that it has from here
    waiting = select.poll()
    waiting.register(_STDIN, select.POLLIN)
    with apart_from_stdout() as out:
        while waiting.poll(1000 * IDLE_S) and (line := sys.stdin.buffer.readline()):
            out.write(_answer_to(line) + b"\n")
            out.flush()


def _answer_to(line: bytes) -> bytes:
    """Replay a partition in a forked process."""
    starter = os.getpid()
    read_end, write_end = os.pipe()
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            _replay(line, write_end, said.fileno(), starter)
        os.close(write_end)
        answer = _read_to_end(read_end)
        os.close(read_end)
        _, status = os.waitpid(child, 0)
        if status == 0 and answer:
            return answer
        said.seek(0)
        return msgspec.json.encode(PartitionFailure(why_ended(os.waitstatus_to_exitcode(status), said.read())))


def _replay(line: bytes, write_end: int, said: int, starter: int) -> NoReturn:
    """What the process of a partition does."""
    code = int(ExitCode.INTERNAL)
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), _STDIN)
        os.dup2(said, _STDERR)
        with failures_told():
            end_with_parent(starter)
            answer = replayed(msgspec.json.decode(line, type=PartitionJob))
            with os.fdopen(write_end, "wb") as out:
                out.write(msgspec.json.encode(answer))
            code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        os._exit(code)


def _read_to_end(answer: int) -> bytes:
    """What a partition's process writes until it ends. If stdin ends before, nobody waits for it any more."""
    events = select.poll()
    events.register(answer, select.POLLIN)
    events.register(_STDIN, 0)  # its end is told nevertheless
    pieces: list[bytes] = []
    while True:
        for descriptor, _ in events.poll():
            if descriptor == _STDIN:
                sys.exit()
            pieces.append(os.read(answer, 1 << 16))
            if not pieces[-1]:
                return b"".join(pieces)


if __name__ == "__main__":
    main()
