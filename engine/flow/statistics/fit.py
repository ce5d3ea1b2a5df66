"""Fits a profile to the statistics of a flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from lowlat import units
from lowlat.engine.flow.profile import Aggressive, Lifetime, Mix, OrderPlacement, Profile, Quantity
from lowlat.engine.flow.profile_checks import LEVELS_MAX, LOTS_MAX, TICKS_MAX, check_profile
from lowlat.engine.flow.quantiles import VALUE_MAX
from lowlat.engine.flow.recording import Ints
from lowlat.engine.flow.records import OrderLives
from lowlat.engine.flow.statistics.arrivals_fit import fit_arrivals
from lowlat.engine.flow.statistics.distribution import Distribution
from lowlat.engine.flow.statistics.measure import FlowStatistics
from lowlat.engine.flow.statistics.quantile_rows import lifetime_rows, rows_of
from lowlat.errors import UsageError
from lowlat.limits import LIVE_ORDERS_MAX

COMMANDS_MIN: Final = 1_000
ADDS_MIN: Final = 200
"""A shorter flow is no basis for a profile: its distributions would show single orders."""
SAMPLES_MIN: Final = 50
"""With fewer samples, a distribution is not fitted."""
BANDS_FITTED: Final = 8
"""Bands of lifetimes; each has at least `ADDS_MIN` orders."""
_ENDLESS: Final = ((1, 0.0),)
"""Lifetimes of a band in which no order was canceled."""
ZIPF_EXPONENTS: Final = np.linspace(0, 4, 401)


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted profile, and what it does not say: what the flow lacks, and what was assumed instead."""

    profile: Profile
    notes: tuple[str, ...]


def check_length(statistics: FlowStatistics, purpose: str) -> None:
    """Raise `UsageError` for a flow too short for its figures to mean anything. `purpose`: a verb, for the message."""
    adds = statistics["add_quantity"].total
    if statistics.commands < COMMANDS_MIN or adds < ADDS_MIN:
        raise UsageError(
            f"the flow is too short to {purpose}: {units.counted(statistics.commands, 'command')}, of which {adds:,} "
            f"add an order that rests; use one with at least {COMMANDS_MIN:,} and {ADDS_MIN:,}"
        )


def fit_profile(statistics: FlowStatistics, name: str = "fitted") -> Fit:
    """The profile whose synthetic flow resembles the measured one. Raises `UsageError` for a flow too short to fit."""
    check_length(statistics, "fit")
    symbols = int(np.count_nonzero(statistics.by_symbol))
    profile = Profile(
        name=name,
        description=f"fitted to {units.counted(statistics.commands, 'recorded command')}",
        symbols=symbols,
        zipf_exponent=_zipf_exponent(statistics.by_symbol) if symbols > 1 else 1.0,
        pro_rata=statistics.pro_rata,
        live_orders=max(symbols, min(round(statistics["live_orders"].mean or 1), LIVE_ORDERS_MAX)),
        mix=_mix(statistics),
        quantity=_quantity(statistics),
        placement=_placement(statistics),
        lifetime=_lifetimes(statistics.lives),
        aggressive=_aggressive(statistics),
        arrivals=fit_arrivals(statistics.arrivals) if statistics.arrivals else None,
    )
    check_profile(profile, {})
    return Fit(profile, tuple(_notes(statistics)))


def _mix(statistics: FlowStatistics) -> Mix:
    """Weights in ten-thousandths of the commands; what occurs at all has at least one."""
    return Mix(
        **{act: max(1, round(10_000 * count / statistics.commands)) for act, count in statistics.acts.items() if count}
    )


def _zipf_exponent(by_symbol: Ints) -> float:
    """The likeliest exponent, to two digits."""
    counts = np.sort(by_symbol[by_symbol > 0])[::-1]
    logs = np.log(np.arange(1, len(counts) + 1))
    likelihoods = [
        -exponent * float(counts @ logs) - counts.sum() * float(np.log(np.exp(-exponent * logs).sum()))
        for exponent in ZIPF_EXPONENTS
    ]
    return round(float(ZIPF_EXPONENTS[int(np.argmax(likelihoods))]), 2)


def _quantity(statistics: FlowStatistics) -> Quantity:
    aggressive = _first_known(statistics["small_aggressive_quantity"], statistics["aggressive_quantity"])
    return Quantity(
        resting=rows_of(statistics["add_quantity"], 1, LOTS_MAX),
        aggressive=rows_of(aggressive, 1, LOTS_MAX) if aggressive else None,
    )


def _first_known(*distributions: Distribution) -> Distribution | None:
    return next((each for each in distributions if each.total >= SAMPLES_MIN), None)


def _placement(statistics: FlowStatistics) -> OrderPlacement | None:
    distance, spread = statistics["add_distance"], statistics["add_spread"]
    if distance.total < SAMPLES_MIN or spread.total < SAMPLES_MIN:
        return None
    better, behind = _improvements(distance), _part(distance, 1)
    others = 1 - (distance.share(high=-1) or 0)
    return OrderPlacement(
        spread_ticks=min(spread.quantile(0.5) or 1, TICKS_MAX),
        improve=_improve(better.total / distance.total, spread),
        join=round((distance.share(0, 0) or 0) / others, 4) if others else 0,
        improve_ticks=rows_of(better, 1, TICKS_MAX) if better.total >= SAMPLES_MIN else ((1, 1.0),),
        behind_ticks=rows_of(behind, 1, TICKS_MAX) if behind.total >= SAMPLES_MIN else ((1, 1.0),),
        new_level=round(statistics["behind_ahead"].share(0, 0) or 0, 4) if behind.total >= SAMPLES_MIN else None,
    )


def _improve(share: float, spread: Distribution) -> float:
    """The parameter at which this share of adds improves, given the spreads that they found.

    The share in a spread is proportional to it, and 0 in a spread of one tick, which cannot be improved.
    """
    wide = _part(spread, 2)
    if not wide.total:
        return 0.0
    mean = float(wide.values @ wide.counts) / spread.total
    return round(min(1.0, share * (spread.quantile(0.5) or 1) / mean), 4)


def _part(distribution: Distribution, least: int) -> Distribution:
    chosen = distribution.values >= least
    return Distribution(distribution.values[chosen], distribution.counts[chosen])


def _improvements(distance: Distribution) -> Distribution:
    better = distance.values < 0
    return Distribution(-distance.values[better][::-1], distance.counts[better][::-1])


def _lifetimes(lives: OrderLives) -> tuple[Lifetime, ...]:
    """One band for adds at the touch or better, and bands of about equally many behind it."""
    lives = lives[lives["placed"] == 1]
    distance = lives["distance"]
    edges = _band_edges(Distribution.of(distance[distance > 0]))
    bands = np.searchsorted(edges, distance.clip(0))
    rows = [lifetime_rows(lives[bands == band], VALUE_MAX) for band in range(len(edges) + 1)]
    if not any(rows):
        return ()
    ends = [*edges, None]
    return tuple(Lifetime(within_ticks=end, commands=each or _ENDLESS) for end, each in zip(ends, rows, strict=True))


def _band_edges(behind: Distribution) -> list[int]:
    """Where bands end: 0, then quantiles of the distances behind the touch, and nothing for the last band."""
    count = min(BANDS_FITTED - 1, behind.total // ADDS_MIN)
    if not count:
        return []
    edges = {0, *(behind.quantile(number / count) or 0 for number in range(1, count))}
    return sorted(edge for edge in edges if edge < int(behind.values[-1]))


def _aggressive(statistics: FlowStatistics) -> Aggressive | None:
    total = sum(statistics.taken)
    if total < SAMPLES_MIN:
        return None
    _, whole, several = statistics.taken
    swept = _part(statistics["levels_swept"], 2)
    return Aggressive(
        clear=_floored(whole / total),
        sweep=_floored(several / total),
        sweep_levels=rows_of(swept, 2, LEVELS_MAX) if swept.total else ((2, 1.0),),
    )


def _floored(share: float) -> float:
    """A share with four digits; two that add up to 1 must not exceed it."""
    return int(share * 10_000) / 10_000


def _notes(statistics: FlowStatistics) -> Iterator[str]:
    acts = statistics.acts
    if statistics.arrivals is not None:
        yield f"the flow had {statistics.arrivals.rate_per_s:,.4g} commands/s; [arrivals] leaves the rate to the run"
    else:
        yield "the flow has no arrival times: [arrivals] is left out, and a run is a closed loop"
    if not acts["cancel"]:
        yield "the flow has no cancels: [[lifetime]] is left out"
    elif not len(_lifetimes(statistics.lives)):
        yield "no order that the flow enters was canceled: [[lifetime]] is left out, and cancels take any order"
    if not sum(statistics.taken):
        yield "nothing traded on entry: sizes of aggressive orders are not fitted"
    elif sum(statistics.taken) < SAMPLES_MIN:
        yield f"only {units.counted(sum(statistics.taken), 'order')} traded on entry: [aggressive] is left out"
    if np.count_nonzero(statistics.by_symbol) > 1:
        yield "all symbols are fitted together; their activity follows zipf_exponent"
    if statistics.rejected:
        yield f"commands that the engine rejected, and that count nowhere: {statistics.rejected:,}"
    if statistics.participants:
        named = units.counted(statistics.participants, "command")
        yield f"participants are not fitted, so orders do not meet their own: {named}"
    special = [act for act in acts if acts[act] and act not in _FITTED]
    if special:
        yield f"only the share of these is fitted, not their terms: {', '.join(special)}"


_FITTED: Final = frozenset({"add", "post_only", "cancel", "take", "market", "ioc", "fok", "reduce", "replace"})
