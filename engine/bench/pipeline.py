"""One pass through the whole order path: producers, matcher and publisher, each in its own thread.

    producer x N  -- order ring -->  matcher  -- market data ring -->  publisher  -->  mapped books

The order id determines the producer, and each producer sends its commands in order. Commands from different producers
reach the matcher in an order that differs from run to run. The pass is therefore checked against itself: its commands
are executed again in a closed loop, in the order in which they were matched, and must produce the same events and
books.
"""

from __future__ import annotations

import contextlib
import resource
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from lowlat import units
from lowlat.engine import _core
from lowlat.engine.bench.protocol import PathPlaces
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.native import Engine, MemoryPart
from lowlat.engine.matching.records import Commands, Side
from lowlat.engine.rings.records import WaitStrategy
from lowlat.engine.shared_book.reader import MappedBookReader
from lowlat.engine.shared_book.writer import MappedBookWriter
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.cpu.affinity import pin

PATH_MEASURES = ("service", "stage:queued", "stage:matched", "stage:published")
PACED_MEASURES = ("response", "service", "scheduling_delay", *PATH_MEASURES[1:])
"""The same for commands with intended start times."""
Waits = dict[int | None, WaitStrategy]
FILES_A_BOOK: Final = 2
"""Descriptors that a book's writer holds: the file, and the mapping's own."""
_NOTHING_PLANNED = np.empty(0, np.uint64)


def producer_of(order_ids: NDArray[np.uint64], producers: int) -> NDArray[np.uint64]:
    """Which producer sends an order's commands, from 0; the same for all commands of one order."""
    # Upper bits of the product with 2^64 / golden ratio, so that consecutive ids do not alternate in a pattern.
    scattered = (order_ids * np.uint64(0x9E37_79B9_7F4A_7C15)) >> np.uint64(32)
    return scattered % np.uint64(producers)


@dataclass(frozen=True, slots=True)
class Passed:
    """The results of a pass. `order`: shape (n,), uint32: command numbers in the order of matching."""

    order: NDArray[np.uint32]
    event_hash: int
    sent: int
    acked: int
    rejected: int
    backwards: int
    """Commands excluded from the latencies because the counters of two CPUs contradicted each other."""
    updates: int


class OrderPath:
    """The path of these commands to one engine, with its books. Use it in a `with` block, which closes them.

    `planned`: ticks after the start at which each command is due; None for maximum rate. `cpu`: the matcher's.
    Raises what `MappedBookWriter` raises.
    """

    def __init__(
        self,
        engine: Engine,
        settings: EngineConfig,
        places: PathPlaces,
        cpu: int | None,
        commands: Commands,
        planned: NDArray[np.uint64] | None,
        scale: TickScale,
        latencies: _core.Latencies,
    ) -> None:
        self.places = places
        self.cpu = cpu
        self.commands = commands
        _allow_files(FILES_A_BOOK * len(places.books))
        producers = len(places.producers)
        sender = producer_of(commands["order_id"], producers)
        self._numbers = [np.flatnonzero(sender == index).astype(np.uint32) for index in range(producers)]
        self._folder = None if places.folder is None else Path(places.folder)
        with contextlib.ExitStack() as opened:
            writers = [
                opened.enter_context(MappedBookWriter(name, folder=self._folder, instrument=instrument))
                for name, instrument in zip(places.books, settings.instruments, strict=True)
            ]
            self._native = _core.Pipeline(
                engine.matcher,
                commands,
                _NOTHING_PLANNED if planned is None else planned,
                producers,
                [writer.native for writer in writers],
                scale.multiplier,
                scale.shift,
                latencies,
            )
            self._books = opened.pop_all()
        self._threads = ThreadPoolExecutor(1 + producers)
        self._lives: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._native.abandon()  # ends threads that still wait after another failed
        self._threads.shutdown()
        del self._native  # it holds the books' mappings
        self._books.close()

    @property
    def memory(self) -> list[MemoryPart]:
        """The mappings that hold the rings."""
        return [MemoryPart(*part) for part in self._native.memory]

    def start(self) -> None:
        """Start the other threads; they wait for `run`."""
        waits = self._waits()
        self._lives = [self._threads.submit(self._publish, self.places.publisher, waits)]
        for cpu, numbers in zip(self.places.producers, self._numbers, strict=True):
            self._lives.append(self._threads.submit(self._produce, numbers, cpu, waits))

    def run(self) -> _core.Pass:
        """Send all commands through; call it once, after `start`. The calling thread is the matcher.

        Raises `AffinityError` if a thread cannot be pinned to its CPU.
        """
        done = self._native.match(self._waits()[self.cpu])
        for life in self._lives:
            life.result()
        return done

    @property
    def ticks(self) -> int:
        """Ticks from the common start of a run until readers could see the effect of the last command."""
        return self._native.ticks

    def passed(self) -> Passed:
        """The results of a run."""
        path = self._native
        return Passed(
            order=np.frombuffer(path.order_of_matching, np.uint32),
            event_hash=path.event_hash,
            sent=path.sent,
            acked=path.acked,
            rejected=path.rejected,
            backwards=path.backwards,
            updates=path.updates,
        )

    def faults(self, passed: Passed, replayed: MatchingEngine, replayed_hash: int) -> Iterator[str]:
        """Descriptions of what is wrong with a pass; `replayed` has executed its commands in matching order."""
        count = len(self.commands)
        if passed.sent != count or passed.acked + passed.rejected != count:
            yield (
                f"commands were lost: {count:,} to send, {passed.sent:,} sent, {passed.acked:,} acknowledged, "
                f"{passed.rejected:,} rejected"
            )
        if not np.array_equal(np.sort(passed.order), np.arange(count, dtype=np.uint32)):
            yield "not every command was matched exactly once"
        elif not _in_turn(passed.order, self._numbers):
            yield "a producer's commands were not matched in the order sent"
        if passed.backwards:
            yield (
                f"{units.counted(passed.backwards, 'command')} arrived before being sent: the CPUs' counters "
                "are not synchronized"
            )
        if passed.event_hash != replayed_hash:
            yield "the same commands in a closed loop give different events"
        for symbol, name in enumerate(self.places.books):
            if not _shows(self._folder, name, replayed, symbol):
                yield f"the mapped book {name} ended in a different state than the engine's"
                break

    def _publish(self, cpu: int | None, waits: Waits) -> None:
        with self._bound(cpu):
            self._native.publish(waits[cpu])

    def _produce(self, numbers: NDArray[np.uint32], cpu: int | None, waits: Waits) -> None:
        with self._bound(cpu):
            self._native.produce(numbers, waits[cpu])

    @contextlib.contextmanager
    def _bound(self, cpu: int | None) -> Iterator[None]:
        """Pin a thread for its lifetime. If it fails before the native call, the other threads must not wait for it."""
        try:
            if cpu is not None:
                pin([cpu])
            yield
        except BaseException:
            self._native.abandon()
            raise

    def _waits(self) -> Waits:
        """How threads wait: one with a CPU of its own may spin; threads that share a CPU or are not pinned yield."""
        threads = Counter([self.cpu, self.places.publisher, *self.places.producers])
        alone = {cpu for cpu, count in threads.items() if cpu is not None and count == 1 and self.places.may_spin}
        return {cpu: WaitStrategy.SPIN if cpu in alone else WaitStrategy.YIELD for cpu in threads}


def _allow_files(more: int) -> None:
    """Raise this process's limit of open files if necessary and permitted; a thousand books need it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = more + 256
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def _in_turn(order: NDArray[np.uint32], numbers_of_producers: Sequence[NDArray[np.uint32]]) -> bool:
    """Whether `order`, which has every command once, keeps each producer's commands in the order sent."""
    place = np.empty_like(order)
    place[order] = np.arange(len(order), dtype=order.dtype)
    return all(bool(np.all(place[numbers][:-1] < place[numbers][1:])) for numbers in numbers_of_producers)


def _shows(folder: Path | None, name: str, engine: MatchingEngine, symbol: int) -> bool:
    """Whether a mapped book equals the engine's depth."""
    with MappedBookReader(name, folder=folder) as reader:
        levels = reader.identity.depth
        shown = reader.snapshot(levels)
    return all(
        np.array_equal(side, engine.depth(which, levels, symbol))
        for which, side in ((Side.BUY, shown.bids), (Side.SELL, shown.asks))
    )
