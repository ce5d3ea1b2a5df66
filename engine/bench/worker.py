"""One run, in a process of its own: a `Job` on stdin, an `Outcome` on stdout.

The order is always the same: pin, calibrate, take the memory from the CPU's NUMA node, execute the whole flow once
unmeasured, then the measured passes, and last a pass that keeps every event for the digest. Measured are, in a closed
loop, a pass without clocks and one with stamps; in an open loop one at planned times; of a pipeline one through it.
"""

from __future__ import annotations

import dataclasses
import functools
import gc
import hashlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lowlat.engine import _core
from lowlat.engine.bench.engines import ENGINES
from lowlat.engine.bench.interval_log import logged
from lowlat.engine.bench.journal_cost import journal_cost
from lowlat.engine.bench.numa import memory_bound_to, pages_of
from lowlat.engine.bench.pipeline import PACED_MEASURES, PATH_MEASURES, OrderPath
from lowlat.engine.bench.protocol import (
    INTERRUPTIONS,
    ClockFacts,
    ClosedLoop,
    Delivery,
    Disturbance,
    Job,
    JournalCost,
    Memory,
    OpenLoop,
    Outcome,
    Pass,
    Pipeline,
    Recorded,
)
from lowlat.engine.bench.reference_loops import run_plain, run_stamped
from lowlat.engine.flow.arrivals import arrivals
from lowlat.engine.flow.profile import Arrivals
from lowlat.engine.matching.aligned import aligned_copy
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.native import Engine, MemoryPart
from lowlat.engine.matching.records import (
    COMMAND,
    EVENT,
    EXTENDED_COMMAND,
    Commands,
    ExecType,
    MatchAlgorithm,
    PoolPolicy,
    Reason,
    TickRounding,
)
from lowlat.errors import LowlatError
from lowlat.probes.clock.counter import Calibration, calibrate_quick
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.cpu.affinity import affinity_of, pin
from lowlat.probes.cpu.threads import end_with_parent
from lowlat.probes.disturbance import Disturbances, DisturbanceWatch
from lowlat.probes.memory.smaps import huge_page_bytes
from lowlat.probes.reading import Reading, known
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram.hdr_codec import encode
from lowlat.reports.histogram.histogram import Histogram

DIGEST_CHUNK = 1 << 16
TAIL_BYTES = 1024 * EVENT.itemsize
"""At least what the ring of a measured pass holds."""
OPEN_MEASURES = ("response", "service", "slip")
POOL_FULL = (Reason.ORDER_POOL_FULL, Reason.TRADE_POOL_FULL)


def main() -> None:
    """Read the job, run it, write the outcome. An error of the user's goes to stderr as its one line, with its code."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTIONS)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    end_with_parent(job.parent)
    try:
        outcome = run(job)
    except LowlatError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


def run(job: Job) -> Outcome:
    """Do what `job` says, in this process."""
    allowed = affinity_of()
    cpu = pin([job.cpu])[0] if job.cpu is not None else allowed[0]
    clock = calibrate_quick()
    with memory_bound_to(job.memory_node) as bound:
        with os.fdopen(job.commands_fd, "rb") as file:
            commands = aligned_copy(np.memmap(file, dtype=EXTENDED_COMMAND if job.wide else COMMAND, mode="r"))
        gc.disable()
        # All of the run: what the passes take, such as the ring of events and the histograms, lies there too.
        return _Run(job, cpu, allowed, clock, commands, bound).outcome()


@dataclass(frozen=True, slots=True)
class _Measured:
    """What the measured passes gave, and the pass that kept every event."""

    plain: Pass | None
    stamped: Pass
    memory: Memory
    digested: _Digested
    delivery: Delivery | None = None


class _Run:
    def __init__(
        self,
        job: Job,
        cpu: int,
        allowed: Sequence[int],
        clock: Calibration,
        commands: Commands,
        bound: Reading[int],
    ) -> None:
        self.job = job
        self.entry = ENGINES.get(job.engine)
        self.settings = _settings(job)
        self.cpu = cpu
        self.allowed = allowed
        self.clock = clock
        self.scale = TickScale(clock.scale.multiplier, clock.scale.shift)
        self.commands = commands
        self.bound = bound
        self.seeding, self.measured = commands[: job.seeded], commands[job.seeded :]
        self.watch = DisturbanceWatch(cpu)
        self.disturbances: list[Disturbances] = []
        self.recorders: dict[tuple[str, str], Recorder] = {}
        self.largest_gap_ns: int | None = None
        self.tails: list[bytes] = []
        self.late_ns = 0
        self.log_fault: str | None = None
        self.journal: JournalCost | None = None
        self.growths_and_recycled = (0, 0)

    def outcome(self) -> Outcome:
        measured = self._measured()
        digested = measured.digested
        clock_recorder = Recorder()
        _core.run_clock(self.measured, *self._scale, clock_recorder)
        loop = _core.run_loop(self.measured)
        growths, recycled = self.growths_and_recycled
        histograms = {name: Histogram.from_native(recorder) for name, recorder in self.recorders.items()}
        return Outcome(
            cpu=self.cpu,
            clock=_clock_facts(self.clock),
            plain=measured.plain,
            stamped=measured.stamped,
            latencies=[
                Recorded(
                    measure=measure, op=op, hdr=encode(histogram), min_ns=histogram.min_ns, max_ns=histogram.max_ns
                )
                for (measure, op), histogram in histograms.items()
                if histogram.total
            ],
            out_of_range=sum(histogram.out_of_range for histogram in histograms.values()),
            largest_gap_ns=self.largest_gap_ns,
            clock_ns=Histogram.from_native(clock_recorder).percentile(50).value_ns,
            loop_ns=self.scale.to_ns(loop.ticks) / max(loop.commands, 1),
            disturbance=_disturbance(self.disturbances),
            late_ns=self.late_ns,
            log_fault=self.log_fault,
            journal=self.journal,
            delivery=measured.delivery,
            digest=digested.digest,
            digested_events=digested.events + digested.seeding_events,
            events=digested.events,
            same_tail=all(tail == digested.tail[-len(tail) :] for tail in self.tails if tail),
            rejected=digested.rejected,
            refusals=digested.refusals,
            growths=growths,
            trades_recycled=recycled,
            memory=measured.memory,
        )

    @property
    def _scale(self) -> tuple[int, int]:
        return self.scale.multiplier, self.scale.shift

    def _measured(self) -> _Measured:
        engine = self.entry.make_checked(self.settings)
        if not isinstance(engine, Engine):
            return self._called_from_python(engine)
        self._seed_native(engine)
        _core.run_plain(engine.matcher, self.measured)  # the warm-up
        self._seed_native(engine)
        match self.job.load:
            case ClosedLoop():
                return self._closed(engine)
            case OpenLoop(arrivals=due):
                return self._open(engine, due)
            case Pipeline(arrivals=due):
                return self._through_path(engine, due)

    def _seed_native(self, engine: Engine) -> None:
        engine.reset()
        _core.run_plain(engine.matcher, self.seeding)

    def _closed(self, engine: Engine) -> _Measured:
        latencies = _core.Latencies(["service"])
        plain = self._watched(lambda: self._pass(_core.run_plain(engine.matcher, self.measured)))
        self._seed_native(engine)

        def stamped_pass() -> Pass:
            return self._pass(_core.run_stamped(engine.matcher, self.measured, *self._scale, latencies))

        stamped = self._recorded(stamped_pass, latencies, ["service"])
        self.largest_gap_ns = self.scale.to_ns(latencies.gap_max_ticks)
        memory = self._memory(engine)
        digested = self._digest_again(engine, self.measured)
        if self.job.journal is not None:
            self.journal = journal_cost(self.job.journal, engine, self.seeding, self.measured, self.scale)
        return _Measured(plain, stamped, memory, digested)

    def _open(self, engine: Engine, due: Arrivals) -> _Measured:
        latencies = _core.Latencies(OPEN_MEASURES)
        planned = self._planned(due)

        def paced_pass() -> Pass:
            return self._pass(_core.run_paced(engine.matcher, self.measured, planned, *self._scale, latencies))

        paced = self._recorded(paced_pass, latencies, OPEN_MEASURES)
        self.late_ns = self._late_ns(paced, planned)
        memory = self._memory(engine)
        return _Measured(None, paced, memory, self._digest_again(engine, self.measured))

    def _through_path(self, engine: Engine, due: Arrivals | None) -> _Measured:
        assert self.job.path is not None, "a pipeline has its places"
        measures = PACED_MEASURES if due else PATH_MEASURES
        latencies = _core.Latencies(measures)
        planned = self._planned(due) if due else None
        with OrderPath(
            engine, self.settings, self.job.path, self.job.cpu, self.measured, planned, self.scale, latencies
        ) as path:

            def pass_through() -> Pass:
                native = path.run()
                return self._pass(native, path.ticks)

            path.start()
            done = self._recorded(pass_through, latencies, measures)
            if planned is not None:
                self.late_ns = self._late_ns(done, planned)
            passed = path.passed()
            memory = self._memory(engine, path.memory)
            digested = self._digest_again(engine, self.measured[passed.order])
            faults = list(path.faults(passed, engine, digested.event_hash))
        delivery = Delivery(
            sent=passed.sent, acked=passed.acked, rejected=passed.rejected, updates=passed.updates, faults=faults
        )
        return _Measured(None, done, memory, digested, delivery)

    def _planned(self, due: Arrivals) -> NDArray[np.uint64]:
        """When each measured command is due, in ticks from the start."""
        times_ps = arrivals(
            due.process,
            len(self.measured),
            due.rate,
            self.job.seed,
            branching=due.branching,
            decay_spacings=due.decay_spacings,
        )
        planned: NDArray[np.uint64] = np.rint(times_ps * (self.clock.frequency_hz / 1e12)).astype(np.uint64)
        return planned

    def _late_ns(self, done: Pass, planned: NDArray[np.uint64]) -> int:
        return max(0, done.wall_ns - self.scale.to_ns(int(planned[-1])))

    def _idle_cpus(self) -> list[int]:
        """Allowed CPUs that no measured thread has, or at least not the matcher."""
        path = self.job.path
        measured = {self.cpu, *((path.publisher, *path.producers) if path else ())}
        others = [cpu for cpu in self.allowed if cpu not in measured]
        return others or [cpu for cpu in self.allowed if cpu != self.cpu]

    def _recorded(self, measured: Callable[[], Pass], latencies: _core.Latencies, measures: Sequence[str]) -> Pass:
        """A watched pass that records these measures, the first of which goes into the log if there is one."""
        operations = _core.operations()
        recorders = {(name, op): latencies.histogram(name, at) for name in measures for at, op in enumerate(operations)}
        if self.job.log is None:
            done = self._watched(measured)
        else:
            with logged(self.job.log, latencies, measures[0], self.scale, self._idle_cpus()) as log:
                done = self._watched(measured)
            self.log_fault = log.fault
            recorders |= {(measures[0], op): log.intervals.total(at) for at, op in enumerate(operations)}
        self.recorders = recorders
        return done

    def _called_from_python(self, first: MatchingEngine) -> _Measured:
        recorders = {op: Recorder() for op in _core.operations()}
        self.recorders = {("service", op): recorder for op, recorder in recorders.items()}
        second = self.entry.make(self.settings)
        for engine in (first, second):
            engine.process(self.seeding)
        plain = self._watched(lambda: run_plain(first, self.measured, self.scale))
        stamped = self._watched(lambda: run_stamped(second, self.measured, self.scale, recorders))
        why = f"not available here, because the {self.job.engine} engine's memory is Python's own"
        nothing = Memory(
            parts={},
            huge_page_bytes=None,
            locked=None,
            node=self.bound.value,
            pages_by_node=None,
            pages_astray=0,
            absent={"numa_pages": why} | ({"numa_node": self.bound.text} if self.bound.value is None else {}),
        )
        return _Measured(plain, stamped, nothing, self._digest(self.entry.make(self.settings), self.measured))

    def _memory(self, engine: Engine, rings: Sequence[MemoryPart] = ()) -> Memory:
        mappings = [*engine.memory, *rings]
        parts: dict[str, int] = {}
        for part in mappings:
            parts[part.part] = parts.get(part.part, 0) + part.size_bytes
        huge = huge_page_bytes(part.address for part in mappings)
        ranges = [(part.address, part.size_bytes) for part in mappings]
        pages = pages_of([*ranges, (self.commands.ctypes.data, self.commands.nbytes)])
        absent: dict[str, Reading[Any]] = {"numa_node": self.bound, "numa_pages": pages}
        return Memory(
            parts=parts,
            huge_page_bytes=huge.value,
            locked=all(part.lock_error == 0 for part in mappings),
            node=self.bound.value,
            pages_by_node=pages.value.pages_by_node if pages.value else None,
            pages_astray=pages.value.pages_untouched + pages.value.pages_unknown if pages.value else 0,
            absent={name: reading.text for name, reading in absent.items() if reading.value is None},
        )

    def _watched(self, measured: Callable[[], Pass]) -> Pass:
        self.watch.start()
        done = measured()
        self.disturbances.append(_of_pass(self.watch.stop(), done))
        return done

    def _pass(self, native: _core.Pass, ticks: int | None = None) -> Pass:
        """`ticks`: how long it took, if not as long as the native call."""
        self.tails.append(native.tail)
        return Pass(
            commands=native.commands,
            events=native.events,
            wall_ns=max(self.scale.to_ns(native.ticks if ticks is None else ticks), 1),
            cpu_ns=native.cpu_ns,
            allocations=native.allocations if native.allocations >= 0 else None,
            minor_faults=native.minor_faults,
            major_faults=native.major_faults,
            voluntary_switches=native.voluntary_switches,
            involuntary_switches=native.involuntary_switches,
        )

    def _digest_again(self, engine: Engine, commands: Commands) -> _Digested:
        counters = engine.counters
        self.growths_and_recycled = counters.growths, counters.trades_recycled
        engine.reset()
        return self._digest(engine, commands)

    def _digest(self, engine: MatchingEngine, commands: Commands) -> _Digested:
        """A pass that keeps every event, part by part."""
        seeding = engine.process(self.seeding)
        digest, hashed = hashlib.sha256(seeding.tobytes()), _core.EventHash()
        events = rejected = refusals = 0
        tail = b""
        for start in range(0, len(commands), DIGEST_CHUNK):
            part = engine.process(commands[start : start + DIGEST_CHUNK])
            raw = part.tobytes()
            digest.update(raw)
            hashed.add(part)
            tail = (tail + raw)[-TAIL_BYTES:]
            events += len(part)
            rejected += int(np.count_nonzero(part["kind"] == ExecType.REJECTED))
            refusals += int(np.count_nonzero(np.isin(part["reason"], POOL_FULL)))
        return _Digested(digest.hexdigest(), hashed.value, len(seeding), events, rejected, refusals, tail)


@dataclass(frozen=True, slots=True)
class _Digested:
    digest: str
    event_hash: int
    seeding_events: int
    events: int
    rejected: int
    refusals: int
    tail: bytes


def _settings(job: Job) -> EngineConfig:
    return EngineConfig(
        tuple(
            Instrument(tick, lot, low, high, algorithm=MatchAlgorithm(algorithm), off_tick=TickRounding(off_tick))
            for tick, lot, low, high, algorithm, off_tick in job.rules
        ),
        job.orders,
        job.trades,
        PoolPolicy(job.when_orders_dry),
        PoolPolicy(job.when_trades_dry),
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


def _of_pass(around: Disturbances, done: Pass) -> Disturbances:
    """What the thread was seen to suffer around the call, by what was counted right around its loop where it was: the
    call also takes memory of its own, which disturbs nothing that is measured."""

    def counted(value: int | None, seen: Reading[int]) -> Reading[int]:
        return seen if value is None else known(value, "counted around the loop")

    return dataclasses.replace(
        around,
        voluntary_switches=counted(done.voluntary_switches, around.voluntary_switches),
        involuntary_switches=counted(done.involuntary_switches, around.involuntary_switches),
        minor_faults=counted(done.minor_faults, around.minor_faults),
        major_faults=counted(done.major_faults, around.major_faults),
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
