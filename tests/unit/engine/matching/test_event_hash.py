"""The hash over a stream of events depends on each byte, each event and their order."""

from __future__ import annotations

import numpy as np

from lowlat.engine import _core
from lowlat.engine.matching.records import EVENT

EVENTS = np.frombuffer(np.random.default_rng(5).bytes(5 * EVENT.itemsize), EVENT)


def hashed(*parts: np.ndarray) -> int:
    whole = _core.EventHash()
    for part in parts:
        whole.add(part)
    return whole.value


def test_equal_streams_are_equal_in_whatever_parts_they_come() -> None:
    assert hashed(EVENTS) == hashed(EVENTS[:2], EVENTS[2:]) == hashed(*(EVENTS[at : at + 1] for at in range(5)))


def test_every_bit_of_every_event_counts() -> None:
    raw = EVENTS.tobytes()
    flipped = set()
    for bit in range(len(raw) * 8):
        other = bytearray(raw)
        other[bit // 8] ^= 1 << bit % 8
        flipped.add(hashed(np.frombuffer(bytes(other), EVENT)))
    assert len(flipped) == len(raw) * 8 and hashed(EVENTS) not in flipped


def test_order_and_number_of_events_count() -> None:
    swapped = EVENTS[[1, 0, 2, 3, 4]]
    repeated = np.concatenate([EVENTS, EVENTS[-1:]])
    assert len({hashed(EVENTS), hashed(swapped), hashed(EVENTS[:-1]), hashed(repeated), hashed()}) == 5
