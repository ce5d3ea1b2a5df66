"""Refines a fitted profile with the flow that it generates.

The spread is no key of a profile: it results from adds, cancels and trades. Whether these keep it as wide as recorded,
and find as much room inside it, depends on how long orders at the touch live. In a recording, orders that improve a
narrow spread are canceled sooner than others; the table of lifetimes has one band for all of them. Two factors make up
for that: one of the lifetimes at the touch, one of `placement.spread_ticks`. A third one is of `live_orders`, of which
the generator keeps somewhat more than the key says while many lives are short.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from lowlat.engine.flow.profile import Profile
from lowlat.engine.flow.profile_checks import TICKS_MAX
from lowlat.engine.flow.quantiles import Quantiles
from lowlat.engine.flow.statistics.check import compare_flows
from lowlat.engine.flow.statistics.fit import Fit
from lowlat.engine.flow.statistics.measure import FlowStatistics, flow_statistics
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.limits import LIVE_ORDERS_MAX

ROUNDS: Final = 6
COMMANDS_MAX: Final = 200_000
"""Commands that a round generates at most."""
CLOSE: Final = 0.02
"""Where both figures are this close to the recorded ones, as a share, no further round is tried."""
_FACTOR_MIN, _FACTOR_MAX = 0.2, 5.0
_SEED: Final = 1


@dataclass(frozen=True, slots=True)
class _Factors:
    lifetime: float = 1.0
    spread: float = 1.0
    live: float = 1.0

    def bounded(self) -> _Factors:
        factors = (self.lifetime, self.spread, self.live)
        return _Factors(*(min(max(each, _FACTOR_MIN), _FACTOR_MAX) for each in factors))


def refined(fit: Fit, recorded: FlowStatistics, progress: Callable[[float], None] = lambda _: None) -> Fit:
    """The fit whose flow is nearest to the recorded one among those tried; unchanged without placement or lifetimes."""
    inside, spread = recorded["add_distance"].share(high=-1), recorded["spread"].mean
    if fit.profile.placement is None or not fit.profile.lifetime or not inside or not spread:
        return fit
    factors, tried = _Factors(), []
    for round_ in range(ROUNDS):
        profile = _scaled(fit.profile, factors)
        made = flow_statistics(synthetic_flow(profile, min(recorded.commands, COMMANDS_MAX), _SEED))
        tried.append((_distance(recorded, made), factors, profile))
        progress((round_ + 1) / ROUNDS)
        inside_ratio = (made["add_distance"].share(high=-1) or inside) / inside
        spread_ratio = (made["spread"].mean or spread) / spread
        if max(abs(inside_ratio - 1), abs(spread_ratio - 1)) < CLOSE:
            break
        # Shorter lives at the touch leave more room for improvements, and widen the spread on the way.
        factors = _Factors(
            lifetime=factors.lifetime * inside_ratio,
            spread=factors.spread * (inside_ratio / spread_ratio),
            live=factors.live / (_mean_live(made) / _mean_live(recorded)),
        ).bounded()
    _, best, profile = min(tried, key=lambda each: each[0])
    return Fit(profile, (*fit.notes, _note(best)))


def _mean_live(flow: FlowStatistics) -> float:
    return max(1.0, flow["live_orders"].mean or 1.0)


def _note(factors: _Factors) -> str:
    return (
        f"refined by generating: lifetimes at the touch times {factors.lifetime:.2f}, spread_ticks times "
        f"{factors.spread:.2f}, live_orders times {factors.live:.2f}; spread and improvements then result as recorded"
    )


def _distance(recorded: FlowStatistics, made: FlowStatistics) -> float:
    """Sum of the distances of all figures; a ratio counts by its logarithm."""
    figures = [figure for figure in compare_flows(recorded, made) if figure.distance]
    return sum(
        math.log(each.distance) if each.measure == "ratio" else each.distance for each in figures if each.distance
    )


def _scaled(profile: Profile, factors: _Factors) -> Profile:
    touch, *others = profile.lifetime
    placement = profile.placement
    if placement is None:
        return profile
    spread_ticks = min(max(1, round(placement.spread_ticks * factors.spread)), TICKS_MAX)
    return msgspec.structs.replace(
        profile,
        live_orders=max(profile.symbols, min(round(profile.live_orders * factors.live), LIVE_ORDERS_MAX)),
        placement=msgspec.structs.replace(placement, spread_ticks=spread_ticks),
        lifetime=(msgspec.structs.replace(touch, commands=_scaled_rows(touch.commands, factors.lifetime)), *others),
    )


def _scaled_rows(rows: Quantiles, factor: float) -> Quantiles:
    """The rows with values times a factor; of several that become equal, the last counts."""
    scaled = {max(1, round(value * factor)): share for value, share in rows}
    return tuple(scaled.items())
