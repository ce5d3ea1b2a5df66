"""What it costs to build an array of commands: `python tools/measure/built_commands.py [ROUNDS]`.

The same orders as an array of `COMMAND`, by column and by record. Commands per second of CPU time, medians of rounds
that alternate.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from lowlat.engine import COMMAND, CommandType, Side, command, commands
from lowlat.engine.matching.records import Commands

ROUNDS, ORDERS, RECORDS = 9, 1_000_000, 50_000
"""Orders that are built by column, and of these, those that are built by record."""

IDS = np.arange(1, ORDERS + 1, dtype=np.uint64)
PRICES = 10_000 + IDS % 50
SIDES = (IDS % 2).astype(np.uint8)


def by_column() -> Commands:
    """One assignment for each field that is not zero."""
    built = np.zeros(ORDERS, dtype=COMMAND)
    built["kind"], built["quantity"] = CommandType.LIMIT, 100
    built["order_id"], built["price"], built["side"] = IDS, PRICES, SIDES
    return built


def by_record() -> Commands:
    """One call of `command` for each."""
    rows = zip(IDS[:RECORDS].tolist(), PRICES[:RECORDS].tolist(), SIDES[:RECORDS].tolist(), strict=True)
    return commands(
        *(
            command(CommandType.LIMIT, number, side=Side(side), price=price, quantity=100)
            for number, price, side in rows
        )
    )


def rate(build: Callable[[], Commands]) -> float:
    """Commands per second of CPU time."""
    begin = time.process_time()
    built = build()
    return len(built) / (time.process_time() - begin)


def main() -> None:
    """Measure, and print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    assert (by_column()[:RECORDS] == by_record()).all()
    ways = {"by column, `numpy.zeros(n, COMMAND)`": by_column, "by record, `commands(command(...), ...)`": by_record}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, build in ways.items():
            taken[name].append(rate(build))
    print(f"Python {platform.python_version()}, numpy {np.__version__}; {rounds} rounds\n")
    print("| array | commands/s, median (rounds) |\n|---|--:|")
    for name, rates in taken.items():
        shown = [f"{each / 1e6:.{1 if each > 1e6 else 3}f} M" for each in (median(rates), min(rates), max(rates))]
        print(f"| {name} | **{shown[0]}** ({shown[1]} to {shown[2]}) |")


if __name__ == "__main__":
    main()
