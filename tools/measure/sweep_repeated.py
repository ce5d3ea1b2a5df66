"""Repeats a sweep with its default objective, and shows how far the answers lie apart."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from lowlat import units
from lowlat.reports.io.loader import read
from lowlat.reports.model.sweep import Sweep

ANSWERS_APART = 1.25
"""The highest answer over the lowest: below it, a sweep is repeatable."""


def main() -> int:
    """Run the sweeps, one after the other, and print a row for each; 1 if the answers are further apart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--rates", default="100k:20M:8", help="those of bench --sweep")
    parser.add_argument("--runs", default="3", help="those of bench --sweep")
    parser.add_argument("-o", dest="folder", type=Path, required=True, metavar="FOLDER", help="keep the documents here")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    answers = []
    print("| repeat | load average | default objective | highest rate | 95% interval | runs |")
    print("|--:|--:|--:|--:|--:|--:|")
    for repeat in range(1, given.repeats + 1):
        file = given.folder / f"sweep-{repeat}.json"
        load = os.getloadavg()[0]
        if not file.exists():
            lowlat = Path(sys.executable).with_name("lowlat")
            words = ["bench", "--sweep", given.rates, "--runs", given.runs, "-o", str(file)]
            subprocess.run([lowlat, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        sweep = read(file)
        if not isinstance(sweep, Sweep) or sweep.status != "ok":
            sys.exit(f"{file} holds no whole sweep; remove it")
        answer = sweep.answer
        answers.append(answer.rate)
        ends = [units.rate(end) if end else "-" for end in (answer.lower, answer.upper)]
        within = "" if answer.bound == "within" else f"{answer.bound} "
        print(
            f"| {repeat} | {load:.1f} | {sweep.objectives[0]} | {within}{units.rate(answer.rate)} | "
            f"{' to '.join(ends)} | {len(sweep.order)} |",
            flush=True,
        )
    apart = max(answers) / min(answers)
    print(f"\nhighest over lowest: {apart:.2f}")
    return int(apart > ANSWERS_APART)


if __name__ == "__main__":
    sys.exit(main())
