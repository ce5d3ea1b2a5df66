"""Measures runs with a planted spin; executed by the interpreter of `planted_build.py`.

Standard input: a JSON object with `profile`; `commands`, their number; and `spins`, for each run in order the
iterations of its spin and every how many commands it runs.
Standard output: one `lowlat.report/1` document with these runs, each in a fresh process as always.
"""

from __future__ import annotations

import json
import os
import sys

from planted_build import EVERY, UNITS

from lowlat.engine import _core
from lowlat.engine.bench.run import RunPlan, measure
from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.reports.io.json_codec import to_text

PREFIX = 500
"""Commands that the reference engine also executes, once for all runs."""


def main() -> None:
    """Measure as asked. Progress, which comes before each run, sets the spin of the run's process."""
    if "LOWLAT_PLANTED_SPIN" not in _core.build_facts()["flags"]:
        sys.exit("this lowlat has no planted spin; tools/measure/gate_live.py builds one that has")
    job = json.load(sys.stdin)
    spins = iter(job["spins"])

    def before(_text: str, _share: float) -> None:
        units, every = next(spins, (0, 1))
        os.environ |= {UNITS: str(units), EVERY: str(every)}

    flow = synthetic_flow(load_profile(job["profile"]), job["commands"], 1)
    report = measure(flow, RunPlan(runs=len(job["spins"]), reference_commands=PREFIX), before)
    if report.status != "ok":
        sys.exit(f"the runs are {report.status}: {'; '.join(report.status_reasons)}")
    sys.stdout.write(to_text(report))


if __name__ == "__main__":
    main()
