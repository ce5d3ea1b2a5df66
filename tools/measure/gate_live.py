"""Measures the gate's error rates on this host: how often it fails equal programs, how often it finds a slower one.

The engine is built with a spin before each command, or before one of 50 for a slowdown at p99, whose length is
calibrated to slow a metric by some percent. Every round runs all variants in random order: two without spin (base and
A/A), and one for each slowdown. Ten rounds make a trial; trials share no runs. The shipped code compares them, as
`lowlat ab` does, with the runs of a round as a pair.

    python tools/measure/gate_live.py -o FOLDER         collect into FOLDER, then print the tables
    python tools/measure/gate_live.py --from FOLDER     print the tables of what FOLDER holds

Ctrl-C keeps the whole trials; the same command goes on with the missing ones, by the plan that the folder holds.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from coarse_clock import read_coarsely
from gate_trials import Trial, tables
from planted_build import planted_python
from planted_slowdowns import Spin, calibrated, planted_runs, reports_of_runs, slowdowns_of

from lowlat.files import write_atomically
from lowlat.reports.model.report import Report

BASES = ("base", "A/A")
SLOWDOWNS = "cpu+5,cpu+10,cpu+20,cpu+30,p50+20,p99+20"


@dataclass(frozen=True)
class Plan:
    """What is collected. `spins`: that of each variant."""

    profile: str
    commands: int
    trials: int
    rounds: int
    seed: int
    spins: dict[str, Spin]

    def order(self, trial: int) -> list[str]:
        """The variants of a trial's runs: in each round all of them, shuffled."""
        shuffled = random.Random(f"{self.seed}/{trial}")
        return [name for _ in range(self.rounds) for name in shuffled.sample(list(self.spins), len(self.spins))]


def main() -> int:
    """Collect, unless only a folder is to be evaluated, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("-o", dest="into", type=Path, metavar="FOLDER", help="keep plan and reports here")
    where.add_argument("--from", dest="folder", type=Path, metavar="FOLDER", help="evaluate what is there")
    parser.add_argument("--trials", type=int, default=34)
    parser.add_argument("--rounds", type=int, default=10, help="runs of each variant in a trial")
    parser.add_argument("--profile", default="equity")
    parser.add_argument("--commands", type=int, default=200_000, help="commands of each pass of a run")
    parser.add_argument("--slowdowns", type=slowdowns_of, default=SLOWDOWNS, help=f"default: {SLOWDOWNS}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clock-step", type=int, metavar="NS", help="evaluate as a clock with these steps would read")
    given = parser.parse_args()
    if given.into:
        given.into.mkdir(parents=True, exist_ok=True)
        collect(given.into, given)
    folder = given.into or given.folder
    plan = read_plan(folder)
    step_ns = given.clock_step
    trials = [
        by_variant(plan, trial, [read_coarsely(run, step_ns) for run in runs] if step_ns else runs)
        for trial, runs in saved(folder)
    ]
    if not trials:
        sys.exit(f"{folder} holds no whole trial; collect some with -o {folder}")
    print(tables(trials, {name: str(spin) for name, spin in plan.spins.items()}))
    return 0


def collect(folder: Path, given: argparse.Namespace) -> None:
    """Build, calibrate unless the folder has a plan, and measure the missing trials."""
    began = time.monotonic()
    python = planted_python(folder / "venv")
    tell(began, "built")
    made = planted_runs(python, given.profile, given.commands)
    if not (folder / "plan.json").exists():
        slowed = calibrated(given.slowdowns, lambda spins: reports_of_runs(made(spins), "calibration"))
        spins = dict.fromkeys(BASES, Spin(0)) | slowed
        plan = Plan(given.profile, given.commands, given.trials, given.rounds, given.seed, spins)
        write_atomically(folder / "plan.json", json.dumps(asdict(plan), indent=2) + "\n")
        tell(began, f"calibrated: {spins}")
    plan = read_plan(folder)
    made = planted_runs(python, plan.profile, plan.commands)
    for trial in range(plan.trials):
        path = folder / f"trial-{trial:03}.json"
        if not path.exists():
            write_atomically(path, made([plan.spins[name] for name in plan.order(trial)]))
            tell(began, f"trial {trial + 1} of {plan.trials}")


def read_plan(folder: Path) -> Plan:
    """The plan that a folder was collected by."""
    try:
        plan = json.loads((folder / "plan.json").read_text())
        return Plan(**plan | {"spins": {name: Spin(**spin) for name, spin in plan["spins"].items()}})
    except FileNotFoundError:
        sys.exit(f"{folder} has no plan.json; collect into it with -o")


def saved(folder: Path) -> list[tuple[int, list[Report]]]:
    """The runs of each trial that the folder holds."""
    files = sorted(folder.glob("trial-*.json"))
    return [(int(file.stem.removeprefix("trial-")), reports_of_runs(file.read_bytes(), str(file))) for file in files]


def by_variant(plan: Plan, trial: int, runs: list[Report]) -> Trial:
    """The runs of a trial by variant."""
    order = plan.order(trial)
    if len(runs) != len(order):
        sys.exit(f"trial {trial} has {len(runs)} runs, its plan {len(order)}; remove it and collect it anew")
    found: Trial = {name: [] for name in plan.spins}
    for name, each in zip(order, runs, strict=True):
        found[name].append(each)
    return found


def tell(began: float, what: str) -> None:
    """Progress, on stderr."""
    print(f"{time.monotonic() - began:5.0f} s  {what}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
