"""A LOBSTER message file as events, as plainly as it can be said."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import numpy as np

from lowlat.engine.feed.records import ORDER_EVENT, OrderAction, OrderEvents
from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.engine.flow.readers.lobster.file import Messages, MessageType, read_messages
from lowlat.engine.flow.readers.lobster.flow import never_added
from lowlat.engine.matching.records import Side

_ACTIONS = {
    MessageType.ADD: OrderAction.ADD,
    MessageType.PARTIAL_CANCEL: OrderAction.REDUCE,
    MessageType.DELETE: OrderAction.CANCEL,
    MessageType.EXECUTION: OrderAction.EXECUTE,
    MessageType.HIDDEN_EXECUTION: OrderAction.TRADE,
    MessageType.CROSS_TRADE: OrderAction.CROSS,
    MessageType.HALT: OrderAction.PHASE,
}


def events_of(messages: Messages) -> OrderEvents:
    """One event a row."""
    events = np.zeros(len(messages.type), dtype=ORDER_EVENT)
    events["row"] = np.arange(1, len(events) + 1)
    events["time_ns"], events["order_id"], events["price"] = messages.time, messages.order_id, messages.price
    events["quantity"] = messages.size
    events["action"] = [_ACTIONS[MessageType(kind)] for kind in messages.type.tolist()]
    events["side"] = np.where(messages.direction == 1, Side.BUY, Side.SELL)
    return events


def with_unseen(messages: Messages, events: OrderEvents) -> OrderEvents:
    """With the orders that the file names but never adds, entered when their ids say that they arrived."""
    orders = never_added(messages)
    unseen = np.zeros(len(orders), dtype=ORDER_EVENT)
    unseen["action"] = OrderAction.ADD
    unseen["order_id"] = [order.order_id for order in orders]
    unseen["side"] = [Side.BUY if order.place[0] == 1 else Side.SELL for order in orders]
    unseen["price"] = [order.place[1] for order in orders]
    unseen["quantity"] = [order.size for order in orders]
    return np.insert(events, [order.row for order in orders], unseen)


def open_lobster(path: Path, _options: ReadOptions) -> OrderEventStream:
    """As a reader opens it; in blocks of 700 rows."""
    events = events_of(read_messages(path))
    return OrderEventStream(
        path=path,
        noun="LOBSTER file",
        unit=Decimal("0.0001"),
        time_base="midnight",
        blocks=(events[first : first + 700] for first in range(0, len(events), 700)),
        symbols=[path.name],
        messages=Counter({"row": len(events)}),
    )
