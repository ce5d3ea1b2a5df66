"""Slowdowns of known size: how long a spin must be to slow a metric by some percent, measured on this host."""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
from gate_trials import by_metric

from lowlat.reports.compare.gate import WHOLE
from lowlat.reports.io.loader import report_of
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Series
from lowlat.reports.model.series import summarize
from lowlat.reports.model.sustainable import isotonic

SLOWED = ("cpu", "p50", "p99", "mean")
TAIL_EVERY = 50
"""A slowdown at p99 spins before each 50th command only: 2% of the commands, so that p50 and CPU time hardly move."""
LADDER = (0, 6, 10, 14, 18, 24, 32, 44, 64, 96)
TAIL_LADDER = (0, 64, 96, 128, 160, 192, 224, 256, 384, 768)
"""Spins that are measured; in between, the calibration interpolates."""
ROUNDS = 8


@dataclass(frozen=True)
class Spin:
    """Iterations of a loop, and every how many commands it runs."""

    units: int
    every: int = 1

    def __str__(self) -> str:
        return str(self.units) if self.every == 1 else f"{self.units}, each {self.every}th"


@dataclass(frozen=True)
class Slowdown:
    """A metric, and how much slower it is to be, percent."""

    metric: str
    percent: float

    def __str__(self) -> str:
        return f"{self.metric}+{self.percent:g}"

    @property
    def every(self) -> int:
        """Every how many commands spin."""
        return TAIL_EVERY if self.metric == "p99" else 1


def slowdowns_of(text: str) -> list[Slowdown]:
    """The slowdowns METRIC+PERCENT,...; `none` for equal programs only."""
    if text == "none":
        return []
    found = [re.fullmatch(rf"({'|'.join(SLOWED)})\+([0-9]{{1,4}})", word) for word in text.split(",")]
    if not all(found):
        raise argparse.ArgumentTypeError(f"{text!r} is not METRIC+PERCENT,... with metrics {', '.join(SLOWED)}")
    return [Slowdown(match[1], float(match[2])) for match in found if match]


Runs = Callable[[Sequence[Spin]], list[Report]]
"""Makes one run for each spin, in this order."""


def planted_runs(python: Path, profile: str, commands: int) -> Callable[[Sequence[Spin]], bytes]:
    """Makes one run for each spin, and returns their report as a document."""

    def document(spins: Sequence[Spin]) -> bytes:
        job = {"profile": profile, "commands": commands, "spins": [(spin.units, spin.every) for spin in spins]}
        script = Path(__file__).with_name("planted_runs.py")
        return subprocess.run(
            [python, script], input=json.dumps(job).encode(), stdout=subprocess.PIPE, check=True
        ).stdout

    return document


def reports_of_runs(document: bytes, name: str) -> list[Report]:
    """Each run as a report of its own, which is what `lowlat ab` compares, with the latencies that gate by default:
    those of all operations.
    """
    report = report_of(document, name)
    lean = [replace(run, series=_whole(run.series), quiet=_whole(run.quiet)) for run in report.runs]
    return [replace(report, runs=(run,), summary=summarize((run,))) for run in lean]


def _whole(series: Sequence[Series]) -> tuple[Series, ...]:
    return tuple(each for each in series if each.op == WHOLE)


def calibrated(slowdowns: Sequence[Slowdown], runs: Runs) -> dict[str, Spin]:
    """The spin of each slowdown. Every round runs a whole ladder in random order; a spin's effect is the median over
    the rounds of its ratio to the round's run without spin, so that drift between the rounds does not matter.
    """
    effects = {every: _effects(every, runs) for every in dict.fromkeys(each.every for each in slowdowns)}
    found = {}
    for slowdown in slowdowns:
        ladder, effect = _ladder(slowdown.every), effects[slowdown.every][slowdown.metric]
        wanted = math.log1p(slowdown.percent / 100)
        if wanted > effect[-1]:
            sys.exit(f"{slowdown}: a spin of {ladder[-1]} slows {slowdown.metric} by less; raise the ladder")
        found[str(slowdown)] = Spin(round(float(np.interp(wanted, effect, ladder))), slowdown.every)
    return found


def _ladder(every: int) -> tuple[int, ...]:
    return LADDER if every == 1 else TAIL_LADDER


def _effects(every: int, runs: Runs) -> dict[str, list[float]]:
    """For each metric the logarithm of the ratio by spin, rising, 0 without spin."""
    ladder, shuffled = _ladder(every), random.Random(every)
    order = [units for _ in range(ROUNDS) for units in shuffled.sample(ladder, len(ladder))]
    made = runs([Spin(units, every) for units in order])
    by_units = {units: [each for each, at in zip(made, order, strict=True) if at == units] for units in ladder}
    ratios = {metric: [0.0] for metric in SLOWED}
    for units in ladder[1:]:
        pairs = by_metric(by_units[0], by_units[units])
        for metric in SLOWED:
            sides = zip(pairs[metric].base.values, pairs[metric].head.values, strict=True)
            ratios[metric].append(median(math.log(head / base) for base, head in sides))
    weights = np.array([1e6, *[1.0] * (len(ladder) - 1)])  # without spin there is no effect, whatever was measured
    return {metric: isotonic(np.array([each]), weights)[0].tolist() for metric, each in ratios.items()}
