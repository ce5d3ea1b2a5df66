"""Measures the benefit of each compiler hint and of huge pages: the engine built without each, interleaved.

Every round runs all builds once in random order, so that interference affects all of them equally. Figures are medians
over the rounds; the ratio is to the build with every hint.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from native_pass import arguments, build

from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.synthetic import synthetic_flow

WITHOUT = {
    "everything on": [],
    "without likely/unlikely": ["LOWLAT_WITHOUT_LIKELY"],
    "without forced inlining": ["LOWLAT_WITHOUT_INLINE"],
    "without cold paths apart": ["LOWLAT_WITHOUT_COLD"],
    "without prefetch": ["LOWLAT_WITHOUT_PREFETCH"],
    "without huge pages": ["LOWLAT_WITHOUT_HUGE_PAGES"],
}
COMMANDS, SEED, ROUNDS = 1_000_000, 1, 9


def main() -> None:
    """Build, time, print."""
    profiles = sys.argv[1:] or ["steady", "deep"]
    with tempfile.TemporaryDirectory() as folder:
        builds = {name: build(Path(folder), str(at), given) for at, (name, given) in enumerate(WITHOUT.items())}
        for profile in profiles:
            given = arguments(synthetic_flow(load_profile(profile), COMMANDS, SEED), Path(folder), 2)
            times: dict[str, list[float]] = {name: [] for name in builds}
            for _ in range(ROUNDS):
                for name in random.sample(list(builds), len(builds)):
                    out = subprocess.run([builds[name], *given], check=True, capture_output=True, text=True).stdout
                    times[name].append(float(out.split()[-1]))  # the first repeat warms up
            whole = statistics.median(times["everything on"])
            print(f"{profile}: ns per command, median of {ROUNDS} rounds of {COMMANDS:,} commands")
            for name, values in times.items():
                median = statistics.median(values)
                print(f"  {name:26} {median:6.1f}   {median / whole:5.2f}x   ({min(values):.1f}-{max(values):.1f})")


if __name__ == "__main__":
    main()
