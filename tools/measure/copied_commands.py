"""What it costs to copy commands before they are checked: `python tools/measure/copied_commands.py [PAIRS]`.

The plain pass in place, and as `Engine.process` does it, interleaved: nanoseconds of CPU time per command. Each pass is
the fastest of some repeats; the table shows the medians of all passes, and of the differences within the pairs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from native_pass import arguments, build

from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.synthetic import synthetic_flow

COMMANDS, SEED, REPEATS = 200_000, 1, 5
PROFILES = ("steady", "deep", "cancel-storm", "many-symbols", "all-kinds")


def cpu_ns(binary: Path, given: list[str]) -> float:
    """Nanoseconds per command of the fastest repeat."""
    run = [str(binary), *given]
    return min(map(float, subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()))


def main() -> None:
    """Print the table."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        binaries = [build(Path(folder), "in_place"), build(Path(folder), "copied", ["LOWLAT_COPIED"])]
        print(f"ns per command, {COMMANDS:,} commands, {pairs} pairs\n{'':14} {'in place':>9} {'copied':>9}")
        for profile in PROFILES:
            given = arguments(synthetic_flow(load_profile(profile), COMMANDS, SEED), Path(folder), REPEATS)
            taken = [[cpu_ns(binary, given) for binary in binaries] for _ in range(pairs)]
            in_place, copied = (median(column) for column in zip(*taken, strict=True))
            cost = median(second - first for first, second in taken)
            print(f"{profile:14} {in_place:9.1f} {copied:9.1f}   {cost:+.1f}", flush=True)


if __name__ == "__main__":
    main()
