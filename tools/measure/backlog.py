"""What looking ahead in the queue of orders saves the pipeline's matcher: `python tools/measure/backlog.py [ROUNDS]`.

The matcher's stage alone, in one thread, where commands come to wait in bursts: compiled with prefetching and without,
in turn. Nanoseconds of CPU time per command: medians of all rounds, and of the ratios within a round. A pass is the
fastest of some repeats. The rings are filled and emptied in it, and each command has its two timestamps.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from native_pass import build, written

from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.synthetic import synthetic_flow

COMMANDS, SEED, REPEATS = 100_000, 1, 5
PROFILES = ("steady", "deep", "many-symbols")
BURSTS = (1, 2, 4, 16, 4_096)


def cpu_ns(binary: Path, given: list[str]) -> float:
    """Nanoseconds per command of the fastest repeat."""
    return min(map(float, subprocess.run([binary, *given], check=True, capture_output=True, text=True).stdout.split()))


def main() -> None:
    """Print a row for each profile and number of commands that come at once."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print(f"CPU time per command, {COMMANDS:,} commands, {rounds} rounds\n")
    print("| profile | commands that come at once | with look-ahead | without | ratio |\n|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ahead = build(folder, "ahead", source="backlog.cpp")
        without = build(folder, "without", ["LOWLAT_WITHOUT_PREFETCH"], source="backlog.cpp")
        for profile in PROFILES:
            flow = synthetic_flow(load_profile(profile), COMMANDS, SEED)
            given = [str(written(flow, folder)), *map(str, (flow.seeded, REPEATS, flow.orders, len(flow.instruments)))]
            for burst in BURSTS:
                pairs = [[cpu_ns(binary, [*given, str(burst)]) for binary in (ahead, without)] for _ in range(rounds)]
                with_it, without_it = (median(column) for column in zip(*pairs, strict=True))
                ratio = median(one / other for one, other in pairs)
                print(f"| `{profile}` | {burst:,} | {with_it:.0f} ns | {without_it:.0f} ns | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
