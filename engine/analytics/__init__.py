"""Price statistics and bulk level updates over arrays of records, exact."""

from lowlat.engine.analytics.records import LEVEL_UPDATE
from lowlat.engine.analytics.vwap import (
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
