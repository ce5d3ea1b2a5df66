"""Makes runs, each in a process of its own: `python -m lowlat.engine.ablation.worker` reads an `AblationJob` and then
`VariantJob`s from stdin, and writes a `VariantAnswer` for each to stdout.

A run's process is forked from this one, which has loaded all modules and the order flow, but has no engine and pins no
thread: a run begins in the same state as any other, and takes milliseconds to start instead of half a second.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
from typing import IO, Final

import msgspec

from lowlat.child_process import apart_from_stdout, ending, ends_within
from lowlat.engine.ablation.catalog import BY_NAME
from lowlat.engine.ablation.protocol import AblationJob, VariantAnswer, VariantJob
from lowlat.engine.ablation.technique import OWN, VariantRun
from lowlat.engine.bench.engines import engine_entry
from lowlat.engine.bench.protocol import INTERRUPTIONS
from lowlat.engine.bench.run_setup import commands_from
from lowlat.engine.foreign.library import STDERR
from lowlat.engine.matching.config_codec import from_plain
from lowlat.engine.matching.records import Commands
from lowlat.errors import UsageError
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.cpu.affinity import affinity_of, pin
from lowlat.probes.cpu.threads import end_with_parent
from lowlat.refusals import refusal
from lowlat.text import printable

SHOWN_BYTES: Final = 400
RUN_LIMIT_S: Final = 6.0
"""A run takes a fraction of a second. It may take for ever where two threads that wait for each other share a CPU."""
KILLED_WITHIN_S: Final = 1.0
"""A real-time program that never sleeps keeps its CPU, and even a killed process there from ending."""
OTHERS_LIMIT_S: Final = 30.0
"""Of a run of somebody else's engine, which may be a thousand times slower."""


def main() -> None:
    """Answer until stdin ends. `lowlat.child_process.run_program` reports what fails."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTIONS)
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=AblationJob)
    end_with_parent(job.parent)
    commands = commands_from(job.commands_fd, wide=job.wide)
    gc.disable()
    gc.freeze()  # else a collection in a run would copy the pages that it has from here
    with apart_from_stdout() as out:
        for line in sys.stdin.buffer:
            answer = in_own_process(job, commands, msgspec.json.decode(line, type=VariantJob))
            out.write(msgspec.json.encode(answer) + b"\n")
            out.flush()


def in_own_process(job: AblationJob, commands: Commands, wanted: VariantJob) -> VariantAnswer:
    """Make a run in a forked process. An engine of somebody else may end it, and print what nobody reads meanwhile."""
    limit_s = RUN_LIMIT_S if job.engine == OWN else OTHERS_LIMIT_S
    with tempfile.TemporaryFile() as said:
        read_end, write_end = os.pipe()
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), STDERR)
            with os.fdopen(write_end, "wb") as out:
                end_with_parent(parent)
                out.write(msgspec.json.encode(answer_to(job, commands, wanted)))
            os._exit(0)
        os.close(write_end)
        with os.fdopen(read_end, "rb") as answered:
            if not ends_within(child, limit_s):
                os.kill(child, signal.SIGKILL)
                if ends_within(child, KILLED_WITHIN_S):
                    os.waitpid(child, 0)
                return VariantAnswer(absent=f"a run of it did not end within {limit_s:g} s; is the host overloaded?")
            _, status = os.waitpid(child, 0)
            answer = answered.read()
        if (returned := os.waitstatus_to_exitcode(status)) or not answer:
            return VariantAnswer(failure=f"its process {ending(returned)}{_last_line(said)}")
    return msgspec.json.decode(answer, type=VariantAnswer)


def _last_line(said: IO[bytes]) -> str:
    said.seek(0, os.SEEK_END)
    said.seek(max(said.tell() - SHOWN_BYTES, 0))
    lines = said.read().decode(errors="replace").strip().splitlines()
    return f": {printable(lines[-1])}" if lines else ""


def answer_to(job: AblationJob, commands: Commands, wanted: VariantJob) -> VariantAnswer:
    """Make a run in this process."""
    try:
        allowed = affinity_of()
        run = VariantRun(
            with_it=wanted.with_it,
            operations=wanted.operations,
            passes=wanted.passes,
            seed=wanted.seed,
            scale=TickScale(job.multiplier, job.shift),
            cpu=allowed[0] if job.cpu is None else pin([job.cpu])[0],
            other_cpu=job.other_cpu,
            allowed=allowed,
            commands=commands,
            seeded=job.seeded,
            settings=from_plain(job.settings),
            engine=job.engine,
        )
        technique = BY_NAME[wanted.technique].for_engine(engine_entry(job.engine))
        return VariantAnswer(figures=technique.measure(run))
    except UsageError as error:
        return VariantAnswer(absent=str(error))
    except Exception as error:  # noqa: BLE001 (the process ends with it)
        if (refused := refusal(error)) is not None:
            return VariantAnswer(absent=refused)
        return VariantAnswer(failure=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
