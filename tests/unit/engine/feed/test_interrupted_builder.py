"""Ctrl-C while a long array is applied: it ends between two events, and the builder can go on."""

from __future__ import annotations

import signal

import numpy as np
import pytest

from lowlat.engine.feed.book_builder import BLOCK_EVENTS, BookBuilder
from lowlat.engine.feed.records import ORDER_EVENT, OrderAction


class StoppedError(Exception):
    """What the handler raises."""


def test_a_signal_ends_it_between_two_blocks() -> None:
    events = np.zeros(64 * BLOCK_EVENTS, dtype=ORDER_EVENT)
    events["action"] = OrderAction.ADD
    events["order_id"], events["quantity"] = np.arange(len(events)), 1
    builder = BookBuilder()

    def handler(_number: int, _frame: object) -> None:
        raise StoppedError

    before = signal.signal(signal.SIGVTALRM, handler)
    try:
        with pytest.raises(StoppedError):
            # The timer counts this process's own CPU time, of which all events take several times as much.
            signal.setitimer(signal.ITIMER_VIRTUAL, 0.02)
            builder.apply(events)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    assert builder.counts.live_orders % BLOCK_EVENTS == 0
    done = builder.counts.live_orders
    builder.apply(events[done : done + 10])
    assert builder.counts.live_orders == done + 10
    builder.check_invariants()
