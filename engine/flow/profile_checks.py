"""What a profile's types cannot say: keys that contradict each other, and distributions that are none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from lowlat import units
from lowlat.engine.flow.quantiles import VALUE_MAX, check_quantiles, mean
from lowlat.errors import InputError

if TYPE_CHECKING:
    from lowlat.engine.flow.profile import ArrivalProcess, Profile

TICKS_MAX: Final = 1_000_000
LOTS_MAX: Final = 1_000_000
LEVELS_MAX: Final = 1_000

ADDS: Final = ("add", "post_only", "iceberg", "all_or_none", "day", "gtd")
"""Weights of [mix] whose orders rest, and draw a lifetime."""

_INSTEAD: Final = (
    ("quantity.resting", ("quantity.resting_max",)),
    ("quantity.aggressive", ("quantity.aggressive_max",)),
    (
        "placement",
        tuple(f"price.{key}" for key in ("spread", "distance_ticks", "travel_ticks", "travel_ticks_per_1000_commands")),
    ),
    ("aggressive", ("price.through_ticks",)),
)
"""Keys that replace others."""


def check_profile(profile: Profile, keys: Mapping[str, Any]) -> None:
    """Raises `InputError` that names the key. `keys`: those that the file gives."""
    for key, replaced in _INSTEAD:
        for other in replaced:
            if _given(keys, key) and _given(keys, other):
                raise InputError(f"{other} has no meaning beside {key}, which replaces it; remove one of them")
    _check_counts(profile)
    _check_distributions(profile)
    if profile.lifetime:
        _check_lifetime(profile)
    if profile.aggressive and profile.aggressive.clear + profile.aggressive.sweep > 1:
        shares = f"{profile.aggressive.clear:g} + {profile.aggressive.sweep:g}"
        raise InputError(f"aggressive.clear and aggressive.sweep: {shares} is above 1")
    if profile.arrivals:
        check_arrivals(profile.arrivals)


def check_arrivals(due: ArrivalProcess) -> None:
    """Raises `InputError` for a parameter of another process, or arrivals that trigger too many others."""
    from lowlat.engine.flow.profile import BRANCHING_MAX

    if due.process != "burst" and (due.branching is not None or due.decay_spacings is not None):
        raise InputError(f'[arrivals] branching and decay_spacings are for process "burst", not {due.process!r}')
    if due.process != "long-memory" and due.kernels is not None:
        raise InputError(f'[arrivals] kernels is for process "long-memory", not {due.process!r}')
    total = sum(branching for branching, _ in due.kernels or ())
    if total > BRANCHING_MAX:
        raise InputError(
            f"arrivals.kernels: a command triggers {total:g} others in total; at most {BRANCHING_MAX} are possible"
        )


def _given(keys: Mapping[str, Any], key: str) -> bool:
    table, _, name = key.partition(".")
    return table in keys and (not name or name in keys[table])


def _check_counts(profile: Profile) -> None:
    if not any(msgspec.structs.astuple(profile.mix)):
        raise InputError("every weight in [mix] is 0; set at least one")
    if profile.live_orders < profile.symbols and profile.symbols > 1:
        raise InputError(
            f"{units.plural(profile.live_orders, 'live order')} for "
            f"{units.plural(profile.symbols, 'symbol')}; use at least one per symbol"
        )
    if profile.pro_rata > profile.symbols:
        raise InputError(f"{profile.pro_rata} pro-rata books out of {profile.symbols}; use that many or fewer")


def _check_distributions(profile: Profile) -> None:
    if profile.quantity.resting:
        check_quantiles("quantity.resting", profile.quantity.resting, least=1, most=LOTS_MAX)
    if profile.quantity.aggressive:
        check_quantiles("quantity.aggressive", profile.quantity.aggressive, least=1, most=LOTS_MAX)
    if profile.placement:
        for key in ("improve_ticks", "behind_ticks"):
            check_quantiles(f"placement.{key}", getattr(profile.placement, key), least=1, most=TICKS_MAX)
    if profile.aggressive:
        check_quantiles("aggressive.sweep_levels", profile.aggressive.sweep_levels, least=2, most=LEVELS_MAX)


def _check_lifetime(profile: Profile) -> None:
    ends = [band.within_ticks for band in profile.lifetime]
    for at, end in enumerate(ends):
        if (end is None) != (at == len(ends) - 1):
            raise InputError(f"lifetime[{at}].within_ticks: every band but the last needs one, and the last has none")
        if end is not None and at and end <= (ends[at - 1] or 0):
            raise InputError(f"lifetime[{at}].within_ticks: {end} follows {ends[at - 1]}; bands must ascend")
    for at, band in enumerate(profile.lifetime):
        check_quantiles(f"lifetime[{at}].commands", band.commands, least=1, most=VALUE_MAX, complete=False)
    # Little's law: orders live = adds per command times commands lived. Trades end some lives early, so that only twice
    # the number of live orders is surely too many.
    weights = msgspec.structs.asdict(profile.mix)
    adds = sum(weights[act] for act in ADDS) / sum(weights.values())
    if not adds:
        raise InputError(f"lifetime: no weight of an order that rests is above 0; set one of {', '.join(ADDS)}")
    live = adds * min(mean(band.commands, 1) for band in profile.lifetime)
    if live > 2 * profile.live_orders:
        raise InputError(
            f"lifetime: orders that live so long are {live:,.0f} live orders or more, but live_orders is "
            f"{profile.live_orders:,}; use shorter lifetimes or more live orders"
        )
