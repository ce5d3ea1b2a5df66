"""One run, in a process of its own: `python -m engine.worker`, a `Job` on stdin, an `Outcome` on stdout.

The order is always the same: pin, calibrate, take the memory from the CPU's NUMA node, execute the whole flow once
unmeasured, then the pass without clocks, the pass with stamps, and last a pass that keeps every event for the digest.
"""

from __future__ import annotations

import functools
import gc
import hashlib
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from engine import _core
from engine.arrays import aligned_copy
from engine.contract import MatchingEngine
from engine.instrument import Instrument
from engine.job import INTERRUPTIONS, ClockFacts, Disturbance, Job, Memory, Outcome, Pass, Recorded
from engine.native_engine import Engine
from engine.numa import memory_bound_to, pages_of
from engine.records import COMMAND, EVENT, Commands, EventKind, Reason
from engine.reference import ReferenceEngine
from engine.reference_passes import run_plain, run_stamped
from engine.settings import Settings, WhenDry
from lowlat_errors import LowlatError
from probes.affinity import affinity_of, pin
from probes.clock import Calibration, calibrate_quick
from probes.clock_scale import TickScale
from probes.disturbance import Disturbances, DisturbanceWatch
from probes.mappings import backing
from probes.reading import Reading
from probes.threads import end_with_parent
from reports._core import Histogram as Recorder
from reports.histogram import Histogram
from reports.interchange import encode

DIGEST_CHUNK = 1 << 16
TAIL_BYTES = 1024 * EVENT.itemsize
"""At least what the ring of a measured pass holds."""
POOL_FULL = (Reason.ORDER_POOL_FULL, Reason.TRADE_POOL_FULL)


def main() -> None:
    """Read the job, run it, write the outcome. An error of the user's goes to stderr as its one line, with its code."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTIONS)
    end_with_parent()
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    try:
        outcome = run(job)
    except LowlatError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


def run(job: Job) -> Outcome:
    """Do what `job` says, in this process."""
    cpu = pin([job.cpu])[0] if job.cpu is not None else affinity_of()[0]
    clock = calibrate_quick()
    with memory_bound_to(job.memory_node) as bound:
        with os.fdopen(job.commands_fd, "rb") as file:
            commands = aligned_copy(np.memmap(file, dtype=COMMAND, mode="r"))
        gc.disable()
        # All of the run: what the passes take, such as the ring of events and the histograms, lies there too.
        return _Run(job, cpu, clock, commands, bound).outcome()


class _Run:
    def __init__(self, job: Job, cpu: int, clock: Calibration, commands: Commands, bound: Reading[int]) -> None:
        self.job = job
        self.settings = _settings(job)
        self.cpu = cpu
        self.clock = clock
        self.scale = TickScale(clock.scale.multiplier, clock.scale.shift)
        self.commands = commands
        self.bound = bound
        self.seeding, self.measured = commands[: job.seeded], commands[job.seeded :]
        self.watch = DisturbanceWatch(cpu)
        self.disturbances: list[Disturbances] = []
        self.recorders: dict[str, Recorder] = {}
        self.largest_gap_ns: int | None = None
        self.tails: list[bytes] = []
        self.growths_and_recycled = (0, 0)

    def outcome(self) -> Outcome:
        plain, stamped, engine, memory = self._native() if self.job.engine == "native" else self._reference()
        clock_recorder = Recorder()
        _core.run_clock(self.measured, *self._scale, clock_recorder)
        loop = _core.run_loop(self.measured)
        digested = self._digest(engine)
        growths, recycled = self.growths_and_recycled
        histograms = {name: Histogram.from_native(recorder) for name, recorder in self.recorders.items()}
        return Outcome(
            cpu=self.cpu,
            clock=_clock_facts(self.clock),
            plain=plain,
            stamped=stamped,
            latencies={
                name: Recorded(hdr=encode(histogram), min_ns=histogram.min_ns, max_ns=histogram.max_ns)
                for name, histogram in histograms.items()
                if histogram.total
            },
            out_of_range=sum(histogram.out_of_range for histogram in histograms.values()),
            largest_gap_ns=self.largest_gap_ns,
            clock_ns=Histogram.from_native(clock_recorder).percentile(50).value_ns,
            loop_ns=self.scale.to_ns(loop.ticks) / max(loop.commands, 1),
            disturbance=_disturbance(self.disturbances),
            digest=digested.digest,
            digested_events=digested.events + digested.seeding_events,
            events=digested.events,
            same_tail=all(tail == digested.tail[-len(tail) :] for tail in self.tails if tail),
            rejected=digested.rejected,
            refusals=digested.refusals,
            growths=growths,
            trades_recycled=recycled,
            memory=memory,
        )

    @property
    def _scale(self) -> tuple[int, int]:
        return self.scale.multiplier, self.scale.shift

    def _native(self) -> tuple[Pass, Pass, MatchingEngine, Memory]:
        engine = Engine.of(self.settings)
        latencies = _core.Latencies()
        self._seed_native(engine)
        _core.run_plain(engine.matcher, self.measured)  # the warm-up

        def plain_pass() -> Pass:
            return self._pass(_core.run_plain(engine.matcher, self.measured))

        def stamped_pass() -> Pass:
            return self._pass(_core.run_stamped(engine.matcher, self.measured, *self._scale, latencies))

        self._seed_native(engine)
        plain = self._watched(plain_pass)
        self._seed_native(engine)
        stamped = self._watched(stamped_pass)
        self.largest_gap_ns = self.scale.to_ns(latencies.gap_max_ticks)
        self.recorders = {name: latencies.histogram(at) for at, name in enumerate(_core.operations())}
        memory = self._memory(engine)
        counters = engine.counters
        self.growths_and_recycled = counters.growths, counters.trades_recycled
        engine.reset()
        return plain, stamped, engine, memory

    def _seed_native(self, engine: Engine) -> None:
        engine.reset()
        _core.run_plain(engine.matcher, self.seeding)

    def _reference(self) -> tuple[Pass, Pass, MatchingEngine, Memory]:
        self.recorders = {name: Recorder() for name in _core.operations()}

        def seeded() -> ReferenceEngine:
            engine = ReferenceEngine.of(self.settings)
            engine.process(self.seeding)
            return engine

        first, second = seeded(), seeded()
        plain = self._watched(lambda: run_plain(first, self.measured, self.scale))
        stamped = self._watched(lambda: run_stamped(second, self.measured, self.scale, self.recorders))
        why = "not available here, because the reference engine's memory is Python's own"
        nothing = Memory(
            parts={},
            huge_page_bytes=None,
            locked=None,
            node=self.bound.value,
            pages_by_node=None,
            pages_astray=0,
            absent={"numa_pages": why} | ({"numa_node": self.bound.text} if self.bound.value is None else {}),
        )
        return plain, stamped, ReferenceEngine.of(self.settings), nothing

    def _memory(self, engine: Engine) -> Memory:
        parts: dict[str, int] = {}
        for part in engine.memory:
            parts[part.part] = parts.get(part.part, 0) + part.size_bytes
        behind = backing(part.address for part in engine.memory)
        ranges = [(part.address, part.size_bytes) for part in engine.memory]
        pages = pages_of([*ranges, (self.commands.ctypes.data, self.commands.nbytes)])
        absent: dict[str, Reading[Any]] = {"numa_node": self.bound, "numa_pages": pages}
        return Memory(
            parts=parts,
            huge_page_bytes=behind.value.huge_page_bytes if behind.value else None,
            locked=all(part.lock_error == 0 for part in engine.memory),
            node=self.bound.value,
            pages_by_node=pages.value.pages_by_node if pages.value else None,
            pages_astray=pages.value.pages_untouched + pages.value.pages_unknown if pages.value else 0,
            absent={name: reading.text for name, reading in absent.items() if reading.value is None},
        )

    def _watched(self, measured: Callable[[], Pass]) -> Pass:
        self.watch.start()
        done = measured()
        self.disturbances.append(self.watch.stop())
        return done

    def _pass(self, native: _core.Pass) -> Pass:
        self.tails.append(native.tail)
        return Pass(
            commands=native.commands,
            events=native.events,
            wall_ns=max(self.scale.to_ns(native.ticks), 1),
            cpu_ns=native.cpu_ns,
            allocations=native.allocations if native.allocations >= 0 else None,
            minor_faults=native.minor_faults,
            major_faults=native.major_faults,
            voluntary_switches=native.voluntary_switches,
            involuntary_switches=native.involuntary_switches,
        )

    def _digest(self, engine: MatchingEngine) -> _Digested:
        """A pass that keeps every event, part by part."""
        seeding = engine.process(self.seeding)
        digest = hashlib.sha256(seeding.tobytes())
        events = rejected = refusals = 0
        tail = b""
        for start in range(0, len(self.measured), DIGEST_CHUNK):
            part = engine.process(self.measured[start : start + DIGEST_CHUNK])
            raw = part.tobytes()
            digest.update(raw)
            tail = (tail + raw)[-TAIL_BYTES:]
            events += len(part)
            rejected += int(np.count_nonzero(part["kind"] == EventKind.REJECTED))
            refusals += int(np.count_nonzero(np.isin(part["reason"], POOL_FULL)))
        return _Digested(digest.hexdigest(), len(seeding), events, rejected, refusals, tail)


@dataclass(frozen=True, slots=True)
class _Digested:
    digest: str
    seeding_events: int
    events: int
    rejected: int
    refusals: int
    tail: bytes


def _settings(job: Job) -> Settings:
    return Settings(
        tuple(Instrument(*rules) for rules in job.rules),
        job.orders,
        job.trades,
        WhenDry(job.when_orders_dry),
        WhenDry(job.when_trades_dry),
    )


def _clock_facts(clock: Calibration) -> ClockFacts:
    return ClockFacts(
        source=clock.clock_source,
        frequency_hz=clock.frequency_hz,
        frequency_source=clock.source,
        invariant=clock.flags.invariant.value,
        uncertainty_ppm=clock.uncertainty_ppm,
        read_cost_ns=clock.costs.fenced_ns,
        step_ns=clock.step_ns,
    )


def _disturbance(watched: list[Disturbances]) -> Disturbance:
    total = functools.reduce(Disturbances.plus, watched)
    named = {"migrations": total.migrations, "timer_interrupts": total.timer_interrupts, "steal_ms": total.steal_ms}
    return Disturbance(
        migrations=total.migrations.value,
        timer_interrupts=total.timer_interrupts.value,
        steal_ms=total.steal_ms.value,
        reasons=list(total.reasons),
        absent={name: reading.text for name, reading in named.items() if reading.value is None},
    )


if __name__ == "__main__":
    main()
