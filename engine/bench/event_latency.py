"""The time of single events: each is applied alone, between two reads of the processor's counter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.feed.book_builder import BookBuilder
from lowlat.engine.feed.records import OrderAction, OrderEvents
from lowlat.probes.clock.counter import calibrate_quick
from lowlat.reports import _core
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.model.results import Series
from lowlat.reports.model.series import series_of

KEPT_EVENTS: Final = 1 << 21
"""How many of a feed's first events are kept for this: 128 MiB."""


def latencies_of(builder: BookBuilder, blocks: Sequence[OrderEvents]) -> tuple[Series, ...]:
    """Apply blocks event by event: the times of all, then of each action that there is.

    The books are those that `builder` has. Nothing is prefetched, and the two reads of the clock are part of each time.
    """
    ns_per_tick = 1e9 / calibrate_quick().frequency_hz
    times = [builder.apply_timed(block) for block in blocks]
    if not times:
        return ()
    ns = np.rint(np.concatenate(times) * ns_per_tick).astype(np.int64)
    actions = np.concatenate([block["action"] for block in blocks])
    return tuple(_series(ns, actions))


def _series(ns: NDArray[np.int64], actions: NDArray[np.uint8]) -> Iterator[Series]:
    yield _of("all", ns)
    for action in OrderAction:
        if (chosen := actions == action).any():
            yield _of(action.name.lower(), ns[chosen])


def _of(name: str, ns: NDArray[np.int64]) -> Series:
    recorder = _core.Histogram()
    recorder.record_many(np.ascontiguousarray(ns))
    return series_of(name, "service", Histogram.from_native(recorder))
