"""What each interface of the engine costs: `python tools/measure/interfaces.py [ROUNDS]`.

The same commands through the matcher itself, `lowlat.hpp` and the functions of `lowlat.h`, in turn. Nanoseconds of CPU
time per command: the medians of all rounds, and of the ratios to the matcher within a round. A pass is the fastest of
some repeats. The first table is one command at a time, the second batches of 256.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from native_pass import arguments_of_interfaces, build_interfaces

from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.synthetic import synthetic_flow

COMMANDS, SEED, REPEATS = 30_000, 1, 20  # passes of 1 to 3 ms, so that some are not interrupted
PROFILES = ("steady", "deep")
ONE_AT_A_TIME = {
    "core": "the matcher",
    "inlined": "lowlat.hpp",
    "inlined-unclaimed": "lowlat.hpp, unclaimed",
    "callback": "lowlat_execute",
    "callback-unclaimed": "lowlat_execute, unclaimed",
    "in-place": "lowlat_process_into",
    "drained": "lowlat_process, lowlat_drain",
}
IN_BATCHES = {
    "core-batch": "the matcher",
    "inlined-batch": "lowlat.hpp",
    "in-place-batch": "lowlat_process_into",
    "drained-batch": "lowlat_process, lowlat_drain",
}


def cpu_ns(binary: Path, given: list[str]) -> float:
    """Nanoseconds per command of the fastest repeat."""
    run = [str(binary), *given]
    return min(map(float, subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()))


def compare(binary: Path, ways: dict[str, str], rounds: int, folder: Path) -> None:
    """Print the rows of a table."""
    print("| interface | " + " | ".join(PROFILES) + " |\n|---|" + "--:|" * len(PROFILES))
    cells: dict[str, list[str]] = {way: [] for way in ways}
    for profile in PROFILES:
        flow = synthetic_flow(load_profile(profile), COMMANDS, SEED)
        given = [arguments_of_interfaces(way, flow, folder, REPEATS) for way in ways]
        taken = [[cpu_ns(binary, each) for each in given] for _ in range(rounds)]
        for at, way in enumerate(ways):
            ratio = median(row[at] / row[0] for row in taken)
            cells[way].append(f"{median(row[at] for row in taken):.1f} ns" + (f", {ratio:.2f}x" if at else ""))
    for way, name in ways.items():
        print(f"| {name} | " + " | ".join(cells[way]) + " |")


def main() -> None:
    """Print both tables."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        binary = build_interfaces(folder)
        for title, ways in (("One command at a time", ONE_AT_A_TIME), ("In batches", IN_BATCHES)):
            print(f"\n{title}: CPU time per command, {COMMANDS:,} commands, {rounds} rounds\n")
            compare(binary, ways, rounds, folder)


if __name__ == "__main__":
    main()
