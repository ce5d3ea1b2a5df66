"""Text of a comparison for all outputs: metrics, sides and verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from lowlat import units
from lowlat.reports.compare.gate import WHOLE
from lowlat.reports.compare.verdict import RUNS_MIN
from lowlat.reports.model.comparison import Compared, ComparedSide, Comparison
from lowlat.text import printable

_CONTRADICTION: Final = 1.5
"""Factor between the ratio of the medians and the estimated one from which the runs of a side must form groups."""
RATIO: Final = "HL ratio"
RATIO_SHORT: Final = "HL"
"""Names of the estimated ratio: Hodges-Lehmann."""


def name(metric: Compared) -> str:
    """The name of a metric below the heading of its measure, e.g. `all p99`."""
    return printable(f"{metric.op} {metric.name}" if metric.op else metric.name)


def notes(comparison: Comparison) -> list[tuple[str, str]]:
    """Notes on what weakens the comparison: the kind and the text of each."""
    return [
        *(("not compared", printable(line)) for line in comparison.not_compared),
        *(("warning", printable(line)) for line in (*comparison.warnings, *_groups(comparison))),
        *(("interrupted", printable(line)) for line in comparison.status_reasons),
    ]


def _groups(comparison: Comparison) -> Iterator[str]:
    """Metrics whose medians contradict the ratio. Maxima are single samples, which say nothing about groups."""
    for metric in shown(comparison, every=False):
        if metric.ratio and metric.base.median and metric.head.median and metric.name != "max":
            medians = metric.head.median / metric.base.median
            if not 1 / _CONTRADICTION < medians / metric.ratio < _CONTRADICTION:
                yield (
                    f"{metric}: the ratio of the medians is {ratio(medians)}, not {ratio(metric.ratio)}: the runs of a "
                    "side form groups, and a median may be of either; --json has the single values"
                )


def value(metric: Compared, amount: float) -> str:
    """A value in the metric's unit, e.g. `140 ns`, `41.2 M/s`, `61.2`."""
    match metric.unit:
        case "1/s":
            return units.rate(amount)
        case "per command":
            return units.per_command(amount)
        case "ns":
            return units.time(amount)


def ratio(amount: float | None) -> str:
    """A ratio with three figures; `-` if there is none."""
    return "-" if amount is None else f"{amount:.2f}" if amount < 9.995 else units.short(round(amount))


def interval(ends: tuple[float, float] | None) -> str:
    """The ends of an interval, e.g. `0.98-1.07`."""
    return "-" if ends is None else f"{ratio(ends[0])}-{ratio(ends[1])}"


def p(chance: float) -> str:
    """A p value with three decimals, never rounded down to zero."""
    return "<0.001" if chance < 0.001 else f"{chance:.3f}"


def runs(metric: Compared) -> str:
    """The number of runs of both sides, e.g. `10+10`."""
    return f"{metric.base.runs}+{metric.head.runs}"


def gate(metric: Compared) -> str:
    """The regression that the gate tolerates, e.g. `+10%`; `not gated` for other metrics."""
    sign = "-" if metric.better == "higher" else "+"
    return f"{sign}{units.percent(metric.threshold_percent)}" if metric.gates else "not gated"


def shown(comparison: Comparison, *, every: bool) -> Sequence[Compared]:
    """The metrics to show: gated ones, those of the first measure, and all operations together for the others."""
    first = next((metric.measure for metric in comparison.metrics if metric.measure), None)
    return [
        metric
        for metric in comparison.metrics
        if every or metric.gates or metric.measure in (first, None) or metric.op == WHOLE
    ]


def gist(comparison: Comparison) -> Sequence[Compared]:
    """The metrics that fit a screen: gated ones, those per run, and all operations of each measure."""
    rows = shown(comparison, every=False)
    return [metric for metric in rows if metric.gates or not metric.measure or metric.op == WHOLE]


def rest(comparison: Comparison) -> str:
    """What `gist` leaves out, and how much of it changed."""
    seen = set(map(str, gist(comparison)))
    hidden = [metric for metric in comparison.metrics if str(metric) not in seen]
    counted = Counter(metric.verdict for metric in hidden if metric.verdict in ("regressed", "improved"))
    found = "".join(f", {count} {verdict}" for verdict, count in counted.items())
    more = f"{units.plural(len(hidden), 'more metric')}{found}, and " if hidden else ""
    return f"-v also shows {more}how they are compared"


def side(facts: ComparedSide) -> str:
    """A side and the source of its runs."""
    parts = [
        facts.label,
        units.plural(facts.runs, "run") + (f" ({facts.noisy_runs} noisy)" if facts.noisy_runs else ""),
        facts.workload.profile if facts.workload else "",
        f"lowlat {facts.tool.version} ({facts.tool.git or 'no commit'})" if facts.tool else "",
        facts.host.cpu or "" if facts.host else "",
    ]
    return printable(" · ".join(part for part in parts if part))


def order(comparison: Comparison) -> str | None:
    """How the runs were interleaved; None if they were not."""
    mixed = comparison.interleaving
    return (
        None
        if mixed is None
        else f"{units.plural(mixed.pairs, 'pair')} interleaved in random order · seed {mixed.seed}"
    )


def looks(comparison: Comparison) -> str | None:
    """Why a comparison until a decision ended, and when it looked; None for a fixed number of runs."""
    test = comparison.interleaving and comparison.interleaving.sequential
    if not test:
        return None
    last, looked = test.looks[-1], ", ".join(str(look.pairs) for look in test.looks)
    most = f" of at most {test.pairs_max}" if last.pairs < test.pairs_max else ""
    return (
        f"{test.ended} after {last.pairs}{most} pairs · looked after {looked} · {last.spent:.1%} of "
        f"{test.significance:.0%} error rate spent"
    )


def rule(comparison: Comparison) -> str:
    """The definition of a regression."""
    step_ns = max((metric.floor for metric in comparison.metrics), default=0.0)
    floor = f"; figures not interpolated also differ by more than the clock's {units.time(step_ns)}" if step_ns else ""
    within = " within pairs" if any(metric.test == "within pairs" for metric in comparison.metrics) else ""
    return f"ratio beyond the limit, p below {comparison.significance:.3g} (Savage's rank test{within}){floor}"


def estimators(comparison: Comparison) -> list[tuple[str, str]]:
    """How values and ratios are estimated: the name and the text of each."""
    gated = [metric.step for metric in comparison.metrics if metric.gates and metric.step is not None]
    steps = gated or [metric.step for metric in shown(comparison, every=False) if metric.step is not None]
    across = f"within steps of {units.time_range(min(steps), max(steps))}" if steps else ""
    return [
        *([("percentiles", f"interpolated {across}; those of a single report are not")] if steps else []),
        (RATIO, "Hodges-Lehmann estimate over all pairs of runs, not the ratio of the medians"),
    ]


def confidence(comparison: Comparison) -> str:
    """The confidence of the intervals, e.g. `95%`."""
    return f"{100 * (1 - comparison.significance):.4g}%"


def failures(comparison: Comparison) -> Iterator[str]:
    """Each gated metric that regressed, with its figures."""
    for metric in comparison.metrics:
        if metric.gates and metric.verdict == "regressed":
            yield (
                f"{printable(str(metric))} {value(metric, metric.base.median)} -> {value(metric, metric.head.median)}, "
                f"{ratio(metric.ratio)}x (limit {gate(metric)}, p {p(metric.p)}, {runs(metric)} runs)"
            )


def verdict(comparison: Comparison) -> str:
    """The gate's verdict in one line."""
    found = comparison.gate
    if found.verdict == "failed":
        return f"gate failed: {'; '.join(failures(comparison))}"
    rules, unclear = printable(", ".join(found.rules)), printable(", ".join(found.inconclusive))
    if found.verdict == "inconclusive":
        return f"gate inconclusive ({rules}): a regression of {unclear} cannot be ruled out; {_advice(comparison)}"
    return f"gate passed ({rules})"


def _advice(comparison: Comparison) -> str:
    """The runs that would decide every metric, and how to get them."""
    unclear = [metric for metric in comparison.metrics if metric.gates and metric.verdict == "inconclusive"]
    if any(min(metric.base.runs, metric.head.runs) < RUNS_MIN for metric in unclear):
        return f"fewer than {RUNS_MIN} runs per side; 10 or more are recommended"
    estimates = [metric.runs_to_decide for metric in unclear]
    needed = [runs for runs in estimates if runs is not None]
    about = f"about {max(needed)} runs a side would decide; " if needed and len(needed) == len(estimates) else ""
    if comparison.interleaving is not None:
        more = "--max-runs" if comparison.interleaving.sequential else "--runs"
        return f"{about}use more {more}, or a quieter host"
    return f"{about}use more runs, or interleave them with 'lowlat ab'"
