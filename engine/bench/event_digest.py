"""The last pass of a run, which keeps every event: for the digest, and to check the measured passes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np

from lowlat.engine import _core
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.records import EVENT, Commands, ExecType, Reason

CHUNK_COMMANDS: Final = 1 << 16
TAIL_BYTES: Final = 1024 * EVENT.itemsize
"""At least the size of a measured pass's event ring."""
POOL_FULL: Final = (Reason.ORDER_POOL_FULL, Reason.TRADE_POOL_FULL)


@dataclass(frozen=True, slots=True)
class EventDigest:
    """A summary of a flow's events. Only `sha256` and `total_events` include those of the seeding commands."""

    sha256: str
    """As hexadecimal digits."""
    total_events: int
    event_hash: int
    """See `_core.EventHash`."""
    events: int
    rejected: int
    refusals: int
    """Commands rejected because a pool was full."""
    tail: bytes
    """The last events."""

    def ends_as(self, tail: bytes) -> bool:
        """Whether another pass ended with the same bytes. Always true for a pass that kept no events."""
        return self.tail.endswith(tail)


def digest_events(engine: MatchingEngine, seeding: Commands, measured: Commands) -> EventDigest:
    """Execute both on an empty engine, part by part."""
    seeded = engine.process(seeding)
    digest, hashed = hashlib.sha256(seeded.tobytes()), _core.EventHash()
    events = rejected = refusals = 0
    tail = b""
    for start in range(0, len(measured), CHUNK_COMMANDS):
        part = engine.process(measured[start : start + CHUNK_COMMANDS])
        raw = part.tobytes()
        digest.update(raw)
        hashed.add(part)
        tail = (tail + raw)[-TAIL_BYTES:]
        events += len(part)
        rejected += int(np.count_nonzero(part["kind"] == ExecType.REJECTED))
        refusals += int(np.count_nonzero(np.isin(part["reason"], POOL_FULL)))
    return EventDigest(digest.hexdigest(), len(seeded) + events, hashed.value, events, rejected, refusals, tail)
