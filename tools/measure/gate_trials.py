"""Evaluates trials of `gate_live.py`: what the shipped gate, each of its rules alone, and other gates find."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist, median
from typing import TypeAlias

import numpy as np
from scipy import stats

from lowlat.reports.compare.compare import compare_interleaved, compare_reports, samples_of_each
from lowlat.reports.compare.gate import THRESHOLD_PERCENT, Rule, parse_rule
from lowlat.reports.compare.rank_test import SIGNIFICANT
from lowlat.reports.model.comparison import Compared, Comparison, Interleaving
from lowlat.reports.model.report import Report

Trial: TypeAlias = Mapping[str, list[Report]]
"""Reports of one run each, by variant; the first variant is the base, the second an equal program."""
Finding: TypeAlias = Callable[[Comparison], bool]

METRICS = ("cpu", "p50", "p99", "mean", "throughput")
RULES = [parse_rule(f"{name}={THRESHOLD_PERCENT:g}%") for name in METRICS]


def wilson(found: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of a share. E. B. Wilson, "Probable inference", J. Amer. Statist. Assoc. 22 (1927), 209-212."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (found + z * z / 2) / (of + z * z)
    reach = z * math.sqrt(found * (of - found) / of + z * z / 4) / (of + z * z)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def by_metric(base: Sequence[Report], head: Sequence[Report]) -> dict[str, Compared]:
    """Each of `METRICS`, compared by the shipped code."""
    return {metric.name: metric for metric in compared(base, head, RULES).metrics if metric.gates}


def compared(base: Sequence[Report], head: Sequence[Report], rules: Sequence[Rule]) -> Comparison:
    """Reports of one run each, as `lowlat ab` compares its runs; without rules, by the default ones."""
    order = Interleaving(seed=0, pairs=len(base), first=())
    return compare_interleaved(samples_of_each(base, "A", ()), samples_of_each(head, "B", ()), rules, (), order)


def as_sets(base: Sequence[Report], head: Sequence[Report]) -> Comparison:
    """The same reports as `lowlat compare` compares them, which knows no pairs."""
    return compare_reports(samples_of_each(base, "A", ()), samples_of_each(head, "B", ()), (), ())


def failed(comparison: Comparison) -> bool:
    """Whether the gate, as shipped, fails the head."""
    return comparison.gate.verdict == "failed"


def rank_alone(comparison: Comparison) -> bool:
    """Whether a gated metric is worse by the rank test alone, however little."""
    return any(metric.gates and metric.p < SIGNIFICANT and worse_by(metric) > 0 for metric in comparison.metrics)


def ratio_alone(comparison: Comparison) -> bool:
    """Whether medians of a gated metric are further apart than the limit, however noisy."""
    return any(metric.gates and worse_by(metric) > THRESHOLD_PERCENT for metric in comparison.metrics)


def mann_whitney(comparison: Comparison) -> bool:
    """Whether a gated metric is worse by the ratio and the Mann-Whitney test, which weights all runs alike."""
    return any(metric.gates and _worse_by_mann_whitney(metric) for metric in comparison.metrics)


def _worse_by_mann_whitney(metric: Compared) -> bool:
    sides = (metric.base.values, metric.head.values)
    base, head = map(np.array, sides if metric.better == "lower" else sides[::-1])
    ratio = np.median(head[:, None] / base[None, :])
    return bool(stats.mannwhitneyu(base, head).pvalue < SIGNIFICANT and (ratio - 1) * 100 > THRESHOLD_PERCENT)


def worse_by(metric: Compared) -> float:
    """How much worse the head's median is, percent."""
    sides = (metric.base.median, metric.head.median)
    base, head = sides if metric.better == "lower" else (sides[1], sides[0])
    return (head / base - 1) * 100


def tables(trials: Sequence[Trial], spins: Mapping[str, str]) -> str:
    """What the spins did to each metric, and who found it, as two Markdown tables below the sizes."""
    base, equal, *slower = spins
    report, runs = trials[0][base][0], len(trials[0][base])
    where = f"{report.host.cpu}, {report.host.cores} CPUs, {report.host.virtualization or 'no hypervisor'}"
    work = f"{report.workload.commands:,} commands of {report.workload.profile} a run"
    clock = f"clock steps of {report.clock.step_ns or math.nan:.3g} ns"
    sizes = f"{len(trials)} trials of {runs} runs a side, {work}; {where}; {clock}; lowlat {report.tool.git}"
    metrics = {name: [by_metric(trial[base], trial[name]) for trial in trials] for name in (equal, *slower)}
    whole = {name: [compared(trial[base], trial[name], ()) for trial in trials] for name in (equal, *slower)}
    sets = {name: [as_sets(trial[base], trial[name]) for trial in trials] for name in (equal, *slower)}
    return "\n\n".join(
        [
            sizes,
            noise([(trial[base], trial[equal]) for trial in trials]),
            effects(metrics, spins),
            detections(metrics, whole, sets),
        ]
    )


def noise(pairs: Sequence[tuple[Sequence[Report], Sequence[Report]]]) -> str:
    """How far the CPU times of two runs of equal programs lie apart, in the median pair: by the pass of median time,
    and by the pass that took least.
    """
    runs = [(a.runs[0], b.runs[0]) for base, equal in pairs for a, b in zip(base, equal, strict=True)]
    typical = [[run.throughput.cpu_ns if run.throughput else None for run in pair] for pair in runs]
    least = [[run.least_cpu_ns for run in pair] for pair in runs]
    logs = (np.log(np.array(kind, dtype=float)) for kind in (typical, least))
    apart = [math.expm1(float(np.median(np.abs(np.diff(each))))) for each in logs]
    return (
        f"In the median pair, CPU times of equal programs differ by {apart[0]:.1%}, if a run's is that of the pass of "
        f"median time; by {apart[1]:.1%}, if it is that of the pass that took least, as in comparisons"
    )


def effects(found: Mapping[str, Sequence[Mapping[str, Compared]]], spins: Mapping[str, str]) -> str:
    """The median over the trials of each metric and, below, of its ratio to the base."""
    first = next(iter(found.values()))
    figures = (figure(name, median(each[name].base.median for each in first)) for name in METRICS)
    rows = [f"| base | 0 | {' | '.join(figures)} |"]
    for variant, trials in found.items():
        changes = (f"{median(each[name].ratio or math.nan for each in trials) - 1:+.1%}" for name in METRICS)
        rows.append(f"| {variant} | {spins[variant]} | {' | '.join(changes)} |")
    return "\n".join([f"| variant | spin | {' | '.join(METRICS)} |", f"|---|--:|{'--:|' * len(METRICS)}", *rows])


def figure(metric: str, value: float) -> str:
    """A value with its unit."""
    return f"{value / 1e6:.3g} M/s" if metric == "throughput" else f"{value:.3g} ns"


def detections(
    metrics: Mapping[str, Sequence[Mapping[str, Compared]]],
    whole: Mapping[str, list[Comparison]],
    sets: Mapping[str, list[Comparison]],
) -> str:
    """How many trials each gate fails, with the 95% interval of the share. The first variant is an equal program.

    `sets`: the comparisons of the same runs without their pairs.
    """
    gates: list[tuple[str, Finding]] = [
        ("default metrics, Mann-Whitney test instead", mann_whitney),
        ("default metrics, rank test alone", rank_alone),
        ("default metrics, ratio alone", ratio_alone),
    ]
    rows = [
        row(name, [list(map(failed, each)) for each in found.values()], unclear_in(next(iter(found.values()))))
        for name, found in (("default gate", whole), ("default gate, test over all runs instead", sets))
    ]
    for name, rule in zip(METRICS, RULES, strict=True):
        verdicts = [[each[name].verdict for each in trials] for trials in metrics.values()]
        failures = [[verdict == "regressed" for verdict in each] for each in verdicts]
        rows.append(row(f"`{rule}` alone", failures, [verdict == "inconclusive" for verdict in verdicts[0]]))
    rows += [row(name, [list(map(finding, each)) for each in whole.values()], None) for name, finding in gates]
    _, *slower = metrics
    heads = ["gate", "false alarms (A/A)", "A/A inconclusive", *(f"found: {name}%" for name in slower)]
    return "\n".join([f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}", *rows])


def unclear_in(comparisons: Sequence[Comparison]) -> list[bool]:
    """Which comparisons the gate leaves open."""
    return [comparison.gate.verdict == "inconclusive" for comparison in comparisons]


def row(name: str, failures: Sequence[Sequence[bool]], unclear: Sequence[bool] | None) -> str:
    """A gate's failures, by variant and trial. `unclear`: trials of equal programs that it leaves open."""
    cells = [share(each) for each in failures]
    cells.insert(1, "" if unclear is None else share(unclear))
    return f"| {name} | {' | '.join(cells)} |"


def share(found: Sequence[bool]) -> str:
    """How many of the trials, with the interval of the share."""
    low, high = wilson(sum(found), len(found))
    return f"{sum(found)}/{len(found)} ({low:.0%}-{high:.0%})"
