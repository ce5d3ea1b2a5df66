"""What the pairs of runs of a technique say, by the gate's own test."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Final, Literal

from lowlat.engine.ablation.technique import Figure, Technique, VariantFigures
from lowlat.reports.compare.rank_test import SIGNIFICANT, can_pair
from lowlat.reports.compare.verdict import RUNS_MIN, Resolution, judge
from lowlat.reports.model.ablation import OUTCOMES, Outcome, TechniqueEffect
from lowlat.reports.model.comparison import Compared, Metric
from lowlat.reports.model.results import HARDWARE_COUNTERS, HardwareCounters

THRESHOLD_PERCENT: Final = 3.0
"""The smallest effect that is claimed, in either direction: on a shared host, smaller ones come and go."""
SPOILED_PAIRS: Final = 3
_FIGURES: Final[tuple[Figure, ...]] = ("cpu", "throughput", "p50", "p99", "p99.9")
_COUNTED: Final = "not available here, because "

Pair = tuple[VariantFigures, VariantFigures]
"""A run with the technique, and one without."""


def significance_of(techniques: int) -> float:
    """The level of each of so many techniques at which the chance of any wrong claim is that of one gate: Bonferroni's
    bound, which holds whatever the rows have in common.
    """
    return round(SIGNIFICANT / techniques, 6)


def judged_within_pairs(pairs: int, significance: float) -> bool:
    """Whether so many pairs leave a test within them room for some that other programs spoiled. With fewer, runs are
    exchanged over all pairs, which only misses more where the host drifts.
    """
    return can_pair(pairs - SPOILED_PAIRS, significance)


def effect_of(
    technique: Technique,
    operations: int,
    pairs: Sequence[Pair],
    first: Sequence[Literal["with", "without"]],
    *,
    step_ns: float,
    significance: float,
    absent: str | None = None,
) -> TechniqueEffect:
    """The technique with its verdict. `step_ns`: of the clock that timed single operations. `absent`: why this host
    cannot show it; then there are no pairs.
    """
    effects = () if absent is not None else tuple(_effects(technique, pairs, step_ns, significance))
    outcome, reason = _outcome(effects, absent)
    counted = [[run.counters for run in side] for side in zip(*pairs, strict=True)] if pairs else [[], []]
    with_it, without = map(_counters, counted)
    uncounted = next((run.uncounted for pair in pairs for run in pair if run.uncounted), None)
    return TechniqueEffect(
        name=technique.name,
        title=technique.title,
        why=technique.why,
        mechanism=technique.mechanism,
        with_it=technique.with_it,
        without=technique.without,
        limits=technique.limits,
        operation=technique.operation,
        operations=operations,
        outcome=outcome,
        reason=reason,
        pairs=len(pairs),
        first=tuple(first[: len(pairs)]),
        effects=effects,
        counters_with=with_it,
        counters_without=without,
        counters_absent=None if with_it and without else uncounted or f"{_COUNTED}nothing was measured",
    )


def _outcome(effects: Sequence[Compared], absent: str | None) -> tuple[Outcome, str]:
    if absent is not None:
        return "not available", absent
    if not effects:
        return "inconclusive", f"fewer than {RUNS_MIN} runs per side"
    found = effects[0]
    if found.verdict == "unchanged" and (best := _best(found)):
        return "inconclusive", f"the ratio could be as good as {best:.3g}"
    return OUTCOMES[found.verdict], found.reason


def _best(found: Compared) -> float | None:
    """The end of the interval that would be a help, if one would. A gate only asks whether the other one would hurt."""
    low, high = found.interval or (1.0, 1.0)
    best = high if found.better == "higher" else low
    reach = abs(best - 1)
    return best if reach > found.threshold_percent / 100 and reach * found.base.median > found.floor else None


def _effects(technique: Technique, pairs: Sequence[Pair], step_ns: float, significance: float) -> list[Compared]:
    """The figures that every run has: first the one that decides."""
    names = (technique.decides, *(name for name in _FIGURES if name != technique.decides))
    found = []
    for name in names:
        values = [(without.figure(name), with_it.figure(name)) for with_it, without in pairs]
        base = [value for value, _ in values if value is not None]
        head = [value for _, value in values if value is not None]
        if not len(base) == len(head) == len(pairs) > 0:
            continue
        of_operations = name.startswith("p")
        found.append(
            judge(
                Metric(name=name, measure="service" if of_operations else None, op="all" if of_operations else None),
                base,
                head,
                threshold_percent=THRESHOLD_PERCENT,
                gates=name == technique.decides,
                resolution=Resolution(step_ns if of_operations else 0.0),
                significance=significance,
                paired=judged_within_pairs(len(pairs), significance),
            )
        )
    return found if found and found[0].name == technique.decides else []


def _counters(runs: Sequence[dict[str, float]]) -> HardwareCounters | None:
    """The median of each event over the runs that counted it."""
    counted = {name: [run[name] for run in runs if name in run] for name in HARDWARE_COUNTERS}
    known = {name: median(values) for name, values in counted.items() if values}
    return HardwareCounters(**{name: known.get(name) for name in HARDWARE_COUNTERS}) if known else None
