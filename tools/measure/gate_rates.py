"""Error rates of gates on the simulated runs of the tests: no change, or one side a fifth slower."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[2]))

from lowlat.reports.model.comparison import Metric, Verdict
from tests.unit.reports.compare.simulated_runs import PASSES
from tests.unit.reports.compare.test_error_rates import (
    Judge,
    Values,
    alarms,
    floored,
    means_only,
    ours,
    power,
    rank_only,
    unpaired,
)

SESSIONS = 500


def mann_whitney(_metric: Metric, values: Values, _plain: Values) -> Verdict:
    """Ours with another rank test, and its median over all pairs of runs."""
    base, head = map(np.array, values)
    ratio = np.median(head[:, None] / base[None, :])
    return "regressed" if stats.mannwhitneyu(base, head).pvalue < 0.05 and ratio > 1.1 else "unchanged"


def signed_rank(_metric: Metric, values: Values, _plain: Values) -> Verdict:
    """Ours with a test of the interleaved pairs, and the median of the means of two pairs."""
    pairs = np.log(values[1]) - np.log(values[0])
    first, second = np.triu_indices(len(pairs))
    ratio = np.exp(np.median((pairs[first] + pairs[second]) / 2))
    return "regressed" if stats.wilcoxon(pairs).pvalue < 0.05 and ratio > 1.1 else "unchanged"


GATES: dict[str, tuple[Judge, bool] | tuple[Judge, bool, int]] = {
    "ours, interleaved (`lowlat ab`)": (ours, True),
    "ours, one side after the other (`lowlat compare`)": (unpaired, False),
    "ours over all runs instead of within pairs, interleaved": (unpaired, True),
    "ours with a single pass a run, interleaved": (ours, True, 1),
    "ours with a Mann-Whitney test, interleaved": (mann_whitney, True),
    "ours with a signed-rank test of the pairs, interleaved": (signed_rank, True),
    "plain percentiles with a floor of one step, interleaved": (floored, True),
    "means more than 10% apart, interleaved": (means_only, True),
    "means more than 10% apart, a single pass a run, interleaved": (means_only, True, 1),
    "means more than 10% apart, one side after the other": (means_only, False),
    "rank test alone, interleaved": (rank_only, True),
    "rank test alone, one side after the other": (rank_only, False),
}


def cell(share: tuple[float, float, float]) -> str:
    """A share with its interval."""
    found, least, most = share
    return f"{found:.1%} ({least:.1%}-{most:.1%})"


if __name__ == "__main__":
    print("| gate | A/A false-positive rate | power to detect +20% at p50 | at p99 | in CPU time |")
    print("|---|--:|--:|--:|--:|")
    for name, (gate, interleaved, *passes) in GATES.items():
        how = {"interleaved": interleaved, "number": SESSIONS, "passes": passes[0] if passes else PASSES}
        found = [alarms(gate, **how), *power(gate, **how)]
        print(f"| {name} | {' | '.join(map(cell, found))} |", flush=True)
