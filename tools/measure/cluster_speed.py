"""How much faster workers on this host replay: `python tools/measure/cluster_speed.py WORKERS ROUNDS ARGUMENT...`.

The arguments are those of `lowlat replay`: files, and options. It runs without a cluster and with that many workers, in
turn, and compares what is to be equal. CPU time is that of all processes; elapsed times count on an idle host only.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Replayed:
    """One command: elapsed and CPU time in seconds, and its result."""

    elapsed_s: float
    cpu_s: float
    partitions: int
    result: str


def replayed(arguments: list[str]) -> Replayed:
    """Run `lowlat replay`. What it has to say is on stderr."""
    cpu_s, begun = cpu_of_children_s(), time.perf_counter()
    command = [sys.executable, "-P", "-m", "lowlat_cli", "replay", *arguments, "--json"]
    out = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    elapsed_s = time.perf_counter() - begun
    result = json.loads(out)["result"]
    return Replayed(elapsed_s, cpu_of_children_s() - cpu_s, len(result["partitions"]), json.dumps(result))


def cpu_of_children_s() -> float:
    """CPU time of the processes that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(workers: int, rounds: int, arguments: list[str]) -> None:
    """Print a line for each round, then the medians."""
    pairs: list[tuple[Replayed, Replayed]] = []
    for _ in range(rounds):
        alone, there = replayed(arguments), replayed([*arguments, "--cluster", f"local:{workers}"])
        if alone.result != there.result:
            sys.exit("the results differ")
        pairs.append((alone, there))
        print(
            f"{alone.partitions} partitions, load {os.getloadavg()[0]:.1f}: alone {shown(alone)}; {workers} workers "
            f"{shown(there)}; {alone.elapsed_s / there.elapsed_s:.2f} times as fast",
            flush=True,
        )
    ratios = [alone.elapsed_s / there.elapsed_s for alone, there in pairs]
    print(
        f"median {statistics.median(ratios):.2f} times as fast, {min(ratios):.2f} to {max(ratios):.2f}; equal results"
    )


def shown(one: Replayed) -> str:
    """Its times."""
    return f"{one.elapsed_s:.1f} s, {one.cpu_s:.1f} s of CPU time"


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
