"""A comparison: two sets of runs metric by metric, and whether the gate lets the second pass. Plain frozen data.

`reports/compare` makes one, `reports/io/json_codec.py` turns it into a `lowlat.comparison/1` document and back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from lowlat import units
from lowlat.bounded import Amount, Count, Positive, Seed, Share
from lowlat.errors import NotValidError
from lowlat.reports.model import sequential_test
from lowlat.reports.model.context import Clock, Host, Load, MeasuredEngine, Tool, Workload
from lowlat.reports.model.results import HARDWARE_COUNTERS
from lowlat.reports.model.sequential_test import SequentialTest

SCHEMA: Final = "lowlat.comparison/1"

Verdict: TypeAlias = Literal["regressed", "improved", "unchanged", "inconclusive"]
Unit: TypeAlias = Literal["ns", "1/s", "per command"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What is compared: one figure of every run."""

    name: Annotated[
        str,
        Meta(
            description="pPERCENTILE, max, mean, throughput, cpu: CPU time per command of the pass without per-command "
            "timestamps; wall: elapsed time of a command; or one of the processor's events per command, as in a report"
        ),
    ]
    measure: Annotated[str | None, Meta(description="Measure of a latency, as in a report; null of other metrics")]
    op: Annotated[str | None, Meta(description="Operation of a latency, as in a report; null of other metrics")]

    def __str__(self) -> str:
        return " ".join(part for part in (self.name, self.measure, self.op) if part)

    @property
    def higher_is_better(self) -> bool:
        """Whether more of it is good."""
        return self.name == "throughput"

    @property
    def unit_of_values(self) -> Unit:
        """The unit that its values have."""
        if self.name in HARDWARE_COUNTERS:
            return "per command"
        return "1/s" if self.higher_is_better else "ns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """A metric of one side."""

    runs: Annotated[Positive, Meta(description="Runs that have it")]
    median: Annotated[Amount, Meta(description="Median over these runs")]
    min: Annotated[Amount, Meta(description="Smallest value of a run")]
    max: Annotated[Amount, Meta(description="Largest value of a run")]
    values: Annotated[tuple[Amount, ...], Meta(description="The value of each run, in order")]

    @classmethod
    def of(cls, values: Sequence[float]) -> Values:
        """The values of at least one run."""
        return cls(runs=len(values), median=median(values), min=min(values), max=max(values), values=tuple(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(Metric):
    """One metric of both sides, and what to make of it."""

    unit: Annotated[
        Unit, Meta(description="Unit of values and floor: nanoseconds, commands per second, or events per command")
    ]
    better: Annotated[Literal["lower", "higher"], Meta(description="Which values are good")]
    estimator: Annotated[
        Literal["interpolated", "plain"],
        Meta(description="interpolated: percentiles of the samples spread over step; plain: figures as in the reports"),
    ]
    step: Annotated[
        Amount | None,
        Meta(
            description="Step that percentiles were interpolated over, nanoseconds: the clock's, or the distance of "
            "the values near the percentile if longer; null if plain"
        ),
    ]
    base: Values
    head: Values
    ratio: Annotated[
        Amount | None,
        Meta(
            description="Head over base, estimated over all pairs of runs (Hodges-Lehmann, by Savage's scores), not "
            "the ratio of the medians; null where base is 0"
        ),
    ]
    interval: Annotated[
        tuple[Amount, Amount] | None,
        Meta(
            description="Ratios that the test does not reject: a confidence interval of 1 - significance; null "
            "for so few runs that there is none"
        ),
    ]
    p: Annotated[Share, Meta(description="Two-sided p of Savage's rank test, exact under ties up to 60 runs")]
    test: Annotated[
        Literal["within pairs", "over all runs"],
        Meta(
            description="What the test exchanges at random: the two runs of each pair, of sides that were interleaved; "
            "or runs of the sides at will, of others and of pairs too few to be significant"
        ),
    ]
    threshold_percent: Annotated[Amount, Meta(description="Largest regression that the gate accepts, percent")]
    floor: Annotated[Amount, Meta(description="Difference of medians below the clock's resolution; 0 if interpolated")]
    gates: Annotated[bool, Meta(description="Whether it is gated; false: informational")]
    verdict: Annotated[
        Verdict,
        Meta(
            description="regressed, improved: beyond threshold and floor, and p below the significance; unchanged: "
            "neither, and the interval rules out a regression; inconclusive: under 4 runs per side, or it does not"
        ),
    ]
    reason: Annotated[str, Meta(description="Why, where the figures do not say; else empty")]
    runs_to_decide: Annotated[
        Positive | None,
        Meta(
            description="Inconclusive: about how many runs a side would decide, by ratio and spread so far; null above "
            "1,000, without an interval, and else"
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedSide:
    """Where the runs of a side are from."""

    label: Annotated[str, Meta(description="What the side is called")]
    sources: Annotated[tuple[str, ...], Meta(description="Files, or the words of the command that was run")]
    runs: Annotated[Positive, Meta(description="Runs")]
    noisy_runs: Annotated[Count, Meta(description="Of these, noisy runs")]
    tool: Annotated[Tool | None, Meta(description="Of its first report; null of commands timed from outside")]
    engine: Annotated[
        MeasuredEngine | None, Meta(description="Of its first report; null of commands timed from outside")
    ]
    workload: Annotated[Workload | None, Meta(description="Of its first report; null of commands timed from outside")]
    load: Annotated[Load | None, Meta(description="Of its first report; null of commands timed from outside")]
    host: Annotated[Host | None, Meta(description="Of its first report; null of commands timed from outside")]
    clock: Annotated[Clock | None, Meta(description="Of its first report; null of commands timed from outside")]
    digest: Annotated[str | None, Meta(description="Digest over the events of its first report; null if there is none")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interleaving:
    """How the runs of both sides were mixed on one host."""

    seed: Annotated[Seed, Meta(description="Random seed of the order; pass it to --seed to repeat the order")]
    pairs: Annotated[
        Positive,
        Meta(description="Pairs requested, each with one run of both sides; those there are if a decision ended it"),
    ]
    first: Annotated[tuple[Literal["base", "head"], ...], Meta(description="Which side ran first, by pair")]
    sequential: Annotated[
        SequentialTest | None, Meta(description="The looks of --until-decided; null for a fixed number of pairs")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The verdict of the whole comparison."""

    verdict: Annotated[
        Literal["passed", "failed", "inconclusive"],
        Meta(description="failed: a gated metric regressed; inconclusive: else, if one is inconclusive"),
    ]
    rules: Annotated[tuple[str, ...], Meta(description="The rules, e.g. p99=10% or p99:service:cancel=25%")]
    failed: Annotated[tuple[str, ...], Meta(description="Gated metrics that regressed")]
    inconclusive: Annotated[tuple[str, ...], Meta(description="Gated metrics that are inconclusive")]

    @classmethod
    def over(cls, metrics: Iterable[Compared], rules: tuple[str, ...]) -> Gate:
        """The gate that follows from the verdicts of the gated metrics."""
        gated = [metric for metric in metrics if metric.gates]
        failed = tuple(str(metric) for metric in gated if metric.verdict == "regressed")
        unclear = tuple(str(metric) for metric in gated if metric.verdict == "inconclusive")
        verdict: Literal["passed", "failed", "inconclusive"] = (
            "failed" if failed else "inconclusive" if unclear else "passed"
        )
        return cls(verdict=verdict, rules=rules, failed=failed, inconclusive=unclear)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two sets of runs compared."""

    schema: Annotated[Literal["lowlat.comparison/1"], Meta(description="Kind and version of the document")] = SCHEMA
    status: Annotated[Literal["ok", "interrupted"], Meta(description="interrupted: fewer runs than requested")]
    status_reasons: Annotated[tuple[str, ...], Meta(description="Why the status is not ok")]
    version: Annotated[str, Meta(description="Version of lowlat that compared")]
    command: Annotated[tuple[str, ...], Meta(description="The command line that made the document")]
    base: ComparedSide
    head: ComparedSide
    interleaving: Annotated[Interleaving | None, Meta(description="null for runs that were not interleaved")]
    warnings: Annotated[tuple[str, ...], Meta(description="What weakens the comparison, one line each")]
    significance: Annotated[
        float,
        Meta(gt=0, le=0.5, description="The p below which a difference is significant; intervals have 1 - this"),
    ]
    metrics: Annotated[tuple[Compared, ...], Meta(min_length=1, description="What was compared, gated metrics too")]
    not_compared: Annotated[tuple[str, ...], Meta(description="What only one side has, one line each")]
    gate: Gate

    def __repr__(self) -> str:
        from lowlat.reports.terminal.notebook import line_of

        sides = f"{self.base.label} against {self.head.label}"
        return line_of(self.schema, self.status, sides, f"gate {self.gate.verdict}")

    def _repr_html_(self) -> str:
        from lowlat.reports.terminal.comparison_table import render_comparison
        from lowlat.reports.terminal.notebook import html_of

        return html_of(lambda console: render_comparison(self, console, every=True))


def check(comparison: Comparison) -> None:
    """Raise `NotValidError` if the gate is not that of the metrics, or if looks contradict it, or each other."""
    if comparison.gate != Gate.over(comparison.metrics, comparison.gate.rules):
        raise NotValidError("gate does not follow from the verdicts of metrics; discard the document")
    for metric in comparison.metrics:
        for side in (metric.base, metric.head):
            if not side.values or side != Values.of(side.values):
                raise NotValidError(f"metrics ({metric}): runs, median, min or max is not that of values")
    test = comparison.interleaving and comparison.interleaving.sequential
    if not test:
        return
    sequential_test.check(test)
    last, status = test.looks[-1], "interrupted" if test.ended == "interrupted" else "ok"
    told = (comparison.base.runs, comparison.significance, comparison.gate.inconclusive, comparison.status)
    if told != (last.pairs, last.significance, last.undecided, status):
        raise NotValidError(f"the comparison is not that of its last look, after {units.counted(last.pairs, 'pair')}")
