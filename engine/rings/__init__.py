"""Bounded queues of records between threads and processes, without locks."""

from lowlat.engine.rings.ring import (
    CapacityError,
    MpscRing,
    RecordArrayError,
    Ring,
    RingBusyError,
    RingClosedError,
    RingEmptyError,
    RingFileError,
    RingFormatError,
    RingFullError,
    RingStalledError,
    SpscRing,
    WaitStrategy,
)

__all__ = [
    "CapacityError",
    "MpscRing",
    "RecordArrayError",
    "Ring",
    "RingBusyError",
    "RingClosedError",
    "RingEmptyError",
    "RingFileError",
    "RingFormatError",
    "RingFullError",
    "RingStalledError",
    "SpscRing",
    "WaitStrategy",
]
