"""The last pass of a run, which keeps every event: for the digest, and to check the measured passes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from lowlat.engine import _core
from lowlat.engine.matching.interface import Executes
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import EVENT, Commands, Events, ExecType, Reason

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
    golden_part: str | None = None
    """SHA-256 of the events up to the commands that have a golden digest."""

    def ends_as(self, tail: bytes) -> bool:
        """Whether another pass ended with the same bytes. Always true for a pass that kept no events."""
        return self.tail.endswith(tail)


def digest_events(engine: Executes, seeding: Commands, measured: Commands, golden_commands: int = 0) -> EventDigest:
    """Execute both on an empty engine, part by part. `golden_commands`: where `golden_part` ends; 0 for none."""
    seeded = _processed(engine, seeding)
    digest, hashed = hashlib.sha256(seeded.tobytes()), _core.EventHash()
    events = rejected = refusals = 0
    tail, golden_part = b"", None
    cuts = sorted({*range(0, len(measured), CHUNK_COMMANDS), golden_commands, len(measured)})
    for start, end in pairwise(cuts):
        part = _processed(engine, measured[start:end])
        raw = part.tobytes()
        digest.update(raw)
        hashed.add(part)
        tail = (tail + raw)[-TAIL_BYTES:]
        events += len(part)
        rejected += int(np.count_nonzero(part["kind"] == ExecType.REJECTED))
        refusals += int(np.count_nonzero(np.isin(part["reason"], POOL_FULL)))
        if end == golden_commands:
            golden_part = digest.hexdigest()
    return EventDigest(
        digest.hexdigest(), len(seeded) + events, hashed.value, events, rejected, refusals, tail, golden_part
    )


def _processed(engine: Executes, commands: Commands) -> Events:
    """The events. Those of other engines than the native one have their padding, which is part of the digest, zeroed:
    numpy leaves it as it was when it copies a record.
    """
    events = engine.process(commands)
    if type(engine) is Engine:
        return events
    zeroed = np.zeros(len(events), dtype=EVENT)
    zeroed[:] = events
    return zeroed
