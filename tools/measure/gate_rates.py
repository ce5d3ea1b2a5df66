"""Error rates of gates on the simulated sessions of the tests: no change, or one side a fifth slower."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.unit.reports.compare.test_error_rates import Fails, ours, rank_only, rates, ratio_only

GATES: dict[str, tuple[Fails, bool]] = {
    "ours, interleaved (`lowlat ab`)": (ours, True),
    "ours, one side after the other": (ours, False),
    "means more than 10% apart, interleaved": (ratio_only, True),
    "means more than 10% apart, one side after the other": (ratio_only, False),
    "rank test alone, interleaved": (rank_only, True),
    "rank test alone, one side after the other": (rank_only, False),
}

if __name__ == "__main__":
    print("| gate | A/A false-positive rate | power to detect +20% at p50 | at p99 |")
    print("|---|--:|--:|--:|")
    for name, (fails, interleaved) in GATES.items():
        alarms, *_ = rates(fails, 1.0, interleaved=interleaved)
        _, *found = rates(fails, 1.2, interleaved=interleaved)
        print(f"| {name} | {alarms:.1%} | {' | '.join(f'{share:.1%}' for share in found)} |")
