"""Price statistics and bulk level updates over arrays of records, exact."""

from lowlat.engine.analytics.vwap import (
    LEVEL_UPDATE,
    Vwap,
    apply_level_updates,
    level_updates,
    notional,
    vwap,
    vwap_of,
)

__all__ = [
    "LEVEL_UPDATE",
    "Vwap",
    "apply_level_updates",
    "level_updates",
    "notional",
    "vwap",
    "vwap_of",
]
