"""Evaluates trials of `gate_live.py`: what the shipped gate, each of its rules alone, and two common gates find."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist, median
from typing import TypeAlias

from lowlat.reports.compare.compare import Samples, compare_interleaved, samples_of_each
from lowlat.reports.compare.gate import NAMES, THRESHOLD_PERCENT, parse_rule
from lowlat.reports.compare.rank_test import SIGNIFICANT
from lowlat.reports.model.comparison import Compared, Comparison, Interleaving
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Run

Trial: TypeAlias = Mapping[str, list[Report]]
"""Reports of one run each, by variant; the first variant is the base, the second an equal program."""
Finding: TypeAlias = Callable[[Comparison], bool]

METRICS = ("cpu", "p50", "p99", "mean", "throughput")
ALONE = [f"{name}={THRESHOLD_PERCENT:g}%" for name in METRICS if name in NAMES]


def figures(run: Run) -> dict[str, float]:
    """The metrics of one closed-loop run, nanoseconds per command or commands per second."""
    assert run.throughput is not None and run.throughput.cpu_ns is not None, "a closed loop has a pass without a clock"
    whole = next(series for series in run.series if (series.op, series.measure) == ("all", "service"))
    return {
        "cpu": run.throughput.cpu_ns / run.throughput.commands,
        "p50": whole.percentiles["50"].value,
        "p99": whole.percentiles["99"].value,
        "mean": whole.mean,
        "throughput": run.throughput.commands_per_s,
    }


def wilson(found: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of a share. E. B. Wilson, "Probable inference", J. Amer. Statist. Assoc. 22 (1927), 209-212."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (found + z * z / 2) / (of + z * z)
    reach = z * math.sqrt(found * (of - found) / of + z * z / 4) / (of + z * z)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def failed(comparison: Comparison) -> bool:
    """Whether the gate, as shipped, fails the head."""
    return comparison.gate.verdict == "failed"


def rank_alone(comparison: Comparison) -> bool:
    """Whether a gated metric is worse by the rank test alone, however little."""
    return any(metric.gates and metric.p < SIGNIFICANT and worse_by(metric) > 0 for metric in comparison.metrics)


def ratio_alone(comparison: Comparison) -> bool:
    """Whether medians of a gated metric are further apart than the limit, however noisy."""
    return any(metric.gates and worse_by(metric) > THRESHOLD_PERCENT for metric in comparison.metrics)


def worse_by(metric: Compared) -> float:
    """How much worse the head's median is, percent."""
    sides = (metric.base.median, metric.head.median)
    base, head = sides if metric.better == "lower" else (sides[1], sides[0])
    return (head / base - 1) * 100


def tables(trials: Sequence[Trial], units: Mapping[str, int]) -> str:
    """What the spins did to each metric, and who found it, as two Markdown tables below the sizes."""
    base, equal, *slower = units
    report, runs = trials[0][base][0], len(trials[0][base])
    where = f"{report.host.cpu}, {report.host.cores} CPUs, {report.host.virtualization or 'no hypervisor'}"
    work = f"{report.workload.commands:,} commands of {report.workload.profile} a run"
    clock = f"clock steps of {report.clock.step_ns or math.nan:.3g} ns"
    sizes = f"{len(trials)} trials of {runs} runs a side, {work}; {where}; {clock}; lowlat {report.tool.git}"
    return "\n\n".join([sizes, effects(trials, units), detections(trials, base, equal, slower)])


def effects(trials: Sequence[Trial], units: Mapping[str, int]) -> str:
    """The median of each metric over all runs, relative to the base."""
    found = {name: [figures(report.runs[0]) for trial in trials for report in trial[name]] for name in units}
    medians = {name: {metric: median(f[metric] for f in each) for metric in METRICS} for name, each in found.items()}
    (_, base), *others = medians.items()
    rows = [f"| base | {next(iter(units.values()))} | {' | '.join(figure(name, base[name]) for name in METRICS)} |"]
    for name, each in others:
        changes = (f"{(each[metric] / base[metric] - 1):+.1%}" for metric in METRICS)
        rows.append(f"| {name} | {units[name]} | {' | '.join(changes)} |")
    return "\n".join([f"| variant | spin | {' | '.join(METRICS)} |", f"|---|--:|{'--:|' * len(METRICS)}", *rows])


def figure(metric: str, value: float) -> str:
    """A value with its unit."""
    return f"{value / 1e6:.3g} M/s" if metric == "throughput" else f"{value:.3g} ns"


def detections(trials: Sequence[Trial], base: str, equal: str, slower: Sequence[str]) -> str:
    """How many trials each gate fails, with the 95% interval of the share."""
    gates: list[tuple[str, list[str], Finding]] = [
        ("default gate", [], failed),
        *((f"`{rule}` alone", [rule], failed) for rule in ALONE),
        ("rank test alone, default metrics", [], rank_alone),
        ("ratio alone, default metrics", [], ratio_alone),
    ]
    rows = []
    for name, rules, finding in gates:
        found = [[compared(trial, base, head, rules) for trial in trials] for head in (equal, *slower)]
        unclear = sum(comparison.gate.verdict == "inconclusive" for comparison in found[0])
        cells = [share(sum(map(finding, each)), len(each)) for each in found]
        cells.insert(1, str(unclear) if finding is failed else "")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    heads = ["gate", "false alarms (A/A)", "A/A inconclusive", *(f"found: {name}%" for name in slower)]
    return "\n".join([f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}", *rows])


def share(found: int, of: int) -> str:
    """A share as a count, with its interval."""
    low, high = wilson(found, of)
    return f"{found}/{of} ({low:.0%}-{high:.0%})"


def compared(trial: Trial, base: str, head: str, rules: Sequence[str]) -> Comparison:
    """Two variants of a trial, as `lowlat ab` compares its runs."""
    order = Interleaving(seed=0, pairs=len(trial[base]), first=())
    sides = samples(trial[base], base), samples(trial[head], head)
    return compare_interleaved(*sides, [parse_rule(rule) for rule in rules], (), order)


def samples(reports: Sequence[Report], name: str) -> Samples:
    """The runs of a variant."""
    return samples_of_each(reports, name, ())
