"""What it costs to make a flow of a recording: `python tools/measure/recorded_flow.py [ROWS]`.

Writes a LOBSTER file of a made market in which the oldest order at the best price trades, reads it, and prints the CPU
time of parsing alone and of the whole way to a `RecordedFlow`, and how much the memory of this process grew meanwhile.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.engine.flow.readers.lobster.messages import open_messages
from lowlat.engine.flow.recording import recorded_flow

ROWS, LIVE, ADDS, CANCELS = 400_000, 600, 0.49, 0.94
"""Rows by default, the fewest live orders, the share of adds, and that of adds and cancels."""
DAY_NS, MIDDLE, LEVELS = 21_600 * 10**9, 10_000, 60


def rows_of(count: int, seed: int = 1) -> Iterator[str]:
    """The lines of the file."""
    draw, time_ns = random.Random(seed), 34_200 * 10**9
    levels: dict[int, dict[int, dict[int, None]]] = {1: {}, -1: {}}
    places: dict[int, tuple[int, int]] = {}
    for order_id in range(1, count + 1):
        time_ns += draw.randrange(1, 2 * DAY_NS // count)
        kind, chosen, side, price = 1, order_id, *_place(draw)
        event = draw.random()
        if len(places) >= LIVE and event >= ADDS:
            kind = 3 if event < CANCELS else 4
            chosen = _any(draw, places) if kind == 3 else _next(levels[side], side)
            side, price = places.pop(chosen)
            del levels[side][price][chosen]
            if not levels[side][price]:
                del levels[side][price]
        else:
            levels[side].setdefault(price, {})[order_id] = None
            places[order_id] = side, price
        yield f"{time_ns // 10**9}.{time_ns % 10**9:09d},{kind},{chosen},100,{price * 100},{side}\n"


def _place(draw: random.Random) -> tuple[int, int]:
    side = draw.choice((1, -1))
    return side, MIDDLE - side * draw.randrange(1, LEVELS)


def _any(draw: random.Random, places: dict[int, tuple[int, int]]) -> int:
    """One of the oldest orders, so that the choice costs little."""
    oldest = iter(places)
    for _ in range(draw.randrange(LIVE // 2)):
        next(oldest)
    return next(oldest)


def _next(levels: dict[int, dict[int, None]], side: int) -> int:
    """The order that trades next."""
    return next(iter(levels[max(levels) if side == 1 else min(levels)]))


def peak_mb() -> float:
    """The most memory that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "XYZ_message.csv"
        with path.open("w") as file:
            file.writelines(rows_of(count))

        def opened() -> OrderEventStream:
            return open_messages(path, ReadOptions())

        begin = time.process_time()
        parsed = sum(len(block) for block in opened().blocks)
        parsing, before = time.process_time() - begin, peak_mb()
        begin = time.process_time()
        flow = recorded_flow(opened())
        building = time.process_time() - begin
    print(f"{parsed:,} rows: parsing {parsing:.2f} s of CPU time, all {building:.2f} s, {peak_mb() - before:.0f} MB")
    print(f"{len(flow.commands):,} commands, {len(flow.bursts):,} bursts, {flow.changes.departures} departures")


if __name__ == "__main__":
    main()
