"""Repeats a sweep, and shows how far the answers lie apart."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from lowlat import units
from lowlat.errors import ExitCode
from lowlat.reports.io.loader import read
from lowlat.reports.model.sweep import Sweep, undecided_runs
from lowlat.reports.terminal.sweep_lines import short

ANSWERS_APART = 1.25
"""The highest answer over the lowest: below it, a sweep is repeatable."""


def main() -> int:
    """Run the sweeps, one after the other, and print a row for each; 1 if the answers are further apart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--rates", default="100k:20M:8", help="those of bench --sweep")
    parser.add_argument("--runs", default="3", help="those of bench --sweep")
    parser.add_argument("--objective", help="that of bench --sweep")
    parser.add_argument("-o", dest="folder", type=Path, required=True, metavar="FOLDER", help="keep the documents here")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    answers: list[float] = []
    print("| repeat | load average | CPU taken | objective | highest rate | interval | runs | undecided |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|")
    for repeat in range(1, given.repeats + 1):
        load = os.getloadavg()[0]
        sweep = _sweep(given, given.folder / f"sweep-{repeat}.json")
        answer = sweep.answer
        if answer.rate is not None:
            answers.append(answer.rate)
        made = [run for point in sweep.points for run in point.runs]
        taken = sum(run.waited_ns or 0 for run in made) / sum(run.os_noise.wall_ns for run in made)
        ends = [units.rate(end) if end else "-" for end in (answer.lower, answer.upper)]
        print(
            f"| {repeat} | {load:.1f} | {taken:.0%} | {sweep.objectives[0]} | {short(answer)} | {' to '.join(ends)} | "
            f"{len(made)} | {undecided_runs(sweep)} |",
            flush=True,
        )
    apart = max(answers) / min(answers) if answers else 1.0
    print(
        f"\nhighest over lowest of {len(answers)} answers: {apart:.2f}; not measurable: {given.repeats - len(answers)}"
    )
    return int(apart > ANSWERS_APART)


def _sweep(given: argparse.Namespace, file: Path) -> Sweep:
    """The sweep in this file, which is made if there is none."""
    if not file.exists():
        lowlat = Path(sys.executable).with_name("lowlat")
        words = ["bench", "--sweep", given.rates, "--runs", given.runs, "-o", str(file)]
        words += ["--objective", given.objective] if given.objective else []
        done = subprocess.run([lowlat, *words], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode not in (ExitCode.OK, ExitCode.INCONCLUSIVE):
            sys.exit(f"lowlat {' '.join(words)} ended with {done.returncode}")
    sweep = read(file)
    if not isinstance(sweep, Sweep) or sweep.status not in ("ok", "inconclusive"):
        sys.exit(f"{file} holds no whole sweep; remove it")
    return sweep


if __name__ == "__main__":
    sys.exit(main())
