"""What it costs to copy each command before it is checked: `python tools/measure/copied_commands.py [PASSES]`.

The plain pass in place, and as `Engine.process` does it, interleaved: nanoseconds per command, the best of the passes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from native_pass import arguments, build

from lowlat.engine.flow.profile import load_profile

COMMANDS, SEED, REPEATS = 500_000, 1, 5
PROFILES = ("steady", "deep", "cancel-storm", "many-symbols", "all-kinds")


def best_ns(binary: Path, profile: str) -> float:
    """Nanoseconds per command of the fastest repeat."""
    run = [str(binary), *arguments(load_profile(profile), COMMANDS, SEED, REPEATS)]
    return min(map(float, subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()))


def main() -> None:
    """Print the table."""
    passes = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        binaries = [build(Path(folder), "in_place"), build(Path(folder), "copied", ["LOWLAT_COPIED"])]
        print(f"ns per command, {COMMANDS:,} commands\n{'':14} {'in place':>9} {'copied':>9}")
        for profile in PROFILES:
            taken = [[best_ns(binary, profile) for binary in binaries] for _ in range(passes)]
            in_place, copied = (min(column) for column in zip(*taken, strict=True))
            print(f"{profile:14} {in_place:9.1f} {copied:9.1f}   {copied - in_place:+.1f}", flush=True)


if __name__ == "__main__":
    main()
