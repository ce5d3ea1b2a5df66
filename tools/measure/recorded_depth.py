"""What `BookBuilder.record` costs beside `apply`: `python tools/measure/recorded_depth.py [EVENTS] [--symbols N]`.

A synthetic feed is applied from empty books, with the best 1, 5, 10 and 20 levels recorded after every
event and after those that change them. CPU time per event, medians of interleaved rounds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from itch_day import count

from lowlat.engine.feed.records import DepthMoment
from lowlat.engine.flow import BookBuilder
from tests.synthetic_feed import synthetic_feed

LEVELS = (1, 5, 10, 20)
MOMENTS = (DepthMoment.EVERY, DepthMoment.CHANGE)


def cpu_ns(work: Callable[[BookBuilder], object], events: int) -> float:
    """CPU time per event, from empty books."""
    builder = BookBuilder()
    begin = time.process_time_ns()
    work(builder)
    return (time.process_time_ns() - begin) / events


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("events", type=count, nargs="?", default=500_000)
    parser.add_argument("--symbols", type=count, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    events = synthetic_feed(asked.events, asked.symbols, 1_000 * asked.symbols)
    ways: dict[tuple[int, DepthMoment], list[float]] = {(level, when): [] for level in LEVELS for when in MOMENTS}
    applied = []
    for _ in range(asked.rounds):
        applied.append(cpu_ns(lambda builder: builder.apply(events), len(events)))
        for (levels, when), times in ways.items():
            times.append(cpu_ns(lambda builder, n=levels, at=when: builder.record(events, n, at), len(events)))
    print(f"apply alone: {statistics.median(applied):.0f} ns of CPU time per event; {len(events):,} events, ", end="")
    print(f"{asked.symbols} symbols\n")
    print("| levels | after every event | after changes |\n|--:|--:|--:|")
    for levels in LEVELS:
        print(f"| {levels} | {' | '.join(f'{statistics.median(ways[levels, when]):.0f} ns' for when in MOMENTS)} |")


if __name__ == "__main__":
    main()
