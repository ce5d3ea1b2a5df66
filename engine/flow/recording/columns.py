"""The events of a stream as columns, those of each symbol by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.feed.records import ORDER_EVENT
from lowlat.engine.feed.stream import OrderEventStream

IdColumn: TypeAlias = NDArray[np.uint64]
Bytes: TypeAlias = NDArray[np.uint8]

_CHUNK: Final = 1 << 16
"""Events that are Python objects at one time."""


@dataclass(frozen=True, eq=False, slots=True)
class EventColumns:
    """Events of one symbol in the file's order: one array of shape (n,) a field of `ORDER_EVENT`."""

    time_ns: IdColumn
    row: IdColumn
    order_id: IdColumn
    other_id: IdColumn
    price: NDArray[np.int64]
    quantity: IdColumn
    action: Bytes
    side: Bytes
    flags: NDArray[np.uint16]
    ordinal: NDArray[np.int64] | None = None
    """Of each event, its place among those of all symbols; None: there is one symbol."""

    def __len__(self) -> int:
        return len(self.row)

    def largest_id(self) -> int:
        """The largest order id that is named."""
        return max(int(self.order_id.max(initial=0)), int(self.other_id.max(initial=0)))

    def position(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where events stand among those of all symbols, as a new array."""
        return index.copy() if self.ordinal is None else self.ordinal[index]

    def events(self) -> Iterator[tuple[int, int, int, int, int, int, int, int, int]]:
        """Index, action, order id, price, quantity, side, flags, time and other id of each event."""
        for first in range(0, len(self), _CHUNK):
            part = slice(first, first + _CHUNK)
            columns = (self.action, self.order_id, self.price, self.quantity, self.side, self.flags, self.time_ns)
            lists = [column[part].tolist() for column in (*columns, self.other_id)]
            yield from zip(range(first, first + len(lists[0])), *lists, strict=True)


def columns_of(stream: OrderEventStream) -> list[EventColumns]:
    """All events of a stream, by symbol number; symbols without events have empty columns.

    Raises what reading the stream raises.
    """
    names = [name for name in (*EventColumns.__dataclass_fields__, "symbol") if name != "ordinal"]
    parts = {name: [np.empty(0, ORDER_EVENT[name])] for name in names}
    for block in stream.blocks:
        for name, part in parts.items():
            part.append(block[name].copy())
    joined = {}
    for name in names:
        joined[name] = np.concatenate(parts.pop(name))
    return _by_symbol(joined, max(1, len(stream.symbols)))


def _by_symbol(columns: dict[str, NDArray[Any]], symbols: int) -> list[EventColumns]:
    symbol = columns.pop("symbol")
    if symbols == 1:
        return [EventColumns(**columns)]
    order = np.argsort(symbol, kind="stable")
    ends = np.cumsum(np.bincount(symbol, minlength=symbols))
    rows = np.split(order, ends[:-1])
    return [EventColumns(**{name: column[at] for name, column in columns.items()}, ordinal=at) for at in rows]
