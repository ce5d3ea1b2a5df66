"""The events of a stream as columns, those of each symbol by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat import units
from lowlat.engine.feed.records import OrderAction
from lowlat.engine.feed.stream import OrderEventStream
from lowlat.engine.matching.records import SYMBOLS_MAX
from lowlat.errors import InputError

Column: TypeAlias = NDArray[Any]
"""Integers of any width."""


@dataclass(frozen=True, eq=False, slots=True)
class EventColumns:
    """Events of one symbol in the file's order: one array of shape (n,) a field of `ORDER_EVENT`, as narrow as can be.

    `places`: of each event, where it stands among those of all symbols; None: there is one symbol.
    """

    time_ns: Column
    row: Column
    order_id: Column
    other_id: Column
    price: Column
    quantity: Column
    action: Column
    side: Column
    flags: Column
    places: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.row)

    def largest_id(self) -> int:
        """The largest order id that is named."""
        return max(int(self.order_id.max(initial=0)), int(self.other_id.max(initial=0)))

    def aggressors(self) -> frozenset[int]:
        """The ids of orders that are added and that executions name as the aggressive one."""
        of_trades = self.other_id[(self.action == OrderAction.EXECUTE) & (self.other_id != 0)]
        if not len(of_trades):
            return frozenset()
        return frozenset(np.intersect1d(of_trades, self.order_id[self.action == OrderAction.ADD]).tolist())

    def without_orders(self) -> EventColumns:
        """Only the times, rows and places: all that is asked for when commands are complete."""
        none = np.empty(0, np.uint8)
        return EventColumns(self.time_ns, self.row, none, none, none, none, none, none, none, self.places)


def columns_of(stream: OrderEventStream) -> list[EventColumns]:
    """All events of a stream, by symbol number; symbols without events have empty columns.

    Raises `InputError` for more symbols than an engine holds, and what reading the stream raises.
    """
    names = [name for name in (*EventColumns.__dataclass_fields__, "symbol") if name != "places"]
    parts: dict[str, list[Column]] = {name: [np.empty(0, np.uint8)] for name in names}
    for block in stream.blocks:
        for name, part in parts.items():
            part.append(_narrow(block[name]))
    joined = {}
    for name in names:
        joined[name] = np.concatenate(parts.pop(name))
    symbols = max(1, len(stream.symbols), int(joined["symbol"].max(initial=0)) + 1)
    if symbols > SYMBOLS_MAX:
        raise InputError(
            f"{stream.path}: it has {units.counted(symbols, 'symbol')}, and an engine holds at most {SYMBOLS_MAX:,}; "
            "choose some of them"
        )
    return _by_symbol(joined, symbols)


def _narrow(column: Column) -> Column:
    """A copy in four bytes a number, if they are enough: columns of a long recording are what takes memory."""
    narrow = {np.dtype("<u8"): np.dtype("<u4"), np.dtype("<i8"): np.dtype("<i4")}.get(column.dtype)
    if narrow is None or not len(column):
        return column.copy()
    limits = np.iinfo(narrow)
    fits = limits.min <= int(column.min()) and int(column.max()) <= limits.max
    return column.astype(narrow if fits else column.dtype)


def _by_symbol(columns: dict[str, NDArray[Any]], symbols: int) -> list[EventColumns]:
    symbol = columns.pop("symbol")
    if symbols == 1:
        return [EventColumns(**columns)]
    order = np.argsort(symbol, kind="stable")
    ends = np.cumsum(np.bincount(symbol, minlength=symbols))
    rows = np.split(order, ends[:-1])
    return [EventColumns(**{name: column[at] for name, column in columns.items()}, places=at) for at in rows]
