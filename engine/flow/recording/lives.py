"""What a whole file tells of each order: which event names it last, and which orders no event adds. By sorting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.feed.records import OrderAction
from lowlat.engine.flow.recording.columns import EventColumns
from lowlat.engine.flow.recording.model import Ints

_NAMING: Final = np.isin(
    np.arange(256), [OrderAction[name] for name in ("ADD", "REDUCE", "CANCEL", "EXECUTE", "REPLACE", "UPSERT")]
)
_TAKING: Final = np.isin(np.arange(256), [OrderAction.REDUCE, OrderAction.CANCEL, OrderAction.EXECUTE])
_GONE: Final = np.isin(np.arange(256), [OrderAction.CANCEL, OrderAction.REPLACE])


@dataclass(slots=True)
class Unseen:
    """An order that the file names but never adds. It enters before event `index`; events from `first` on name it."""

    order_id: int
    index: int
    first: int
    last: int
    side: int
    price: int
    quantity: int


@dataclass(frozen=True, eq=False, slots=True)
class Lives:
    """The lives of orders; an id that is added again begins a new one.

    `last` int64 (n,): for the order that enters at an event, the last event that names it. `again` bool (n,): whether
    that order's id was used before. `unseen`: by id.
    """

    last: Ints
    again: NDArray[np.bool_]
    unseen: list[Unseen]


def lives_of(events: EventColumns, *, by_arrival: bool) -> Lives:
    """The lives in one symbol's events. `by_arrival`: ids grow as orders arrive."""
    at = np.flatnonzero(_NAMING[events.action])
    new = np.flatnonzero(events.action == OrderAction.REPLACE)
    told = len(at)
    at = np.concatenate((at, new))
    ids = np.concatenate((events.order_id[at[:told]], events.other_id[new]))
    order = np.lexsort((at, ids)) if len(new) else np.argsort(ids, kind="stable")
    at, ids, replacing = at[order], ids[order], order >= told
    del order  # a long recording has columns of tens of megabytes
    entering = replacing | (events.action[at] == OrderAction.ADD)
    first = np.ones(len(at), bool)
    first[1:] = ids[1:] != ids[:-1]
    entering |= first & (events.action[at] == OrderAction.UPSERT)
    heads = np.flatnonzero(first | entering)
    lengths = np.diff(np.append(heads, len(at)))
    final = np.repeat(at[heads + lengths - 1], lengths)
    last = np.zeros(len(events), np.int64)
    again = np.zeros(len(events), bool)
    for chosen in (~replacing, replacing):  # the new order of a replacement is the one that enters
        last[at[chosen]] = final[chosen]
        again[at[chosen]] = ~first[chosen]
    unseen = ~entering[heads]
    inside = np.repeat(unseen, lengths)
    return Lives(last, again, _unseen(events, at[inside], lengths[unseen], by_arrival=by_arrival))


def _unseen(events: EventColumns, at: Ints, lengths: Ints, *, by_arrival: bool) -> list[Unseen]:
    """The orders of lives that no event begins: `at`, the events of each in a row, `lengths` of them."""
    if not len(lengths):
        return []
    starts = np.cumsum(lengths) - lengths
    gone = _GONE[events.action[at]].astype(np.int64)
    gone_before = np.cumsum(gone) - gone
    alive = gone_before == np.repeat(gone_before[starts], lengths)
    taken = np.where(alive & _TAKING[events.action[at]], events.quantity[at].astype(np.int64), 0)
    quantity = np.add.reduceat(taken, starts)
    first = at[starts]
    columns = (
        events.order_id[first],
        _entries(events, first) if by_arrival else np.zeros(len(first), np.int64),
        first,
        at[starts + lengths - 1],
        events.side[first],
        events.price[first],
        quantity,
    )
    found = [Unseen(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    return found if by_arrival else sorted(found, key=lambda order: order.first)


def _entries(events: EventColumns, first: Ints) -> Ints:
    """Before which event each enters: the first add with a larger id, or its own first event.

    0 if the file's first add has a larger id, or no add has: it was there before.
    """
    adds = np.flatnonzero(events.action == OrderAction.ADD)
    if not len(adds):
        return np.zeros(len(first), np.int64)
    newest = np.maximum.accumulate(events.order_id[adds])
    newer = np.searchsorted(newest, events.order_id[first], side="right")
    entry = np.append(adds, len(events))[newer]
    return np.where(newer == 0, 0, np.minimum(entry, first))
