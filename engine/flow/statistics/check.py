"""Compares a flow with the synthetic flow of a profile, figure by figure, as a `lowlat.profile-check/1` document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from lowlat.bounded import Amount, Count, Positive, Seed
from lowlat.documents import document_fields
from lowlat.engine.flow.statistics.acts import ACTS
from lowlat.engine.flow.statistics.distribution import ks_distance
from lowlat.engine.flow.statistics.measure import FlowStatistics

SCHEMA: Final = "lowlat.profile-check/1"
DIFFERENCE_MAX: Final = 0.1
"""A larger Kolmogorov-Smirnov distance, or difference of two shares, is poor."""
RATIO_MAX: Final = 1.5
"""A figure that is more than this many times the other is poor."""
SHORT_LIFE: Final = 10
"""Commands: an order canceled so soon is short-lived."""
ROUND_LOT: Final = 100
"""Shares in a round lot of a US stock."""
FANO_WINDOWS_S: Final = (0.1, 1.0, 10.0)

Verdict: TypeAlias = Literal["good", "poor", "unknown"]
Measure: TypeAlias = Literal["distribution", "share", "ratio"]
_Value: TypeAlias = float | None


@document_fields(last=("limit", "verdict"))
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFigure:
    """One figure of both flows."""

    figure: Annotated[str, Meta(description="What it is", min_length=1)]
    measure: Annotated[
        Measure,
        Meta(
            description="How the two differ. distribution: the Kolmogorov-Smirnov distance, shown by their medians; "
            "share: the difference; ratio: the larger over the smaller"
        ),
    ]
    flow: Annotated[float | None, Meta(description="Of the flow; null: it has none, or too few samples")]
    profile: Annotated[float | None, Meta(description="Of the profile's flow; null: as for the flow")]
    distance: Annotated[
        Amount | None, Meta(description="How far apart; null: it is not known, because one of the two has no figure")
    ]

    @property
    def limit(self) -> Annotated[Amount, Meta(description="The largest distance of a good fit")]:
        """The largest distance of a good fit."""
        return RATIO_MAX if self.measure == "ratio" else DIFFERENCE_MAX

    @property
    def verdict(
        self,
    ) -> Annotated[
        Verdict,
        Meta(description="good: within the limit; poor: beyond it, or only one has it; unknown: neither has it"),
    ]:
        """Whether the profile fits."""
        if self.distance is None:
            return "unknown" if self.flow is None and self.profile is None else "poor"
        return "good" if self.distance <= self.limit else "poor"


@document_fields(last=("poor",))
@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileCheck:
    """How well a profile fits a flow, as `lowlat profile check --json` prints it."""

    schema: Annotated[Literal["lowlat.profile-check/1"], Meta(description="Kind and version of the document")] = SCHEMA
    profile: Annotated[str, Meta(description="Name of the profile")]
    flow: Annotated[str, Meta(description="Name of the flow")]
    flow_commands: Annotated[Positive, Meta(description="Measured commands of the flow")]
    profile_commands: Annotated[Positive, Meta(description="Measured commands of the profile's flow")]
    seed: Annotated[Seed, Meta(description="Seed of the profile's flow")]
    figures: Annotated[tuple[CheckedFigure, ...], Meta(description="Every figure, in the order of the table")]
    notes: Annotated[tuple[str, ...], Meta(description="What could not be compared, and why")]

    @property
    def poor(self) -> Annotated[Count, Meta(description="Number of figures with a poor fit")]:
        """Number of figures with a poor fit."""
        return sum(figure.verdict == "poor" for figure in self.figures)


def compare_flows(flow: FlowStatistics, profile: FlowStatistics) -> tuple[CheckedFigure, ...]:
    """Every figure of a flow beside that of a profile's flow."""
    return (
        *_mix(flow, profile),
        *(_share(name, of(flow), of(profile)) for name, of in _SHARES.items()),
        *(_distribution(name, sample, flow, profile) for name, sample in _DISTRIBUTIONS.items()),
        *(_ratio(name, of(flow), of(profile)) for name, of in _SCALARS.items()),
        *(_arrivals(flow, profile) if flow.arrivals and profile.arrivals else ()),
    )


def cost_figure(flow_ns: float, profile_ns: float) -> CheckedFigure:
    """The engine's CPU time per command of both flows."""
    return _ratio("CPU time per command, ns", flow_ns, profile_ns)


_SHARES: Final[dict[str, Callable[[FlowStatistics], _Value]]] = {
    "adds inside the spread": lambda flow: flow["add_distance"].share(high=-1),
    "adds at the touch": lambda flow: flow["add_distance"].share(0, 0),
    "adds that start a level": lambda flow: flow["add_ahead"].share(0, 0),
    "cancels that remove their level": lambda flow: flow["queue"].share(1, 1),
    "cancels at the tail of the queue": lambda flow: flow["cancel_behind"].share(0, 0),
    "cancels within 10 commands": lambda flow: flow["cancel_lifetime"].share(high=SHORT_LIFE),
    "adds of round lots": lambda flow: flow["add_quantity"].share_of_multiples(ROUND_LOT),
    "aggressive orders of round lots": lambda flow: flow["aggressive_quantity"].share_of_multiples(ROUND_LOT),
    "aggressive orders that take the touch": lambda flow: _taken(flow, 1),
    "aggressive orders that sweep levels": lambda flow: _taken(flow, 2),
}
_DISTRIBUTIONS: Final = {
    "spread, ticks": "spread",
    "distance of adds from the touch, ticks": "add_distance",
    "distance of cancels from the touch, ticks": "cancel_distance",
    "queue of a canceled order, orders": "queue",
    "lifetime of canceled orders, commands": "cancel_lifetime",
    "size of adds, lots": "add_quantity",
    "size of aggressive orders, lots": "aggressive_quantity",
    "levels that an aggressive order takes": "levels_swept",
    "orders that an aggressive order fills": "makers",
    "share that a reduce takes, percent": "reduce_percent",
}
_SCALARS: Final[dict[str, Callable[[FlowStatistics], _Value]]] = {
    "symbols": lambda flow: int((flow.by_symbol > 0).sum()),
    "live orders, mean": lambda flow: flow["live_orders"].mean,
    "price levels, mean": lambda flow: flow["levels"].mean,
}


def _taken(flow: FlowStatistics, what: int) -> _Value:
    total = sum(flow.taken)
    return flow.taken[what] / total if total else None


def _mix(flow: FlowStatistics, profile: FlowStatistics) -> Iterator[CheckedFigure]:
    for act in ACTS:
        if flow.acts[act] or profile.acts[act]:
            yield _share(f"mix: {act}", flow.acts[act] / flow.commands, profile.acts[act] / profile.commands)


def _arrivals(flow: FlowStatistics, profile: FlowStatistics) -> Iterator[CheckedFigure]:
    one, other = flow.arrivals, profile.arrivals
    if one is None or other is None:
        return
    distance = ks_distance(one.spacings_ns, other.spacings_ns)
    values = [None if (ns := each.spacings_ns.quantile(0.5)) is None else ns / 1e3 for each in (one, other)]
    yield CheckedFigure(
        figure="time between arrivals, us", measure="distribution", flow=values[0], profile=values[1], distance=distance
    )
    for window in FANO_WINDOWS_S:
        yield _ratio(f"Fano factor of arrivals in {window:g} s", one.fano.get(window), other.fano.get(window))
    yield _share("branching of arrivals, at least", one.branching, other.branching)


def _distribution(name: str, sample: str, flow: FlowStatistics, profile: FlowStatistics) -> CheckedFigure:
    one, other = flow[sample], profile[sample]
    return CheckedFigure(
        figure=name,
        measure="distribution",
        flow=one.quantile(0.5),
        profile=other.quantile(0.5),
        distance=_rounded(ks_distance(one, other)),
    )


def _share(name: str, flow: _Value, profile: _Value) -> CheckedFigure:
    distance = None if flow is None or profile is None else abs(flow - profile)
    return _figure(name, "share", flow, profile, distance)


def _ratio(name: str, flow: _Value, profile: _Value) -> CheckedFigure:
    distance = max(flow, profile) / min(flow, profile) if flow and profile else None
    return _figure(name, "ratio", flow, profile, distance)


def _figure(name: str, measure: Measure, flow: _Value, profile: _Value, distance: _Value) -> CheckedFigure:
    return CheckedFigure(
        figure=name, measure=measure, flow=_rounded(flow), profile=_rounded(profile), distance=_rounded(distance)
    )


def _rounded(value: _Value) -> _Value:
    return None if value is None else round(value, 4)
