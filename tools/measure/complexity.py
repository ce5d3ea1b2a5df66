"""What each command costs beside a crowd of n orders that it neither trades with nor cancels, and how that grows.

Every command is measured in books with 10^3 to 10^6 orders of each kind: in front of an incoming order, behind what it
trades with, or beside it. An exponent is fitted to the cost over n: 0 is constant, 1 is linear. O(log n) fits to 0.1
to 0.4, because a larger book also misses the caches more. Fails if an exponent is above what its row allows.

The cost is CPU time, the minimum of several interleaved batches, so other programs disturb it little; and the limit is
far from both orders that it separates. Prints the table of docs/reference/complexity.md.

    python tools/measure/complexity.py [--largest 100000] [--only FOK]
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from dataclasses import dataclass
from time import process_time

from complexity_crowds import CROWDS, Crowd, crowded
from complexity_probes import PROBES, Probe

SIZES = (1_000, 10_000, 100_000, 1_000_000)
ALLOWED = {"O(log n)": 0.5, "O(n)": 1.25}
"""The largest exponent that is fitted to a cost of this order."""

BATCHES = 5
LINEAR_MAX = 100_000
"""Above, what is known to be O(n) is not measured: it would take hours."""


@dataclass(frozen=True)
class Cell:
    """One command beside one crowd."""

    crowd: Crowd
    probe: Probe
    us: list[float]  # by size
    sizes: list[int]

    @property
    def exponent(self) -> float:
        """The slope of the logarithms; that of the upper half, if it is steeper."""
        points = [(math.log(n), math.log(us)) for n, us in zip(self.sizes, self.us, strict=True)]
        return max(_slope(points), _slope(points[len(points) // 2 - 1 :]) if len(points) > 3 else -1.0)

    @property
    def order(self) -> str:
        """The order that this command may have here."""
        return "O(n)" if self.probe.linear_beside(self.crowd.name) else "O(log n)"

    @property
    def fails(self) -> bool:
        """Whether it grows faster than allowed."""
        return self.exponent > ALLOWED[self.order]


def _slope(points: list[tuple[float, float]]) -> float:
    return statistics.linear_regression([x for x, _ in points], [y for _, y in points]).slope


def measure(crowd: Crowd, probes: list[Probe], sizes: list[int]) -> list[Cell]:
    """All commands beside one crowd, at each size."""
    taken: dict[str, list[float]] = {probe.name: [] for probe in probes}
    for n in sizes:
        measured = [probe for probe in probes if n <= LINEAR_MAX or not probe.linear_beside(crowd.name)]
        best = {probe.name: math.inf for probe in measured}
        engine = crowded(crowd, n)
        for batch in range(BATCHES + 1):
            for probe in measured:
                us = probe.run(engine, crowd, n, process_time)
                if batch:  # the first pays for what later ones find: pages, caches, an index of the book
                    best[probe.name] = min(best[probe.name], us)
        for name, us in best.items():
            taken[name].append(us)
    return [Cell(crowd, probe, taken[probe.name], sizes[: len(taken[probe.name])]) for probe in probes]


def _table(cells: dict[str, list[Cell]], probes: list[Probe]) -> str:
    head = "| n orders | " + " | ".join(probe.name for probe in probes) + " |"
    lines = [head, "|---" + "|--:" * len(probes) + "|"]
    for name, row in cells.items():
        by_probe = {cell.probe.name: cell for cell in row}
        shown = [_shown(by_probe[probe.name]) if probe.name in by_probe else "" for probe in probes]
        lines.append(f"| {name} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def _shown(cell: Cell) -> str:
    text = f"{cell.us[-1]:,.1f} ({max(cell.exponent, 0.0):.1f})"
    return f"**{text}**" if cell.order == "O(n)" else text


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="largest n (1000000)")
    parser.add_argument("--only", default="", help="only commands or crowds whose name contains this")
    asked = parser.parse_args()
    sizes = [n for n in SIZES if n <= asked.largest]
    cells: dict[str, list[Cell]] = {}
    for crowd in CROWDS:
        probes = [each for each in PROBES if each.applies(crowd) and asked.only in f"{each.name} {crowd.name}"]
        if probes:
            start = process_time()
            cells[crowd.name] = measure(crowd, probes, sizes)
            print(f"{crowd.name}: {process_time() - start:.0f} s", file=sys.stderr)
    print(f"Microseconds of CPU time for each command beside {sizes[-1]:,} orders, and the exponent fitted over n =")
    print(f"{', '.join(f'{n:,}' for n in sizes)}; at most {ALLOWED['O(log n)']} is allowed. Bold, beside")
    print(f"{min(sizes[-1], LINEAR_MAX):,} orders: not O(log n), see below; at most {ALLOWED['O(n)']}.\n")
    print(_table(cells, [probe for probe in PROBES if any(probe in [c.probe for c in row] for row in cells.values())]))
    failed = [cell for row in cells.values() for cell in row if cell.fails]
    for cell in failed:
        growth = ", ".join(f"{n:,}: {us:,.2f} us" for n, us in zip(cell.sizes, cell.us, strict=True))
        print(
            f"{cell.probe.name} beside {cell.crowd.name} grows as n^{cell.exponent:.2f}, not {cell.order}: {growth}",
            file=sys.stderr,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
