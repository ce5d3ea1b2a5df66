"""Synthetic order flow from a profile and a seed; the same bytes on every machine."""

from __future__ import annotations

from decimal import Decimal, localcontext

import msgspec
import numpy as np
from numpy.typing import NDArray

from lowlat.arguments import checked_number
from lowlat.engine import _core
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import Mix, Profile
from lowlat.engine.flow.quantiles import native_rows, native_share
from lowlat.engine.matching.aligned import aligned_empty
from lowlat.engine.matching.config import ORDERS
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import COMMAND, EXTENDED_COMMAND, MatchAlgorithm
from lowlat.errors import UsageError
from lowlat.reports.model.context import Extent
from lowlat.text import shown

COMMANDS_MAX = 1 << 30
SEED_MAX = 2**64 - 1


def synthetic_flow(profile: Profile, commands: int, seed: int) -> Flow:
    """Generate `commands` commands of this profile, preceded by those that seed its book.

    The generator runs its commands through a matching engine, so it knows which orders are live: it cancels, reduces
    and replaces only live orders, and keeps their number steady. Raises `UsageError` for a count or seed out of
    range.
    """
    if not isinstance(profile, Profile):
        raise UsageError(f"profile: {shown(profile)} is not a Profile; use load_profile")
    commands = checked_number("commands", commands, 1, COMMANDS_MAX)
    seed = checked_number("seed", seed, 0, SEED_MAX)
    array = aligned_empty(profile.live_orders + commands, EXTENDED_COMMAND if profile.has_terms else COMMAND)
    made = _core.generate_flow(_native(profile), seed, array)
    return Flow(
        name=profile.name,
        commands=array,
        seeded=profile.live_orders,
        orders=max(2 * profile.live_orders, ORDERS),
        mix=dict(zip(Mix.__struct_fields__, made.commands, strict=True)),
        instruments=(
            *(Instrument(),) * (profile.symbols - profile.pro_rata),
            *(Instrument(algorithm=MatchAlgorithm.PRO_RATA),) * profile.pro_rata,
        ),
        seed=seed,
        trades=made.trades,
        live_orders=Extent(mean=made.live_sum / commands, peak=made.live_max),
        levels=Extent(mean=made.levels_sum / commands, peak=made.levels_max),
        depth_touched=Extent(mean=made.levels_touched / made.aggressors, peak=made.levels_touched_max)
        if made.aggressors
        else None,
        notes=(profile.description,) if profile.description else (),
    )


def _native(profile: Profile) -> _core.FlowProfile:
    native = _core.FlowProfile()
    native.set_weights(np.array(msgspec.structs.astuple(profile.mix), dtype=np.uint32))
    native.symbols = profile.symbols
    native.live_orders = profile.live_orders
    native.distance_ticks = profile.price.distance_ticks
    native.uniform = int(profile.price.spread == "even")
    native.quantity_max = profile.quantity.resting_max
    native.take_quantity_max = profile.quantity.aggressive_max
    native.take_ticks = profile.price.through_ticks
    native.travel_ticks = profile.price.travel_ticks
    native.travel_per_1000 = profile.price.travel_ticks_per_1000_commands
    native.owners = profile.owners
    native.pro_rata = profile.pro_rata
    native.set_popularity(_popularity(profile.symbols, profile.zipf_exponent))
    native.set_quantities(native_rows(profile.quantity.resting or ()), native_rows(profile.quantity.aggressive or ()))
    _set_market(native, profile)
    return native


def _set_market(native: _core.FlowProfile, profile: Profile) -> None:
    """The tables that look at the book."""
    if placed := profile.placement:
        native.set_placement(
            placed.spread_ticks,
            native_share(placed.improve),
            native_share(placed.join),
            None if placed.new_level is None else native_share(placed.new_level),
            native_rows(placed.improve_ticks),
            native_rows(placed.behind_ticks),
        )
    for band in profile.lifetime:
        native.add_lifetimes(band.within_ticks or 0, native_rows(band.commands))
    if taking := profile.aggressive:
        native.set_aggression(native_share(taking.clear), native_share(taking.sweep), native_rows(taking.sweep_levels))


def _popularity(symbols: int, exponent: float) -> NDArray[np.uint64]:
    """Weight of each symbol by Zipf's law, 2^32 for the first. Decimals, unlike floats, agree on every machine."""
    if exponent == 1:
        return np.uint64(1 << 32) // np.arange(1, symbols + 1, dtype=np.uint64)
    power = -Decimal(exponent)
    with localcontext(prec=30):
        return np.array([max(1, int((1 << 32) * Decimal(rank) ** power)) for rank in range(1, symbols + 1)], np.uint64)
