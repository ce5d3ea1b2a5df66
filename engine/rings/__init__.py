"""Bounded, lock-free queues of records between threads and processes."""

from lowlat.engine.rings.records import WaitStrategy
from lowlat.engine.rings.ring import MpscRing, Ring, SpscRing

__all__ = ["MpscRing", "Ring", "SpscRing", "WaitStrategy"]
