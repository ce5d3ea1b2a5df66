"""Sides and prices that a feed leaves to its reader to remember: those of the order that an event names. By sorting."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.feed.records import OrderAction, OrderEventFlag
from lowlat.engine.flow.recording.columns import EventColumns
from lowlat.engine.flow.recording.model import Ints

_NAMING: Final = np.isin(
    np.arange(256), [OrderAction[name] for name in ("ADD", "REDUCE", "CANCEL", "EXECUTE", "REPLACE", "UPSERT")]
)
_ENTERING: Final = np.isin(np.arange(256), [OrderAction.ADD, OrderAction.UPSERT])
_UNTOLD: Final = OrderEventFlag.NO_SIDE | OrderEventFlag.NO_PRICE


def completed(events: EventColumns) -> tuple[EventColumns, int]:
    """One symbol's events, each with the side and the price of its order where the feed tells neither (`NO_SIDE`,
    `NO_PRICE`); and how many are left out, because no event says on which side their order was.
    """
    untold = (events.flags & _UNTOLD != 0) & _NAMING[events.action]
    if not untold.any():
        return events, 0
    entry = _entries(events)
    side, price = events.side.copy(), events.price.copy()
    origin = _first_entries(events, entry)
    known = origin >= 0
    sideless = untold & (events.flags & OrderEventFlag.NO_SIDE != 0)
    side[sideless & known] = events.side[origin[sideless & known]]
    priceless = untold & (events.flags & OrderEventFlag.NO_PRICE != 0) & (entry >= 0)
    price[priceless] = events.price[entry[priceless]]
    kept = ~(sideless & ~known)
    whole = replace(events, side=side, price=price)
    return (whole, 0) if kept.all() else (_only(whole, kept), int(np.count_nonzero(~kept)))


def _entries(events: EventColumns) -> Ints:
    """For each event the one with which its order entered: an add, or the replacement of another; -1: none, or itself
    names no order. An order that an event enters is not the one that it names.
    """
    at = np.flatnonzero(_NAMING[events.action])
    new = np.flatnonzero(events.action == OrderAction.REPLACE)
    rows = np.concatenate((at, new))
    ids = np.concatenate((events.order_id[at], events.other_id[new]))
    enters = np.concatenate((_ENTERING[events.action[at]], np.ones(len(new), bool)))
    order = np.lexsort((enters, rows, ids))  # what a replacement takes out comes before what it enters
    rows, ids, enters, told = rows[order], ids[order], enters[order], order < len(at)
    last = np.maximum.accumulate(np.where(enters, np.arange(len(rows)), -1))
    found = np.where((last >= 0) & (ids[last] == ids), rows[last], -1)
    entry = np.full(len(events), -1, np.int64)
    entry[rows[told]] = found[told]
    return entry


def _first_entries(events: EventColumns, entry: Ints) -> Ints:
    """For each event the one that tells the side of its order: replacements have that of the order before; -1: none."""
    replacing = (events.action == OrderAction.REPLACE) & (events.flags & OrderEventFlag.NO_SIDE != 0)
    origin = entry.copy()
    while True:
        further = np.flatnonzero((origin >= 0) & replacing[origin])
        if not len(further):
            return origin
        origin[further] = origin[origin[further]]


def _only(events: EventColumns, kept: NDArray[np.bool_]) -> EventColumns:
    names = [name for name in EventColumns.__dataclass_fields__ if name != "places"]
    places = np.flatnonzero(kept) if events.places is None else events.places[kept]
    return EventColumns(**{name: getattr(events, name)[kept] for name in names}, places=places)
