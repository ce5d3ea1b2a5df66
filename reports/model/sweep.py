"""A sweep: one open-loop report for each rate, and the highest rate that meets the objectives.

`lowlat.reports.io.json_codec` turns it into a `lowlat.sweep/1` document and back.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Annotated, Final, Literal, NamedTuple, TypeAlias

from msgspec import Meta

from lowlat import units
from lowlat.bounded import Amount, Count, Seed, Share
from lowlat.errors import FormatError, NotValidError
from lowlat.reports.model.objective import (
    DEFAULT_RULE,
    Objective,
    check_objectives,
    decided_excesses,
    default_objectives,
    kept_up,
    response_of,
)
from lowlat.reports.model.report import Report, is_interruption
from lowlat.reports.model.results import PercentileValue, Run, SummarySeries
from lowlat.reports.model.spoiled import lost_share
from lowlat.reports.model.sustainable import (
    CONFIDENCE,
    AtRate,
    Crossing,
    between,
    crossing,
    quartile,
    quartile_index,
    rates_around,
)

SCHEMA: Final = "lowlat.sweep/1"
UNDECIDED_APART: Final = 1.25
"""Undecided rates leave an answer as it is if it lies between two rates that differ by at most this factor."""
ANSWER_RULE: Final = (
    "highest rate at which the run at the lower quartile meets every objective: where the isotonic fit over the rates "
    f"crosses them; {CONFIDENCE:.0%} interval by bootstrap over the runs, at least the two rates around it; a run that "
    "exceeds an objective only by what other programs may have spoiled is left out; undecided if only such runs were "
    f"made at a rate between two that differ by more than a factor of {UNDECIDED_APART}"
)
REQUESTED: Final = "requested"
POINTS_MAX: Final = 200
_TOLERANCE: Final = 1e-6
"""Relative difference of derived rates that the logarithms of different processors may cause."""


Outcome: TypeAlias = Literal["meets", "exceeds", "undecided"]


class Decided(NamedTuple):
    """The rates at which a run at least says something, and the others, both in order."""

    points: list[AtRate]
    undecided: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SustainableRate:
    """The highest rate that meets the objectives, in commands per second."""

    bound: Annotated[
        Literal["within", "at least", "below", "undecided"],
        Meta(
            description="within: between measured rates; at least: every rate meets the objectives, and this is the "
            "highest; below: none does, and this is the lowest; undecided: other programs spoiled the runs that would "
            "tell, and only the interval is known"
        ),
    ]
    rate: Annotated[
        Amount | None, Meta(description="The rate; with at least or below, a limit of it; null with undecided")
    ]
    lower: Annotated[
        Amount | None, Meta(description="Lower end of its interval; null: below every rate that is decided")
    ]
    upper: Annotated[
        Amount | None, Meta(description="Upper end of its interval; null: above every rate that is decided")
    ]
    confidence: Annotated[
        Share | None,
        Meta(
            description="Confidence of the interval; null with undecided, and with fewer than 3 decided runs at a rate"
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Open-loop reports of one workload by rate."""

    schema: Annotated[Literal["lowlat.sweep/1"], Meta(description="Kind and version of the document")] = SCHEMA
    status: Annotated[
        Literal["ok", "inconclusive", "interrupted", "invalid"],
        Meta(
            description="ok: no point is invalid except for a rate that was not sustained, which is what a sweep looks "
            "for; inconclusive: the answer is undecided; interrupted: fewer points or runs than requested; invalid: "
            "discard the figures"
        ),
    ]
    status_reasons: Annotated[tuple[str, ...], Meta(description="Why the status is not ok")]
    objectives: Annotated[
        tuple[Objective, ...], Meta(min_length=1, description="Limits of response time; a rate must meet all")
    ]
    objective_rule: Annotated[str, Meta(description=f"{REQUESTED}, or the rule of the default: {DEFAULT_RULE}")]
    points: Annotated[
        tuple[Report, ...],
        Meta(min_length=1, max_length=POINTS_MAX, description="A report for each rate, the lowest first"),
    ]
    order: Annotated[tuple[Count, ...], Meta(description="Index in points of each run, in the order they were made")]
    seed: Annotated[Seed, Meta(description="Seed of that order, and of the bootstrap")]
    loop_ceiling: Annotated[
        Amount | None,
        Meta(
            description="Commands per second of the open loop around an engine that does nothing, if requested rates "
            "above it were left out; null when none was"
        ),
    ]
    answer: SustainableRate
    answer_rule: Annotated[str, Meta(description="How the answer is defined")]

    def __repr__(self) -> str:
        from lowlat.reports.terminal.notebook import line_of

        profile = [point.workload.profile for point in self.points[:1]]
        return line_of(self.schema, self.status, *profile, units.plural(len(self.points), "rate"))

    def _repr_html_(self) -> str:
        from lowlat.reports.terminal.notebook import html_of
        from lowlat.reports.terminal.sweep_table import render_sweep

        return html_of(lambda console: render_sweep(self, console))


def sweep_of(
    points: Sequence[Report],
    *,
    order: Sequence[int] | None = None,
    seed: int = 0,
    objectives: Sequence[Objective] = (),
    loop_ceiling: float | None = None,
    interrupted: bool = False,
    failure: str | None = None,
) -> Sweep:
    """The sweep of these reports, in order of rate.

    `order`: index of each run's report, None for one report after the other. `objectives`: none for the default ones.
    `loop_ceiling`: of the open loop, if requested rates above it were left out. `interrupted`: some requested rates or
    runs are missing. `failure`: why the next run could not be measured.

    Raises `FormatError` without points, for a point that is not open-loop, lacks the figures or is not at a higher rate
    than the previous one, and for objectives that `check_objectives` refuses.
    """
    _check_points(points)
    chosen = tuple(objectives) or default_objectives(points[0].runs)
    answer = _answer(points, chosen, seed)
    status, reasons = _status(points, chosen, answer, interrupted=interrupted, failure=failure)
    sweep = Sweep(
        status=status,
        status_reasons=reasons,
        objectives=chosen,
        objective_rule=REQUESTED if objectives else DEFAULT_RULE,
        points=tuple(points),
        order=tuple(order) if order is not None else _one_after_the_other(points),
        seed=seed,
        loop_ceiling=loop_ceiling,
        answer=answer,
        answer_rule=ANSWER_RULE,
    )
    check(sweep)
    return sweep


def check(sweep: Sweep) -> None:
    """Raise `NotValidError` if the parts of a sweep contradict each other, or its answer is not that of its runs.

    Raises `FormatError` for points and objectives that no sweep has.
    """
    _check_points(sweep.points)
    check_objectives(sweep.objectives)
    if sweep.objective_rule == DEFAULT_RULE and sweep.objectives != default_objectives(sweep.points[0].runs):
        raise NotValidError(f"the objectives of a sweep are not those of their rule: {_shown(sweep.objectives)}")
    highest = _rate(sweep.points[-1])
    if sweep.loop_ceiling is not None and highest > sweep.loop_ceiling:
        raise NotValidError(f"a sweep has a rate of {highest:.0f}/s, but its loop ends at {sweep.loop_ceiling:.0f}/s")
    runs = {index: len(point.runs) for index, point in enumerate(sweep.points)}
    if Counter(sweep.order) != runs:
        raise NotValidError(f"order does not name each run of the sweep once: {sum(runs.values())}")
    derived = _answer(sweep.points, sweep.objectives, sweep.seed)
    if not _same(derived, sweep.answer):
        raise NotValidError(f"the answer of a sweep is {_text(sweep.answer)}, but its runs give {_text(derived)}")
    _check_status(sweep)


def _check_status(sweep: Sweep) -> None:
    """The status and its reasons are those of points and answer, but for the words on a run that failed."""
    told = sweep.status, sweep.status_reasons
    cut = _cut_at(sweep.points)
    stopped = cut in sweep.status_reasons
    known = (*_status(sweep.points, sweep.objectives, sweep.answer, interrupted=False, failure=None)[1], cut)
    failure = next((reason for reason in sweep.status_reasons if reason not in known), None)
    derived = _status(sweep.points, sweep.objectives, sweep.answer, interrupted=stopped, failure=failure)
    if told != derived:
        raise NotValidError(
            f"the status of a sweep is {told[0]} ({'; '.join(told[1])}), but its answer is {sweep.answer.bound}, and "
            f"its points give {derived[0]} ({'; '.join(derived[1])})"
        )


def missed(point: Report) -> bool:
    """Whether a report is invalid only because its rate was not reached, in all its runs or in those made before an
    interruption.
    """
    others = set(point.status_reasons) - set(point.load.missed)
    return point.status == "invalid" and bool(point.load.missed) and all(map(is_interruption, others))


def response(point: Report) -> SummarySeries | None:
    """Response times of all operations, over all runs."""
    return next((series for series in point.summary if (series.op, series.measure) == ("all", "response")), None)


def typical(point: Report, percent: str) -> PercentileValue | None:
    """A percentile of response time in the run at the lower quartile, with the fewest samples beyond it of any run.
    None if a run lacks it.
    """
    found = [series.percentiles.get(percent) for run in point.runs if (series := response_of(run))]
    known = sorted((each for each in found if each is not None), key=lambda each: each.value)
    if not known or len(known) < len(point.runs):
        return None
    return PercentileValue(value=known[quartile_index(len(known))].value, beyond=min(each.beyond for each in known))


def outcome(sweep: Sweep, point: Report) -> Outcome:
    """Whether the decided run at the lower quartile meets the objectives. The fit over all rates decides the answer."""
    decided = _decided(sweep)[_rate(point)]
    if not decided:
        return "undecided"
    return "meets" if quartile(decided) <= 0 else "exceeds"


def verdict(sweep: Sweep, point: Report) -> str:
    """What became of the objectives at this rate, in a few words."""
    if point.status == "invalid" and not missed(point):
        return "invalid"
    made, decided = len(point.runs), _decided(sweep)[_rate(point)]
    late = sum(not kept_up(run, _rate(point)) for run in point.runs)
    if decided and made - late <= quartile_index(made):
        return f"not sustained in {late} of {made}"
    left_out = f", {made - len(decided)} undecided" if 0 < len(decided) < made else ""
    return f"{outcome(sweep, point)} ({sum(value <= 0 for value in decided)} of {made}{left_out})"


def undecided_runs(sweep: Sweep) -> int:
    """Number of runs that say nothing about their rate."""
    return len(sweep.order) - sum(map(len, _decided(sweep).values()))


def at_rates(runs_at: Mapping[float, Sequence[Run]], objectives: Sequence[Objective]) -> Decided:
    """What the estimate of the answer takes from the runs at each rate."""
    excesses = decided_excesses(runs_at, objectives)
    return Decided(
        [AtRate(rate, values) for rate, values in excesses.items() if values],
        [rate for rate, values in excesses.items() if not values],
    )


def _decided(sweep: Sweep) -> dict[float, list[float]]:
    return decided_excesses(_runs_at(sweep.points), sweep.objectives)


def _runs_at(points: Sequence[Report]) -> dict[float, Sequence[Run]]:
    return {_rate(point): point.runs for point in points}


def _answer(points: Sequence[Report], objectives: Sequence[Objective], seed: int) -> SustainableRate:
    decided, undecided = at_rates(_runs_at(points), objectives)
    below, above = rates_around(decided)
    close = below is not None and above is not None and above <= below * UNDECIDED_APART
    if not decided or (between(undecided, (below, above)) and not close):
        return SustainableRate(bound="undecided", rate=None, lower=below, upper=above, confidence=None)
    return _bounded(crossing(decided, seed), decided[0].rate, decided[-1].rate)


def _bounded(found: Crossing, lowest: float, highest: float) -> SustainableRate:
    """The answer in finite numbers."""
    bound: Literal["within", "at least", "below"] = "within"
    if found.rate == 0:
        bound = "below"
    elif math.isinf(found.rate):
        bound = "at least"
    return SustainableRate(
        bound=bound,
        rate=min(max(found.rate, lowest), highest),
        lower=found.lower or None,
        upper=None if math.isinf(found.upper) else found.upper,
        confidence=found.confidence,
    )


def _same(one: SustainableRate, other: SustainableRate) -> bool:
    pairs = ((one.rate, other.rate), (one.lower, other.lower), (one.upper, other.upper))
    return (one.bound, one.confidence) == (other.bound, other.confidence) and all(
        (a is None) == (b is None) and math.isclose(a or 0, b or 0, rel_tol=_TOLERANCE) for a, b in pairs
    )


def _check_points(points: Sequence[Report]) -> None:
    if not points:
        raise FormatError("a sweep has a point at least")
    for point in points:
        if point.load.model != "open":
            raise FormatError("a point of a sweep is not of an open loop")
        if not point.runs:
            raise FormatError("a point of a sweep has no run")
    rates = [point.load.target_rate for point in points]
    known = [rate for rate in rates if rate]
    if len(known) < len(rates) or known != sorted(set(known)):
        raise FormatError(f"the target rates of a sweep do not rise: {rates}")


def _rate(point: Report) -> float:
    rate = point.load.target_rate
    if not rate:
        raise FormatError("a point of a sweep has no target rate")
    return rate


def _one_after_the_other(points: Sequence[Report]) -> tuple[int, ...]:
    return tuple(index for index, point in enumerate(points) for _ in point.runs)


def _cut_at(points: Sequence[Report]) -> str:
    """The reason that says so of an interrupted sweep."""
    return f"interrupted at {units.plural(len(points), 'rate')}"


def _cut_short(point: Report) -> bool:
    """Whether a report has fewer runs or checks than requested. Its status only says so if its rate was reached."""
    return any(map(is_interruption, point.status_reasons))


def _wrong(points: Sequence[Report]) -> Iterator[str]:
    for point in points:
        if point.status == "invalid" and not missed(point):
            yield f"at {units.rate(_rate(point))}: {'; '.join(point.status_reasons) or 'no reason given'}"


def _status(
    points: Sequence[Report],
    objectives: Sequence[Objective],
    answer: SustainableRate,
    *,
    interrupted: bool,
    failure: str | None,
) -> tuple[Literal["ok", "inconclusive", "interrupted", "invalid"], tuple[str, ...]]:
    """The status, and why it is not ok."""
    wrong = (*_wrong(points), *((failure,) if failure else ()))
    stopped = (interrupted and not failure) or any(map(_cut_short, points))
    open_ = (_why_undecided(points, objectives, answer),) if answer.bound == "undecided" else ()
    reasons = (*wrong, *((_cut_at(points),) if stopped else ()), *open_)
    return "invalid" if wrong else "interrupted" if stopped else "inconclusive" if open_ else "ok", reasons


def _why_undecided(points: Sequence[Report], objectives: Sequence[Objective], answer: SustainableRate) -> str:
    """Where nothing can be told, why, and what to do."""
    open_at = between(at_rates(_runs_at(points), objectives).undecided, _ends(answer))
    runs = [run for point in points if _rate(point) in open_at for run in point.runs]
    where = units.rate(open_at[0]) if len(open_at) == 1 else f"{units.rate(open_at[0])} to {units.rate(open_at[-1])}"
    return (
        f"not measurable here: in {units.plural(len(runs), 'run')} at {where}, other programs had the engine's CPU for "
        f"{mean(map(lost_share, runs)):.0%} of the time, or slowed it down; free a CPU for it (lowlat affinity) or "
        "raise its priority (chrt -f 1)"
    )


def _ends(answer: SustainableRate) -> tuple[float | None, float | None]:
    return answer.lower, answer.upper


def _shown(objectives: Sequence[Objective]) -> str:
    return ", ".join(map(str, objectives))


def _text(answer: SustainableRate) -> str:
    rate = "" if answer.rate is None else f" {answer.rate:.0f}/s"
    return f"{answer.bound}{rate} ({answer.lower} to {answer.upper})"
