"""Rows of a table as level-3 events, column by column, as a `ColumnMapping` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.feed.clears import empty_clears
from lowlat.engine.feed.columns import Ints, codes, decimals, text_of, times_ns, uuids, whole_numbers
from lowlat.engine.feed.records import ORDER_EVENT, OrderAction, OrderEventFlag, OrderEvents
from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.engine.feed.tables import SHOWN_CHARS, TableBlock, arrow, columns_of
from lowlat.engine.flow.readers.table.mapping import BOTH, IGNORED, ColumnMapping
from lowlat.engine.matching.records import Side
from lowlat.errors import InputError
from lowlat.text import cut, printable

_TRADES = (OrderAction.EXECUTE, OrderAction.TRADE)
NO_SYMBOL = -1


class TableEvents:
    """Converts the blocks of one table, and counts into its stream."""

    def __init__(
        self, stream: OrderEventStream, mapping: ColumnMapping, options: ReadOptions, names: Sequence[str]
    ) -> None:
        """`names`: the columns that the table has. Raises `InputError` if one of the mapping is not among them."""
        self._stream, self._mapping, self._options = stream, mapping, options
        self._columns = {field: columns_of(stream.path, names, listed) for field, listed in mapping.columns.items()}
        self._numbers: dict[str, int] = {}
        self._time = 0
        if "symbol" not in self._columns:
            stream.symbols.append(stream.path.name.split(".")[0])

    @property
    def columns(self) -> list[str]:
        """The columns to read."""
        return list(dict.fromkeys(name for listed in self._columns.values() for name in listed))

    def blocks(self, blocks: Iterator[TableBlock]) -> Iterator[OrderEvents]:
        """Blocks of `ORDER_EVENT`. Raises `InputError`, which names row, column and value."""
        for block in blocks:
            try:
                events = self._events(self._named(block))
            except arrow(block.path).ArrowException as error:  # as of a type that no number or word is made of
                why = cut(printable(str(error)), SHOWN_CHARS)
                raise InputError(f"{block.path}, rows from {block.first_row}: {why}") from error
            if len(events):
                yield events

    def _named(self, block: TableBlock) -> TableBlock:
        """The columns by the fields that they are."""
        called = {field: " or ".join(names) for field, names in self._columns.items()}
        merged = {field: self._merged(block, field) for field in self._columns}
        return TableBlock(block.path, block.first_row, merged, called)

    def _merged(self, block: TableBlock, field: str) -> Any:
        """The column of a field: of several, the first that is not empty in a row."""
        first, *others = self._columns[field]
        if not others:
            return block.columns[first]
        import pyarrow.compute as pc

        found = text_of(block, first)
        for name in others:
            found = pc.if_else(pc.equal(found, ""), text_of(block, name), found)
        return found

    def _events(self, block: TableBlock) -> OrderEvents:
        action = codes(block, "action", self._mapping.action, "action")
        symbol = self._symbols(block)
        rows = np.zeros(len(block), ORDER_EVENT)
        rows["time_ns"] = self._times(block)
        rows["row"] = np.arange(block.first_row, block.first_row + len(block))
        rows["price"] = decimals(block, "price", self._stream.unit)
        rows["quantity"] = self._quantities(block)
        rows["action"], rows["symbol"] = action, np.maximum(symbol, 0)
        if "flags" in block.columns:
            rows["flags"] = whole_numbers(block, "flags", sum(OrderEventFlag))
        _name_orders(rows, block, self._mapping, self._ids)
        empty_clears(rows)
        self._count(action)
        chosen = (action != IGNORED) & (symbol != NO_SYMBOL)
        if self._options.until_ns is not None:
            chosen &= rows["time_ns"] < self._options.until_ns
        return _both_sides(rows, block, self._mapping, self._ids, chosen)

    def _times(self, block: TableBlock) -> Ints:
        times = times_ns(block, "time", self._mapping.time_unit)
        if (times < 0).any():
            raise block.error(int(np.argmax(times < 0)), "time", "it is before 1970; name its unit, as in time=ts:ms")
        before = np.concatenate([[self._time], times[:-1]])
        back = int((times < before).sum())
        if back:
            self._stream.faults["time goes back"] += back
        self._time = int(times[-1]) if len(times) else self._time
        return times

    def _quantities(self, block: TableBlock) -> Ints:
        quantities = decimals(block, "quantity", self._mapping.quantity_unit)
        if (quantities < 0).any():
            raise block.error(int(np.argmax(quantities < 0)), "quantity", "it is below 0")
        return quantities

    def _symbols(self, block: TableBlock) -> Ints:
        """The symbol's number of each row; `NO_SYMBOL` for those not asked for."""
        if "symbol" not in block.columns:
            return np.zeros(len(block), np.int64)
        words = text_of(block, "symbol").dictionary_encode()
        numbers = np.array([self._numbered(word) for word in words.dictionary.to_pylist()], np.int64)
        return numbers[words.indices.to_numpy()] if len(numbers) else np.zeros(0, np.int64)

    def _numbered(self, word: str) -> int:
        if word not in self._numbers:
            wanted = not self._options.symbols or word in self._options.symbols
            self._numbers[word] = len(self._stream.symbols) if wanted else NO_SYMBOL
            if wanted:
                self._stream.symbols.append(printable(word))
        return self._numbers[word]

    def _ids(self, block: TableBlock, field: str) -> NDArray[np.uint64]:
        if field not in block.columns:
            return np.zeros(len(block), np.uint64)
        return uuids(block, field) if self._mapping.id_kind == "uuid" else whole_numbers(block, field)

    def _count(self, action: NDArray[np.uint8]) -> None:
        for number, count in enumerate(np.bincount(action).tolist()):
            if count and number == IGNORED:
                self._stream.left_out["ignored by the mapping"] += count
            elif count:
                self._stream.messages[OrderAction(number).name.lower()] += count


_Ids = Callable[[TableBlock, str], NDArray[np.uint64]]


def _name_orders(rows: OrderEvents, block: TableBlock, mapping: ColumnMapping, ids: _Ids) -> None:
    """Set each row's order, its side, and the other order that it names."""
    side = codes(block, "side", mapping.side, "side")
    traded = np.isin(rows["action"], _TRADES)
    if mapping.trades == "aggressor":
        side = np.where(traded & (side != BOTH), 1 - side, side)
    buy, sell = ids(block, "buy_id"), ids(block, "sell_id")
    side = np.where((side == BOTH) & (buy == 0) & (sell != 0), Side.SELL, side)
    named = np.where(side == Side.SELL, sell, buy)
    rows["side"] = side % BOTH
    rows["order_id"] = np.where(named == 0, ids(block, "id"), named)
    other = np.where(rows["action"] == OrderAction.REPLACE, ids(block, "new_id"), ids(block, "aggressor"))
    against = np.where(side == Side.SELL, buy, sell)
    rows["other_id"] = np.where(
        traded & (other == 0), against, np.where(traded | (rows["action"] == OrderAction.REPLACE), other, 0)
    )


def _both_sides(
    rows: OrderEvents, block: TableBlock, mapping: ColumnMapping, ids: _Ids, chosen: NDArray[np.bool_]
) -> OrderEvents:
    """The chosen rows; one for each of the two orders that traded, where both were in the book."""
    told = codes(block, "side", mapping.side, "side") == BOTH
    buy, sell = ids(block, "buy_id"), ids(block, "sell_id")
    double = (rows["action"] == OrderAction.EXECUTE) & (told | (mapping.trades == "both")) & (buy != 0) & (sell != 0)
    if chosen.all() and not double.any():
        return rows
    at = np.repeat(np.arange(len(rows)), np.where(chosen, 1 + double, 0))
    events = rows[at]
    second = np.zeros(len(at), bool)
    second[1:] = at[1:] == at[:-1]
    pair = double[at]
    events["side"] = np.where(pair, np.where(second, Side.SELL, Side.BUY), events["side"])
    events["order_id"] = np.where(pair, np.where(second, sell[at], buy[at]), events["order_id"])
    events["other_id"] = np.where(pair, 0, events["other_id"])
    auction = pair & (mapping.trades != "both")
    events["flags"] |= np.where(auction, OrderEventFlag.AUCTION, 0).astype(np.uint16)
    return events
