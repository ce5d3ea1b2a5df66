"""Compares the rings with Python's queues in records per second: a Markdown table for the README.

Each round measures every queue once, in random order, so that interference affects all of them equally. Figures are
medians over the rounds; the ratio is to `queue.SimpleQueue`. Python's queues between threads pass a reference to one
tuple; the rings copy 32 or 64 bytes in and out. `--quick` only checks that the script works.
"""

from __future__ import annotations

import multiprocessing
import queue
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from native_pass import build

from lowlat.engine.matching.records import COMMAND
from lowlat.engine.rings.ring import MpscRing
from lowlat.probes.host.facts import host_facts

ROUNDS = 9
RECORD = (1, 100, 5, 0, 1, 0, 0, 0)
Row = tuple[str, str, str]
"""Queue, between whom, records a call."""


def native(binary: Path, *words: object) -> float:
    """Millions of records per second in one native run."""
    run = subprocess.run([binary, *map(str, words)], check=True, capture_output=True, text=True)
    return float(run.stdout)


def timed(count: int, start: Callable[[], Any], take: Callable[[], None], end: Callable[[], Any]) -> float:
    """Millions of records per second, from the start of the producer to the last record taken."""
    begun = time.perf_counter()
    start()
    take()
    took = time.perf_counter() - begun
    end()
    return count / took / 1e6


def between_threads(count: int, produce: Callable[[], None], take: Callable[[], None]) -> float:
    """A producer thread, with this thread as the consumer."""
    thread = threading.Thread(target=produce)
    return timed(count, thread.start, take, thread.join)


def simple_queue(count: int) -> float:
    """`queue.SimpleQueue` with one tuple per item."""
    items: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def produce() -> None:
        for _ in range(count):
            items.put(RECORD)

    def take() -> None:
        for _ in range(count):
            items.get()

    return between_threads(count, produce, take)


def plain_deque(count: int) -> float:
    """`collections.deque`: append and popleft, retrying when it is empty."""
    items: deque[Any] = deque()

    def produce() -> None:
        for _ in range(count):
            items.append(RECORD)

    def take() -> None:
        left = count
        while left:
            try:
                items.popleft()
            except IndexError:
                time.sleep(0)
                continue
            left -= 1

    return between_threads(count, produce, take)


def put_all(items: Any, count: int) -> None:
    """The producing process of `process_queue`."""
    for _ in range(count):
        items.put(RECORD)


def process_queue(count: int) -> float:
    """`multiprocessing.Queue` between two processes."""
    context = multiprocessing.get_context("fork")
    items: Any = context.Queue()
    process = context.Process(target=put_all, args=(items, count))

    def take() -> None:
        for _ in range(count):
            items.get()

    return timed(count, process.start, take, process.join)


def push_all(ring: MpscRing, count: int, batch: int) -> None:
    """The producer of `ring_between`."""
    records = np.array([RECORD] * batch, COMMAND)
    for _ in range(count // batch):
        ring.push(records)


def ring_between(processes: bool, batch: int, count: int) -> float:
    """`MpscRing` from Python, `batch` records per call on both sides."""
    ring = MpscRing()

    def take() -> None:
        left, out = count, np.empty(batch, COMMAND)
        while left:
            left -= ring.pop_into(out)

    if processes:
        process = multiprocessing.get_context("fork").Process(target=push_all, args=(ring, count, batch))
        return timed(count, process.start, take, process.join)
    return between_threads(count, lambda: push_all(ring, count, batch), take)


def contestants(binary: Path, scale: int) -> dict[Row, Callable[[], float]]:
    """The measurements, by row of the table."""
    rows: dict[Row, Callable[[], float]] = {}
    for producers in (1, 2):
        for batch in (1, 64):
            who = f"{producers} producer thread{'s' * (producers > 1)}, C++"
            words = ("mpsc", producers, 20_000_000 // scale, 65_536, batch)
            rows["orders: `MpscRing`, 32-byte records", who, str(batch)] = partial(native, binary, *words)
    for batch in (1, 64):
        words = ("spsc", 1, 20_000_000 // scale, 32_768, batch)
        row = ("market data: `SpscRing`, 64-byte records", "1 producer thread, C++", str(batch))
        rows[row] = partial(native, binary, *words)
    for batch, count in ((1024, 10_240_000), (1, 200_000)):
        for processes in (False, True):
            who = "2 processes, Python" if processes else "2 threads, Python"
            rows["`MpscRing`", who, f"{batch:,}"] = partial(ring_between, processes, batch, count // scale)
    rows["`queue.SimpleQueue`", "2 threads, Python", "1"] = partial(simple_queue, 500_000 // scale)
    rows["`collections.deque`", "2 threads, Python", "1"] = partial(plain_deque, 500_000 // scale)
    rows["`multiprocessing.Queue`", "2 processes, Python", "1"] = partial(process_queue, 100_000 // scale)
    return rows


def main() -> None:
    """Measure and print."""
    quick = "--quick" in sys.argv
    rounds = 3 if quick else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        rows = contestants(build(Path(folder), "ring_speed", source="ring_speed.cpp"), 10 if quick else 1)
        seen: dict[Row, list[float]] = {row: [] for row in rows}
        for at in range(rounds):
            print(f"round {at + 1}", file=sys.stderr)
            for row in random.sample(list(rows), len(rows)):
                seen[row].append(rows[row]())
    medians = {row: statistics.median(values) for row, values in seen.items()}
    baseline = medians["`queue.SimpleQueue`", "2 threads, Python", "1"]
    host = host_facts()
    print(
        f"{host.cpu_brand.value}, {host.logical_cpus.value} CPUs; Python {sys.version.split()[0]}; "
        f"{rounds} rounds, each queue once a round.\n"
    )
    print("| queue | between | records a call | M records/s, median (rounds) | beside `SimpleQueue` |")
    print("|---|---|--:|--:|--:|")
    for row, values in seen.items():
        spread = f"{min(values):.2f}-{max(values):.2f}"
        print(f"| {' | '.join(row)} | **{medians[row]:.2f}** ({spread}) | {medians[row] / baseline:,.1f}x |")


if __name__ == "__main__":
    main()
