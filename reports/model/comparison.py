"""A comparison: two sets of runs metric by metric, and whether the gate lets the second pass. Plain frozen data.

`reports/compare` makes one, `reports/io/json_codec.py` turns it into a `lowlat.comparison/1` document and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from lowlat.reports.model.context import Amount, Clock, Count, Engine, Host, Load, Positive, Tool, Workload
from lowlat.reports.model.results import Share

SCHEMA: Final = "lowlat.comparison/1"

Verdict: TypeAlias = Literal["regressed", "improved", "unchanged", "inconclusive"]
Unit: TypeAlias = Literal["ns", "1/s"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What is compared: one figure of every run."""

    name: Annotated[str, Meta(description="pPERCENTILE, max, throughput, or wall: elapsed time of a command")]
    measure: Annotated[str | None, Meta(description="Measure of a latency, as in a report; null of other metrics")]
    op: Annotated[str | None, Meta(description="Operation of a latency, as in a report; null of other metrics")]

    def __str__(self) -> str:
        return " ".join(part for part in (self.name, self.measure, self.op) if part)

    @property
    def higher_is_better(self) -> bool:
        """Whether more of it is good."""
        return self.name == "throughput"


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """A metric of one side."""

    runs: Annotated[Positive, Meta(description="Runs that have it")]
    median: Annotated[Amount, Meta(description="Median over these runs")]
    min: Annotated[Amount, Meta(description="Smallest value of a run")]
    max: Annotated[Amount, Meta(description="Largest value of a run")]
    values: Annotated[tuple[Amount, ...], Meta(description="The value of each run, in order")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(Metric):
    """One metric of both sides, and what to make of it."""

    unit: Annotated[Unit, Meta(description="Unit of values and floor: nanoseconds, or commands per second")]
    better: Annotated[Literal["lower", "higher"], Meta(description="Which values are good")]
    base: Values
    head: Values
    ratio: Annotated[
        Amount | None,
        Meta(description="Head over base: median over all pairs of runs (Hodges-Lehmann); null where base is 0"),
    ]
    interval: Annotated[
        tuple[Amount, Amount] | None,
        Meta(description="95% confidence interval of the ratio (Moses); null for so few runs that there is none"),
    ]
    p: Annotated[Share, Meta(description="Two-sided p of the Mann-Whitney U test, exact under ties up to 60 runs")]
    threshold_percent: Annotated[Amount, Meta(description="Change for the worse up to which the gate lets it pass")]
    floor: Annotated[Amount, Meta(description="Difference of medians that the clock cannot tell from none")]
    gates: Annotated[bool, Meta(description="Whether the gate rests on it; false: for information")]
    verdict: Annotated[
        Verdict,
        Meta(
            description="regressed, improved: beyond threshold and floor, and p below 0.05; unchanged: neither, and "
            "the interval rules out a regression; inconclusive: under 4 runs a side, or the interval does not"
        ),
    ]
    reason: Annotated[str, Meta(description="What the verdict rests on where the figures do not say; else empty")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Where the runs of a side are from."""

    label: Annotated[str, Meta(description="What the side is called")]
    sources: Annotated[tuple[str, ...], Meta(description="Files, or the words of the command that was run")]
    runs: Annotated[Positive, Meta(description="Runs")]
    disturbed: Annotated[Count, Meta(description="Of these, runs that something disturbed")]
    tool: Annotated[Tool | None, Meta(description="Of its first report; null of commands timed from outside")]
    engine: Annotated[Engine | None, Meta(description="Of its first report; null of commands timed from outside")]
    workload: Annotated[Workload | None, Meta(description="Of its first report; null of commands timed from outside")]
    load: Annotated[Load | None, Meta(description="Of its first report; null of commands timed from outside")]
    host: Annotated[Host | None, Meta(description="Of its first report; null of commands timed from outside")]
    clock: Annotated[Clock | None, Meta(description="Of its first report; null of commands timed from outside")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interleaving:
    """How the runs of both sides were mixed on one host."""

    seed: Annotated[Count, Meta(description="Of the order: with it, --seed gives the same order again")]
    pairs: Annotated[Positive, Meta(description="Pairs asked, each a run of either side")]
    first: Annotated[tuple[Literal["base", "head"], ...], Meta(description="Which side ran first, by pair")]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two sets of runs compared."""

    schema: Annotated[Literal["lowlat.comparison/1"], Meta(description="Kind and version of the document")] = SCHEMA
    status: Annotated[Literal["ok", "interrupted"], Meta(description="interrupted: fewer runs than asked")]
    status_reasons: Annotated[tuple[str, ...], Meta(description="Why the status is not ok")]
    version: Annotated[str, Meta(description="Version of lowlat that compared")]
    command: Annotated[tuple[str, ...], Meta(description="The command line that made the document")]
    base: Side
    head: Side
    interleaving: Annotated[Interleaving | None, Meta(description="null for runs of different times")]
    warnings: Annotated[tuple[str, ...], Meta(description="What weakens the comparison, a line each")]
    metrics: Annotated[tuple[Compared, ...], Meta(min_length=1, description="What was compared, gated metrics too")]
    not_compared: Annotated[tuple[str, ...], Meta(description="What only one side has, a line each")]
    gate: Gate
