"""Events that empty a book: all readers give them alike."""

from __future__ import annotations

from lowlat.engine.feed.records import OrderAction, OrderEvents


def empty_clears(events: OrderEvents) -> None:
    """Zero what an event that clears a book says of an order, since it is about none."""
    cleared = events["action"] == OrderAction.CLEAR
    if cleared.any():
        for name in ("order_id", "other_id", "price", "quantity", "side"):
            events[name][cleared] = 0
