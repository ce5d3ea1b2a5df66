"""The ablation document: what each technique is worth on one host. Plain frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from lowlat.bounded import Count, Positive, Seed
from lowlat.reports.model.comparison import Compared, Verdict
from lowlat.reports.model.context import Clock, Host, Tool
from lowlat.reports.model.results import HardwareCounters

SCHEMA: Final = "lowlat.ablation/1"
CONTROL: Final = "control"
"""The technique that is none: the same variant twice."""

Outcome: TypeAlias = Literal["helps", "hurts", "no difference seen", "inconclusive", "not available"]
OUTCOMES: Final[Mapping[Verdict, Outcome]] = {
    "improved": "helps",
    "regressed": "hurts",
    "unchanged": "no difference seen",
    "inconclusive": "inconclusive",
}
"""What the gate's verdict says of a technique, if the runs with it are compared with those without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueEffect:
    """A technique, with it and without."""

    name: Annotated[str, Meta(description="What --only takes; control: the same variant twice")]
    title: Annotated[str, Meta(description="The technique")]
    why: Annotated[str, Meta(description="Why it should help, in a sentence")]
    mechanism: Annotated[str, Meta(description="What happens in the machine")]
    with_it: Annotated[str, Meta(description="The variant that lowlat uses")]
    without: Annotated[str, Meta(description="The naive variant of the same code")]
    limits: Annotated[str, Meta(description="Where it does not help")]
    operation: Annotated[str, Meta(description="What the figures are per")]
    operations: Annotated[Positive, Meta(description="Operations of a pass")]
    outcome: Annotated[
        Outcome,
        Meta(
            description="helps, hurts: beyond the threshold, and p below the significance; no difference seen: "
            "neither, and the interval rules out either; inconclusive: under 4 pairs, or it does not"
        ),
    ]
    reason: Annotated[str, Meta(description="Why, where the figures do not say; else empty")]
    pairs: Annotated[Count, Meta(description="Runs with it, and as many without")]
    first: Annotated[
        tuple[Literal["with", "without"], ...], Meta(description="Which variant ran first, by pair, in order")
    ]
    effects: Annotated[
        tuple[Compared, ...],
        Meta(
            description="Each figure, base being without the technique and head with it. The first decides, and gates; "
            "the others are for information. Empty if not available"
        ),
    ]
    counters_with: Annotated[
        HardwareCounters | None, Meta(description="The processor's events per operation; null: see counters_absent")
    ]
    counters_without: Annotated[HardwareCounters | None, Meta(description="The same without")]
    counters_absent: Annotated[str | None, Meta(description="Why there are no counters; null if there are")]

    @property
    def decisive(self) -> Compared | None:
        """The figure that decides; None if it was not measured."""
        return self.effects[0] if self.effects else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ablation:
    """Techniques that were measured interleaved, and the control."""

    schema: Annotated[Literal["lowlat.ablation/1"], Meta(description="Kind and version of the document")] = field(
        default=SCHEMA
    )
    status: Annotated[Literal["ok", "interrupted"], Meta(description="interrupted: fewer rounds than the time allowed")]
    status_reasons: Annotated[tuple[str, ...], Meta(description="Why the status is not ok")]
    quick: Annotated[bool, Meta(description="Whether fewer and shorter runs were made: good for a first look only")]
    tool: Tool
    command: Annotated[tuple[str, ...], Meta(description="The command line that made the document")]
    started: Annotated[str, Meta(description="When it began, UTC")]
    host: Host
    other_cpu: Annotated[Count | None, Meta(description="CPU of the second thread of techniques that need two")] = None
    clock: Clock
    engine: Annotated[str, Meta(description="What was measured: native, or the engine of somebody else")] = "native"
    profile: Annotated[str, Meta(description="Order flow of the techniques that an engine is measured with")]
    seed: Annotated[Seed, Meta(description="Random seed of the flow, of the pieces, and of the order of the runs")]
    rounds: Annotated[
        Count, Meta(description="Rounds made: each has a pair of every technique, and two of the control")
    ]
    rounds_max: Annotated[Positive, Meta(description="Rounds that were to be made if the time allowed")]
    significance: Annotated[
        float,
        Meta(
            gt=0,
            le=0.5,
            description="The p below which a technique's difference is significant: the gate's 0.05, shared out "
            "among all techniques there are, so that it is the chance of any wrong claim in a table of them all, and a "
            "verdict does not depend on which others were chosen; intervals have 1 - this",
        ),
    ]
    techniques: Annotated[
        tuple[TechniqueEffect, ...], Meta(min_length=1, description="In the order of the catalog, the control last")
    ]
