"""What an event costs a book builder, on a synthetic day: `rebuild.py [EVENTS] [--live N] [--beside FOLDER]`.

Each round is a process of its own, which applies all events from empty books: CPU time, its page faults included. With
`--beside`, rounds alternate with those of charles-cooper/itch-order-book, whose order_book.h is in FOLDER with what it
includes; its books have price levels without queues. `--callgrind` counts instructions instead.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from itch_day import count
from native_pass import build

from lowlat.engine.feed.records import ORDER_EVENT
from tests.synthetic_feed import synthetic_feed


def write_events(folder: Path, number: int, symbols: int, live: int) -> Path:
    """The events of a synthetic day as `ORDER_EVENT` records in a file."""
    file = folder / "day.events"
    synthetic_feed(number, symbols, live).tofile(file)
    return file


def one_round(binary: Path, events: Path) -> tuple[float, int]:
    """CPU time of all events in nanoseconds, and memory in KiB."""
    done = subprocess.run([binary, events, "0"], check=True, capture_output=True, text=True)
    cpu_ns, memory = done.stdout.split()
    return float(cpu_ns), int(memory)


def instructions(binary: Path, events: Path) -> int:
    """Instructions of all events."""
    command = ["valgrind", "--tool=callgrind", "--toggle-collect=measured_pass*", "--callgrind-out-file=/dev/null"]
    done = subprocess.run([*command, binary, events, "0"], check=True, capture_output=True, text=True)
    found = re.search(r"Collected *: (\d+)", done.stderr)
    return int(found[1]) if found else 0


def main() -> None:
    """Measure, and print medians and ratios per event."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("events", type=count, nargs="?", default=12_000_000)
    parser.add_argument("--symbols", type=count, default=8_000)
    parser.add_argument("--live", type=count, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--callgrind", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        binaries = {"lowlat": build(folder, "rebuild", source="rebuild.cpp")}
        if asked.beside is not None:
            beside = [f"-I{asked.beside.resolve()}", "-w"]
            binaries["itch-order-book"] = build(folder, "beside", ["ITCH_ORDER_BOOK"], "rebuild.cpp", beside)
        events = write_events(folder, asked.events, asked.symbols, asked.live)
        number = events.stat().st_size // ORDER_EVENT.itemsize
        print(f"{number:,} events, {asked.symbols:,} symbols, about {asked.live:,} live at most")
        if asked.callgrind:
            for name, binary in binaries.items():
                print(f"{name:16} {instructions(binary, events) / number:8.1f} instructions per event")
            return
        rounds = [{name: one_round(binary, events) for name, binary in binaries.items()} for _ in range(asked.rounds)]
    for name in binaries:
        times = [each[name][0] / number for each in rounds]
        memory = max(each[name][1] for each in rounds)
        print(
            f"{name:16} {statistics.median(times):8.1f} ns of CPU time per event "
            f"({min(times):.1f} to {max(times):.1f}), {memory / 1024:,.0f} MiB"
        )
    if asked.beside is not None:
        ratio = statistics.median(each["lowlat"][0] / each["itch-order-book"][0] for each in rounds)
        print(f"ratio            {ratio:8.2f}")


if __name__ == "__main__":
    main()
