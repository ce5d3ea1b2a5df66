"""Measures the gate's error rates on this host: how often it fails equal programs, how often it finds a slower one.

The engine is built with a spin before each command, whose length is calibrated to slow a metric by some percent. Every
round runs all variants in random order: two without spin (base and A/A), and one for each slowdown. Ten rounds make a
trial; trials share no runs. The shipped code compares them, as `lowlat ab` does.

    python tools/measure/gate_live.py -o FOLDER         collect into FOLDER, then print the tables
    python tools/measure/gate_live.py --from FOLDER     print the tables of what FOLDER holds

Ctrl-C keeps the whole trials; the same command goes on with the missing ones, by the plan that the folder holds.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from gate_trials import Trial, by_metric, tables
from planted_build import planted_python

from lowlat.files import write_atomically
from lowlat.reports.io.loader import report_of
from lowlat.reports.model.report import Report
from lowlat.reports.model.series import summarize

SLOWED = ("cpu", "p50", "p99", "mean")
BASES = ("base", "A/A")
SLOWDOWNS = "cpu+5,cpu+10,cpu+20,cpu+30,p50+20,p99+20"
Slowdown: TypeAlias = tuple[str, float]
"""A metric, and how much slower it is to be, percent."""
LADDER = (0, 4, 8, 16, 32, 64, 128, 256)
"""Spins of the calibration; it interpolates between them."""
LADDER_REPEATS = 8


@dataclass(frozen=True)
class Plan:
    """What is collected. `units`: the spin of each variant."""

    commands: int
    trials: int
    rounds: int
    seed: int
    units: dict[str, int]

    def order(self, trial: int) -> list[str]:
        """The variants of a trial's runs: in each round all of them, shuffled."""
        shuffled = random.Random(f"{self.seed}/{trial}")
        return [name for _ in range(self.rounds) for name in shuffled.sample(list(self.units), len(self.units))]


def main() -> int:
    """Collect, unless only a folder is to be evaluated, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("-o", dest="into", type=Path, metavar="FOLDER", help="keep plan and reports here")
    where.add_argument("--from", dest="folder", type=Path, metavar="FOLDER", help="evaluate what is there")
    parser.add_argument("--trials", type=int, default=34)
    parser.add_argument("--rounds", type=int, default=10, help="runs of each variant in a trial")
    parser.add_argument("--commands", type=int, default=100_000, help="commands of a run")
    parser.add_argument("--slowdowns", type=slowdowns_of, default=SLOWDOWNS, help=f"default: {SLOWDOWNS}")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.into:
        given.into.mkdir(parents=True, exist_ok=True)
        collect(given.into, given)
    folder = given.into or given.folder
    plan = read_plan(folder)
    trials = [by_variant(plan, trial, report) for trial, report in saved(folder)]
    if not trials:
        sys.exit(f"{folder} holds no whole trial; collect some with -o {folder}")
    print(tables(trials, plan.units))
    return 0


def slowdowns_of(text: str) -> list[Slowdown]:
    """The slowdowns METRIC+PERCENT,..."""
    found = [re.fullmatch(rf"({'|'.join(SLOWED)})\+([0-9]{{1,4}})", word) for word in text.split(",")]
    if not all(found):
        raise argparse.ArgumentTypeError(f"{text!r} is not METRIC+PERCENT,... with metrics {', '.join(SLOWED)}")
    return [(match[1], float(match[2])) for match in found if match]


def collect(folder: Path, given: argparse.Namespace) -> None:
    """Build, calibrate unless the folder has a plan, and measure the missing trials."""
    began = time.monotonic()
    python = planted_python(folder / "venv")
    tell(began, "built")
    if not (folder / "plan.json").exists():
        units = calibrated(python, given.slowdowns, given.commands)
        plan = Plan(given.commands, given.trials, given.rounds, given.seed, units)
        write_atomically(folder / "plan.json", json.dumps(asdict(plan), indent=2) + "\n")
        tell(began, f"calibrated: {units}")
    plan = read_plan(folder)
    for trial in range(plan.trials):
        path = folder / f"trial-{trial:03}.json"
        if not path.exists():
            measured = runs(python, plan.commands, [plan.units[name] for name in plan.order(trial)])
            write_atomically(path, measured)
            tell(began, f"trial {trial + 1} of {plan.trials}")


def runs(python: Path, commands: int, units: list[int]) -> bytes:
    """The report of one run for each spin, as a document."""
    job = json.dumps({"commands": commands, "units": units})
    script = Path(__file__).with_name("planted_runs.py")
    return subprocess.run([python, script], input=job.encode(), stdout=subprocess.PIPE, check=True).stdout


def calibrated(python: Path, slowdowns: list[Slowdown], commands: int) -> dict[str, int]:
    """The spin of each variant, from medians over a ladder of spins in random order."""
    spins = random.Random(0).sample(LADDER * LADDER_REPEATS, len(LADDER) * LADDER_REPEATS)
    found = reports_of_runs(report_of(runs(python, commands, spins), "calibration"))
    by_spin = {spin: [each for each, spun in zip(found, spins, strict=True) if spun == spin] for spin in LADDER}
    measured = [by_metric(by_spin[0], by_spin[spin]) for spin in LADDER]
    units = dict.fromkeys(BASES, 0)
    for metric, percent in slowdowns:
        rising = np.maximum.accumulate([each[metric].head.median for each in measured])
        wanted = rising[0] * (1 + percent / 100)
        if wanted > rising[-1]:
            sys.exit(f"{metric}+{percent:g}: a spin of {LADDER[-1]} slows {metric} by less; raise LADDER")
        units[f"{metric}+{percent:g}"] = round(float(np.interp(wanted, rising, LADDER)))
    return units


def read_plan(folder: Path) -> Plan:
    """The plan that a folder was collected by."""
    try:
        return Plan(**json.loads((folder / "plan.json").read_text()))
    except FileNotFoundError:
        sys.exit(f"{folder} has no plan.json; collect into it with -o")


def saved(folder: Path) -> list[tuple[int, Report]]:
    """The trials that the folder holds."""
    files = sorted(folder.glob("trial-*.json"))
    return [(int(file.stem.removeprefix("trial-")), report_of(file.read_bytes(), str(file))) for file in files]


def by_variant(plan: Plan, trial: int, report: Report) -> Trial:
    """The runs of a trial by variant."""
    order = plan.order(trial)
    if len(report.runs) != len(order):
        sys.exit(f"trial {trial} has {len(report.runs)} runs, its plan {len(order)}; remove it and collect it anew")
    found: Trial = {name: [] for name in plan.units}
    for name, each in zip(order, reports_of_runs(report), strict=True):
        found[name].append(each)
    return found


def reports_of_runs(report: Report) -> list[Report]:
    """Each run as a report of its own, which is what `lowlat ab` compares."""
    return [replace(report, runs=(run,), summary=summarize((run,))) for run in report.runs]


def tell(began: float, what: str) -> None:
    """Progress, on stderr."""
    print(f"{time.monotonic() - began:5.0f} s  {what}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
