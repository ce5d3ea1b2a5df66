"""LOBSTER message files as level-3 events.

The format (https://lobsterdata.com/info/DataStructure.php): time in seconds after midnight, type, order id, size, price
in 10^-4 dollar, direction. Direction is 1 for a buy, -1 for a sell; for an execution, the *resting* order's.

Every error names the file, the row (counted from 1), the column, the value and the expected format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Final

import numpy as np

from lowlat.engine.feed.records import ORDER_EVENT, OrderAction, OrderEventFlag, OrderEvents
from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.engine.flow.readers.lobster.lines import line_blocks
from lowlat.engine.flow.readers.lobster.number_table import Ints, NumberTable, number_table, width_error
from lowlat.engine.matching.records import QUANTITY_MAX, Side, TradingPhase

UNIT: Final = Decimal("0.0001")
"""Dollars per price unit."""
DAY_NS: Final = 86_400 * 10**9
_COLUMNS: Final = ("time", "type", "order id", "size", "price", "direction")
_NAME: Final = re.compile(r"(?P<symbol>[^_]+)_.*message_(?P<levels>[1-9][0-9]{0,3})(?:[^0-9]|$)", re.IGNORECASE)


class MessageType(IntEnum):
    """The second column of a message file."""

    ADD = 1
    PARTIAL_CANCEL = 2
    DELETE = 3
    EXECUTION = 4
    HIDDEN_EXECUTION = 5
    CROSS_TRADE = 6
    HALT = 7


_ACTIONS: Final = np.array(
    [
        *[0, OrderAction.ADD, OrderAction.REDUCE, OrderAction.CANCEL, OrderAction.EXECUTE],
        *[OrderAction.TRADE, OrderAction.CROSS, OrderAction.PHASE],
    ],
    np.uint8,
)
"""By message type."""
_PHASES: Final = {-1: TradingPhase.HALTED, 0: TradingPhase.CALL, 1: TradingPhase.CONTINUOUS}
"""By the price of a halt: trading stops, quotes are taken again, trading goes on."""


def open_messages(path: Path, options: ReadOptions) -> OrderEventStream:
    """The events of a message file: plain, `.xz`, `.gz` or `.bz2`.

    Times are nanoseconds since midnight, prices units of 10^-4 dollar. The number of displayed levels is that of the
    file's name. Reading raises `LobsterError` for an unreadable, truncated or empty file, or one beyond the limits on
    recorded orders (`lowlat.limits`); a row without six numbers; a time outside the day or before the previous row's;
    an unknown type or direction; a price that is not positive; an id below 1 or a size above 2^32 - 1 of a displayed
    order; a size below 1, but for a delete; a halt that is none.
    """
    name = _NAME.match(path.name)
    symbol = name["symbol"] if name else path.name.partition(".")[0]
    stream = OrderEventStream(
        path=path,
        noun="LOBSTER file",
        unit=UNIT,
        time_base="midnight",
        blocks=iter(()),
        displayed_levels=int(name["levels"]) if name else None,
        ids_by_arrival=True,
        symbols=[symbol],
    )
    stream.blocks = _blocks(path, options, stream)
    return stream


def _blocks(path: Path, options: ReadOptions, stream: OrderEventStream) -> Iterator[OrderEvents]:
    last_ns, cross_ns = 0, -1
    until = DAY_NS + 1 if options.until_ns is None else options.until_ns
    wanted = not options.symbols or not options.symbols.isdisjoint(stream.symbols)
    for block in line_blocks(path, stream.left_out):
        table, rows = number_table(block, _COLUMNS, seconds=0)
        _check(table, last_ns)
        if rows < block.lines:
            raise width_error(block, rows, len(_COLUMNS))
        last_ns = int(table.columns[0][-1])
        events, cross_ns = _events(table, cross_ns)
        chosen = events[events["time_ns"] < until] if wanted else events[:0]
        types = table.columns[1][: len(chosen)]
        stream.messages.update({kind.name.lower(): int(np.count_nonzero(types == kind)) for kind in MessageType})
        yield chosen
        if last_ns >= until:
            return


def _events(table: NumberTable, cross_ns: int) -> tuple[OrderEvents, int]:
    """The events of sound rows, and the time of the last cross. `cross_ns`: that of the last one before."""
    time, kind, order_id, size, price, direction = table.columns
    events = np.zeros(len(time), ORDER_EVENT)
    events["time_ns"] = time
    events["row"] = np.arange(table.block.before + 1, table.block.before + 1 + len(time))
    displayed = kind <= MessageType.EXECUTION
    events["order_id"] = np.where(displayed, order_id, 0)
    events["price"] = np.where(kind == MessageType.HALT, 0, price)
    events["quantity"] = np.where(kind == MessageType.HALT, _phases(price), np.maximum(size, 0))
    events["action"] = _ACTIONS[kind]
    events["side"] = np.where(direction == 1, Side.BUY, Side.SELL)
    crosses = time[kind == MessageType.CROSS_TRADE]
    auction = (kind == MessageType.EXECUTION) & (np.isin(time, crosses) | (time == cross_ns))
    events["flags"] = np.where(auction, OrderEventFlag.AUCTION, 0)
    return events, int(crosses[-1]) if len(crosses) else cross_ns


def _phases(price: Ints) -> Ints:
    phases = np.zeros(len(price), np.int64)
    for value, phase in _PHASES.items():
        phases[price == value] = phase
    return phases


def _check(table: NumberTable, last_ns: int) -> None:
    """Raise for the first invalid row, and its first invalid column. `last_ns`: the time of the row before."""
    time, kind, order_id, size, price, direction = table.columns
    displayed = kind <= MessageType.EXECUTION
    traded = kind <= MessageType.HIDDEN_EXECUTION
    earlier = np.concatenate(([last_ns], time))[: len(time)]
    numbers = [
        (column, ~table.sound[:, column], "an integer of 64 bits" if column else "a number of seconds")
        for column in range(len(_COLUMNS))
    ]
    rules = [
        *numbers,
        (0, ~((time >= 0) & (time <= DAY_NS)), "seconds after midnight, 0 to 86400"),
        (0, time < earlier, "a time not before that of the row above"),
        (1, ~np.isin(kind, list(MessageType)), "a type from 1 to 7"),
        (2, displayed & (order_id < 1), "a positive order id"),
        (3, (kind == MessageType.DELETE) & (size < 0), "a size that is not negative"),
        (3, traded & (kind != MessageType.DELETE) & (size < 1), "a positive size"),
        (3, displayed & (size > QUANTITY_MAX), f"a size of at most {QUANTITY_MAX}"),
        (4, traded & (price < 1), "a positive price"),
        (4, (kind == MessageType.HALT) & ~np.isin(price, list(_PHASES)), "-1 (halt), 0 (quotes) or 1 (trading)"),
        (5, traded & ~np.isin(direction, (1, -1)), "1 (buy) or -1 (sell)"),
    ]
    broken = [(int(bad.argmax()), column, expected) for column, bad, expected in rules if bad.any()]
    if broken:
        row = min(row for row, _, _ in broken)
        column, expected = next((column, expected) for at, column, expected in broken if at == row)
        raise table.error(row, column, expected)
