"""Flows of built-in profiles around fewer orders: each run is compared with the reference engine, which takes most of a
short run's CPU time for the orders that populate the book.
"""

from __future__ import annotations

import msgspec

from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.synthetic import synthetic_flow


def shallow_flow(profile: str, commands: int, seed: int) -> Flow:
    """With a tenth of the profile's live orders."""
    whole = load_profile(profile)
    return synthetic_flow(msgspec.structs.replace(whole, live_orders=whole.live_orders // 10), commands, seed)
