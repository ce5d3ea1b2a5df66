"""Rebuilds the books of a feed: reads it, applies its events, and says what that took. In bounded memory."""

from __future__ import annotations

import hashlib
import re
import resource
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from lowlat import units
from lowlat.engine.bench import report_context
from lowlat.engine.bench.event_latency import KEPT_EVENTS, latencies_of
from lowlat.engine.bench.expected_book import BookCheck
from lowlat.engine.feed.book_builder import ORDERS, BookBuilder, BuilderCounts
from lowlat.engine.feed.records import OrderAction, OrderEvents
from lowlat.engine.feed.stream import OrderEventStream
from lowlat.engine.feed.telling import Progress, Telling
from lowlat.errors import UsageError
from lowlat.inputs import share_read
from lowlat.probes.host.host_tree import LIVE
from lowlat.reports.model.rebuild import Rebuild, Spent
from lowlat.reports.model.results import Series


@dataclass(slots=True)
class Stopwatch:
    """Adds up CPU time of this thread, and elapsed time."""

    cpu_ns: int = 0
    wall_ns: int = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time until the end of the `with` statement."""
        cpu_ns, wall_ns = time.thread_time_ns(), time.perf_counter_ns()
        yield
        self.cpu_ns += time.thread_time_ns() - cpu_ns
        self.wall_ns += time.perf_counter_ns() - wall_ns

    def spent(self, events: int) -> Spent:
        """As a part of the document."""
        return Spent(
            cpu_ns=self.cpu_ns,
            wall_ns=self.wall_ns,
            cpu_ns_per_event=round(self.cpu_ns / events, 2) if events else None,
            wall_ns_per_event=round(self.wall_ns / events, 2) if events else None,
        )


def memory_max_bytes() -> int:
    """The peak of this program's memory. What getrusage tells includes that of the process which started it."""
    found = re.search(r"^VmHWM:\s*([0-9]+) kB", LIVE.text("proc/self/status") or "", re.MULTILINE)
    return int(found[1]) * 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Rebuilding:
    """One pass over a stream. `check` compares the books with the venue's own; `orders`: see `BookBuilder`."""

    def __init__(
        self, stream: OrderEventStream, check: BookCheck | None, progress: Progress, *, orders: int = ORDERS
    ) -> None:
        self._stream, self._check, self._progress = stream, check, progress
        self._builder = BookBuilder(orders=orders)
        self._decode, self._apply = Stopwatch(), Stopwatch()
        self._events = 0
        self._kept: list[OrderEvents] = []
        self._kept_events = 0

    def run(self) -> Rebuild:
        """Apply all events. Raises `UsageError` if there is none, and what reading and applying them raise."""
        started = datetime.now(UTC)
        telling = Telling(self._progress)
        for block in self._blocks():
            self._apply_block(block)
            self._keep(block)
            telling.tell(
                lambda seconds: f"{units.counted(self._events, 'event')}, {units.rate(self._events / seconds)}",
                lambda: share_read(self._stream.path),
            )
        if not self._events:
            kinds = [units.plural(count, kind) for kind, count in self._stream.messages.items() if count]
            raise UsageError(f"{self._stream.path}: nothing to rebuild: {', '.join(kinds) or 'no message'}")
        return self._document(started)

    def _blocks(self) -> Iterator[OrderEvents]:
        blocks = iter(self._stream.blocks)
        while True:
            with self._decode.running():
                block = next(blocks, None)
            if block is None:
                return
            yield block

    def _apply_block(self, block: OrderEvents) -> None:
        if self._check is None:
            with self._apply.running():
                self._builder.apply(block)
        else:
            with self._apply.running():
                states = self._builder.record(block, self._check.levels)
            self._check.compare(block["row"], states.levels)
        self._events += len(block)

    def _keep(self, block: OrderEvents) -> None:
        """The first events, to measure them one by one: the block is the reader's."""
        room = KEPT_EVENTS - self._kept_events
        if room > 0:
            self._kept.append(block[:room].copy())
            self._kept_events += len(self._kept[-1])

    def _document(self, started: datetime) -> Rebuild:
        stream, counts = self._stream, self._builder.counts
        expected = None if self._check is None else self._check.finish()
        reasons = () if expected is None else tuple(_reasons(expected.rows, expected.equal, expected.missing))
        if expected is not None and expected.first_difference is not None:
            reasons = (*reasons, expected.first_difference)
        return Rebuild(
            status="invalid" if reasons else "ok",
            status_reasons=reasons,
            tool=report_context.tool(),
            started=started.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            file=str(stream.path),
            noun=stream.noun,
            symbols=len(stream.symbols),
            displayed_levels=stream.displayed_levels,
            events=self._events,
            actions=named(counts.events),
            messages=dict(stream.messages),
            left_out=dict(stream.left_out),
            faults=dict(stream.faults),
            contradictions=contradictions(counts),
            decode=self._decode.spent(self._events),
            apply=self._apply.spent(self._events),
            books=books_digest(self._builder, stream.symbols),
            live_orders=counts.live_orders,
            live_orders_max=counts.live_orders_max,
            levels_max=counts.levels_max,
            memory_max_bytes=memory_max_bytes(),
            latencies=self._latencies(),
            latency_events=self._kept_events,
            expected=expected,
        )

    def _latencies(self) -> tuple[Series, ...]:
        """In empty books: those of the recording are gone then."""
        self._progress("measuring single events", 1.0)
        self._builder.reset()
        return latencies_of(self._builder, self._kept)


def _reasons(rows: int, equal: int, missing: int) -> Iterator[str]:
    if equal < rows:
        yield f"{units.counted(rows - equal, 'row')} of {rows:,} differ from the expected books"
    if missing:
        yield f"the file of expected books ends {units.counted(missing, 'row')} before the feed"


def books_digest(builder: BookBuilder, symbols: Sequence[str]) -> str:
    """SHA-256 of all resting orders: symbols by name, each with its orders as `BookBuilder.orders` lists them, of which
    id, price and quantity count, and the side. `symbols`: names by number. The same for every numbering of symbols.
    """
    digest = hashlib.sha256()
    for name, number in sorted((name, number) for number, name in enumerate(symbols)):
        orders = builder.orders(number)
        if len(orders):
            digest.update(f"{name}\0{len(orders)}\0".encode())
            for column in ("side", "order_id", "price", "quantity"):
                digest.update(np.ascontiguousarray(orders[column]).data)
    return f"sha256:{digest.hexdigest()}"


def named(counts: Mapping[OrderAction, int]) -> dict[str, int]:
    """Counts by the name of the action, in words; those that are not zero."""
    return {action.name.lower(): count for action, count in counts.items() if count}


def contradictions(counts: BuilderCounts) -> dict[str, int]:
    """Contradictions by kind, in words; those that there are."""
    found = {f"{name} of an unknown order": count for name, count in named(counts.unknown_orders).items()}
    found["more taken than the order had"] = counts.overfilled
    found["id of an order that is still there"] = counts.repeated_ids
    found["order of quantity 0"] = counts.empty_orders
    return {kind: count for kind, count in found.items() if count}
