"""Bounded queues of records between threads and processes, without locks."""

from lowlat.engine.rings.ring import (
    MpscRing,
    Ring,
    SpscRing,
    WaitStrategy,
)

__all__ = [
    "MpscRing",
    "Ring",
    "SpscRing",
    "WaitStrategy",
]
