"""What a ring is, and how to wait for it.

Generated from `schema/records.toml` by `make stubs`; not to be edited.
"""

from __future__ import annotations

from enum import IntEnum


class WaitStrategy(IntEnum):
    """What to do while a ring is full (push) or empty (pop)."""

    SPIN = 0
    """Look again at once, for threads that have a CPU each."""
    YIELD = 1
    """After some microseconds let other threads run."""
    FAIL = 2
    """Do not wait: it is an error."""


class RingKind(IntEnum):
    """How many may push into a ring."""

    SPSC = 1
    """One producer."""
    MPSC = 2
    """Many producers."""


class RingFault(IntEnum):
    """Why a block of memory is not the ring that was asked for."""

    NONE = 0
    """It is."""
    SIZE = 1
    """It is shorter or longer than its records take."""
    NOT_A_RING = 2
    """It does not start as a ring does."""
    VERSION = 3
    """It has another format."""
    KIND = 4
    """It is for another number of producers."""
    RECORD_SIZE = 5
    """It is for other records."""
    CAPACITY = 6
    """Its capacity is not a power of two."""
    INDICES = 7
    """Its indices contradict each other."""
