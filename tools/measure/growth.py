"""What a command costs as the book grows: in live orders, in symbols, in width and in orders at a price.

Orders are spread evenly over a book; one is canceled by its id and another added, over and over, and one command in
fifty trades (growth_flows.py). Each book is measured in batches and one command at a time, in nanoseconds of CPU time a
command, the minimum of several passes. Then, how long the longest command takes when the price window has to move, and
when the pool of orders or the trade tape has to grow.
Prints the tables and the curves of docs/reference/growth.md.

    python tools/measure/growth.py [--only width]
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from growth_flows import Shape, filling_flow, jumping_flow, spread_flow, trading_flow
from native_pass import Way, arguments, build

from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.matching.native import available_bytes
from lowlat.probes.host.facts import host_facts

COMMANDS, REPEATS, JUMPS = 400_000, 3, 5
BYTES_PER_ORDER = 300
"""What a book and its commands take at most, with room to spare."""
WAYS: tuple[Way, ...] = ("batched", "one")


@dataclass(frozen=True)
class Axis:
    """A series of books in which one quantity grows."""

    name: str
    fixed: str
    sizes: Sequence[int]
    shapes: Sequence[Shape]


@dataclass(frozen=True)
class Point:
    """One book, and nanoseconds a command by way; none if it does not fit in memory."""

    size: int
    ns: dict[Way, float]


def _powers(first: int, last: int) -> list[int]:
    return [10**exponent for exponent in range(first, last + 1)]


def axes() -> Iterator[Axis]:
    """All series."""
    lives, widths, queues = _powers(3, 7), _powers(2, 9), _powers(0, 6)
    symbols = [1, 16, 256, 1_024, 8_192, 65_536]
    yield Axis("live orders", "one symbol, 2,000 ticks", lives, [Shape(live) for live in lives])
    yield Axis("symbols", "1,000,000 live orders, 100 ticks", symbols, [Shape(10**6, each, 100) for each in symbols])
    for live in (10**5, 10**6):
        yield Axis(f"width, {live:,} live", "ticks a side, one symbol", widths, [Shape(live, 1, w) for w in widths])
    shapes = [Shape(10**6, 1, max(1, 10**6 // 2 // queue)) for queue in queues]
    yield Axis("orders at a price", "1,000,000 live orders, one symbol", queues, shapes)


def ns_of(loops: Path, flow: Flow, folder: Path, way: Way, repeats: int) -> float:
    """The minimum over the passes; the first also pays for page faults."""
    given = [str(loops), *arguments(flow, folder, repeats, way)]
    out = subprocess.run(given, check=True, capture_output=True, text=True).stdout
    return min(map(float, out.split()))


def measure(loops: Path, axis: Axis, folder: Path) -> list[Point]:
    """Each book of a series that fits in memory."""
    points = []
    for size, shape in zip(axis.sizes, axis.shapes, strict=True):
        if shape.live * BYTES_PER_ORDER > available_bytes() // 2:
            print(f"{axis.name} {size:,}: not available here, because it needs more memory", file=sys.stderr)
            points.append(Point(size, {}))
            continue
        flow = spread_flow(shape, COMMANDS)
        points.append(Point(size, {way: ns_of(loops, flow, folder, way, REPEATS) for way in WAYS}))
    return points


def table(axis: Axis, points: Sequence[Point]) -> str:
    """A row for each book."""
    lines = [f"| {axis.name} | batched: ns a command | one at a time | |", "|--:|--:|--:|---|"]
    most = max((point.ns["one"] for point in points if point.ns), default=1.0)
    for point in points:
        if point.ns:
            shown = " | ".join(f"{point.ns[way]:,.0f}" for way in WAYS)
            lines.append(f"| {point.size:,} | {shown} | `{_bar(point.ns, most)}` |")
        else:
            lines.append(f"| {point.size:,} | not available here | not available here | |")
    return "\n".join(lines)


def _bar(ns: dict[Way, float], most: float) -> str:
    """A line as long as the cost: solid in batches, then light for one at a time."""
    batched, one = (math.ceil(40 * ns[way] / most) for way in WAYS)
    return "█" * batched + "░" * (one - batched)


def pauses(loops: Path, folder: Path, what: str, flow_of: Callable[[int], Flow]) -> str:
    """A row for each size of what is met."""
    lines = [f"| {what} | longest command: µs |", "|--:|--:|"]
    for size in _powers(2, 6):
        us = ns_of(loops, flow_of(size), folder, "longest", JUMPS) / 1e3
        lines.append(f"| {size:,} | {us:,.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="only series whose name contains this, or `pauses`")
    only = parser.parse_args().only
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        loops = build(folder, "loops")
        host = host_facts()
        print(f"{host.cpu_brand.value}, {host.logical_cpus.value} CPUs; {COMMANDS:,} commands, ", end="")
        print(f"minimum of {REPEATS} passes, CPU time.")
        for axis in axes():
            if only in axis.name:
                print(f"\n{axis.name.capitalize()} ({axis.fixed}):\n\n{table(axis, measure(loops, axis, folder))}")
        if only in "pauses":
            moves = pauses(loops, folder, "levels where the window goes", jumping_flow)
            print(f"\nOne move of the price window:\n\n{moves}")
            growths = pauses(loops, folder, "orders in the pool", filling_flow)
            print(f"\nOne growth of the pool of orders, to twice its size:\n\n{growths}")
            tapes = pauses(loops, folder, "trades on the tape", trading_flow)
            print(f"\nOne growth of the trade tape, to twice its size:\n\n{tapes}")


if __name__ == "__main__":
    main()
