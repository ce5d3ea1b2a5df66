"""Prints the tables of docs/reference/profiles.md: what the market-like profiles generate, beside what they stand for.

Argument: the hour of AAPL from LOBSTER (AAPL_2012-06-21_34200000_37800000_message_50.csv, plain or compressed).
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from instructions import count
from native_pass import arguments, build

from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.readers.lobster import read_lobster
from lowlat.engine.flow.statistics.following import followed
from lowlat.engine.flow.statistics.measure import FlowStatistics, flow_statistics
from lowlat.engine.flow.synthetic import synthetic_flow

SEED = 1
Figure = Callable[[FlowStatistics], float | None]


def percent(name: str, low: int | None = None, high: int | None = None) -> Figure:
    """The share of a distribution's samples within bounds, in percent."""
    return lambda found: 100 * (found[name].share(low, high) or 0)


def median(name: str) -> Figure:
    """A distribution's median."""
    return lambda found: found[name].quantile(0.5)


EQUITY: dict[str, Figure] = {
    "cancels that remove their level, %": percent("queue", 1, 1),
    "cancels at the tail of the queue, %": percent("cancel_behind", 0, 0),
    "cancels within 10 commands, %": percent("cancel_lifetime", None, 10),
    "adds inside the spread, %": percent("add_distance", None, -1),
    "adds that start a level, %": percent("add_ahead", 0, 0),
    "adds of 100 lots, %": percent("add_quantity", 100, 100),
    "queue of a canceled order, median": median("queue"),
    "lifetime of a canceled order, commands, median": median("cancel_lifetime"),
    "spread, ticks, median": median("spread"),
    "aggressive orders that take one level, %": percent("levels_swept", 1, 1),
    "live orders, mean": lambda found: found["live_orders"].mean,
    "price levels, mean": lambda found: found["levels"].mean,
}


def lots(found: FlowStatistics) -> tuple[float, float]:
    """Lots added, and lots taken by aggressive orders."""
    return (
        found.acts["add"] * (found["add_quantity"].mean or 0),
        sum(found.taken) * (found["aggressive_quantity"].mean or 0),
    )


FUTURES: dict[str, Figure] = {
    "spread of one tick, % of commands": percent("spread", 1, 1),
    "lots added that are canceled, %": lambda found: 100 - 100 * lots(found)[1] / lots(found)[0],
    "queue of a canceled order, median": median("queue"),
    "aggressive orders that move the price, %": lambda found: 100 * sum(found.taken[1:]) / sum(found.taken),
}


def depth(flow: Flow) -> float:
    """The mean quantity at the touch that aggressive orders find, over the mean of their own."""
    found = [
        (stretch.rows["touch_quantity"][takes].sum(), stretch.commands["quantity"][takes].sum())
        for stretch in followed(flow)
        for takes in [stretch.rows["makers"] > 0]
    ]
    return float(sum(held for held, _ in found) / sum(taken for _, taken in found))


def show_instructions(flows: dict[str, Flow]) -> None:
    """Instructions of the engine per command, batched."""
    if shutil.which("valgrind") is None:
        sys.exit("no valgrind found. Install it: apt install valgrind")
    with tempfile.TemporaryDirectory() as folder:
        binary = build(Path(folder), "loops")
        for name, flow in flows.items():
            costs = count(binary, flow, arguments(flow, Path(folder), 1))
            print(f"instructions per command, {name}: {costs['instructions']:.1f}")


def show(figures: dict[str, Figure], columns: dict[str, FlowStatistics]) -> None:
    """A Markdown table."""
    print(f"| | {' | '.join(columns)} |\n|---|{'--:|' * len(columns)}")
    for name, figure in figures.items():
        print(
            f"| {name} | {' | '.join(f'{figure(found) or 0:,.1f}'.removesuffix('.0') for found in columns.values())} |"
        )
    print()


def main() -> None:
    """Measure and print."""
    recorded = read_lobster(sys.argv[1]).flow()
    made = {name: synthetic_flow(load_profile(name), len(recorded.measured), SEED) for name in ("equity", "steady")}
    show(EQUITY, {name: flow_statistics(flow) for name, flow in {"recorded": recorded, **made}.items()})
    show_instructions({"recorded": recorded, **made})
    print()
    futures = synthetic_flow(load_profile("futures"), 1_000_000, SEED)
    show(FUTURES, {"futures": flow_statistics(futures)})
    print(f"futures: the touch holds {depth(futures):.0f} times the mean size of aggressive orders\n")
    before = time.process_time()
    day = synthetic_flow(load_profile("day"), 1_000_000, SEED)
    took = time.process_time() - before
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"day: {len(day.commands):,} commands in {took:.1f} s of CPU time; the process's peak is {peak_mb:,.0f} MB")


if __name__ == "__main__":
    main()
