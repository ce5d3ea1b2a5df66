"""Databento's records as level-3 events; `lowlat.engine.flow.readers.databento` says how each action is converted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.feed.clears import empty_clears
from lowlat.engine.feed.records import ORDER_EVENT, OrderAction, OrderEventFlag, OrderEvents
from lowlat.engine.flow.readers.databento import records as mbo
from lowlat.engine.flow.readers.databento.pairing import Bools, Groups, Ints, groups_of, told_by_fills, unexplained
from lowlat.engine.flow.readers.databento.records import MboRecords, joined, selected

HELD_MAX: Final = 1 << 14
"""How many records a fill waits for the change of the book that it tells of, before it is taken for a bare trade."""

ACTIONS: Final = {"A": "add", "C": "cancel", "M": "modify", "R": "clear", "T": "trade", "F": "fill", "N": "none"}
_BY_LETTER: Final = np.zeros(256, np.uint8)
"""The action of a record's event on an order, by the record's letter."""
for _letter, _action in zip(
    "ACMRF",
    (OrderAction.ADD, OrderAction.REDUCE, OrderAction.UPSERT, OrderAction.CLEAR, OrderAction.EXECUTE),
    strict=True,
):
    _BY_LETTER[ord(_letter)] = _action
_BUY, _SELL = ord("B"), ord("A")
_FLAGS: Final = (
    (mbo.F_SNAPSHOT, OrderEventFlag.SNAPSHOT),
    (mbo.F_BAD_TS_RECV, OrderEventFlag.BAD_TIME),
    (mbo.F_MAYBE_BAD_BOOK, OrderEventFlag.GAP),
)

_TOLD: Final = mbo.F_SNAPSHOT | mbo.F_BAD_TS_RECV | mbo.F_MAYBE_BAD_BOOK


@dataclass(eq=False)
class Rows:
    """Records of the symbols asked for: `records` `MBO` (n,), `row` uint64 (n,), `symbol` int64 (n,)."""

    records: MboRecords
    row: NDArray[np.uint64]
    symbol: Ints

    def part(self, chosen: slice | Bools) -> Rows:
        """Some of them."""
        return Rows(selected(self.records, chosen), self.row[chosen], self.symbol[chosen])

    def then(self, more: Rows) -> Rows:
        """These and more."""
        if not len(self.row):
            return more
        return Rows(
            joined(self.records, more.records),
            np.concatenate([self.row, more.row]),
            np.concatenate([self.symbol, more.symbol]),
        )


class _Kinds(NamedTuple):
    """What each record is, bool (n,) each; a record that is none of these has no event."""

    add: Bools
    cancel: Bools
    modify: Bools
    clear: Bools
    trade: Bools
    fill: Bools


def events_of(blocks: Iterator[Rows], left_out: Counter[str]) -> Iterator[OrderEvents]:
    """Blocks of `ORDER_EVENT`. A fill whose effect may be in the next block waits for it."""
    held: Rows | None = None
    for block in blocks:
        rows = held.then(block) if held is not None else block
        events, settled = _converted(rows, left_out, final=False)
        held = rows.part(slice(settled, None))
        if len(events):
            yield events
    if held is not None and len(events := _converted(held, left_out, final=True)[0]):
        yield events


def _converted(rows: Rows, left_out: Counter[str], *, final: bool) -> tuple[OrderEvents, int]:
    """The events of the first records, and how many these are: all, or those before the first that is not settled."""
    kinds = _kinds(rows.records)
    groups = groups_of(rows.records, rows.symbol)
    paired = kinds.fill & _pairable(rows.records)
    told = told_by_fills(rows.records, groups.number, paired, kinds.cancel, kinds.modify)
    rest, aggressor = unexplained(rows.records, groups, kinds.trade, kinds.fill)
    size = rows.records["size"].astype(np.int64)
    settled = len(size) if final else _settled(rows.records, groups, kinds.fill | kinds.trade)
    whole, bare = _quantities(kinds, size, told, rest)
    at, is_bare = _layout(whole[:settled], bare[:settled])
    events = _filled(rows, kinds, at, aggressor)
    events["action"] = np.where(is_bare, OrderAction.TRADE, _actions(kinds, rows.records["action"], whole)[at])
    events["quantity"] = np.where(is_bare, bare[at], whole[at])
    empty_clears(events)
    _mark_last(events, groups.number[at], _ended(rows.records, groups, settled))
    _count_left_out(kinds, rows.records, settled, left_out)
    return events, settled


def _settled(records: MboRecords, groups: Groups, traded: Bools) -> int:
    """How many records can be converted now: none of a group that may go on and has trades or ends with F_LAST so far,
    and no part of a group with trades. More than `HELD_MAX` are not held for that.
    """
    count, total = len(records), len(groups.open)
    first, last, whole, said = np.zeros(total, np.int64), np.zeros(total, np.int64), *np.zeros((2, total), bool)
    last[groups.number] = np.arange(count)  # of several with one index, the last one stays
    first[groups.number[::-1]] = np.arange(count)[::-1]
    whole[groups.number[traded]] = True
    said[groups.number] = (records["flags"] & mbo.F_LAST) != 0
    whole |= groups.open & said
    last[groups.open] = count
    divides = np.bincount(first[whole] + 1, minlength=count + 2) - np.bincount(last[whole] + 1, minlength=count + 2)
    between = np.flatnonzero(np.cumsum(divides)[: count + 1] == 0)
    return int(between[-1]) if between[-1] >= count - HELD_MAX else count


def _kinds(records: MboRecords) -> _Kinds:
    """What each record is. Without an order of a price, a side and a quantity, there is none to add or to change."""
    action, flags = records["action"], records["flags"]
    told = (records["size"] > 0) & (records["size"] != mbo.UNDEF_SIZE)
    priced = records["price"] != mbo.UNDEF_PRICE
    order = (flags & (mbo.F_TOB | mbo.F_MBP)) == 0
    modify = order & (action == ord("M"))
    cancel = (order & (action == ord("C"))) | (modify & (records["size"] == 0))
    order &= priced & (records["side"] != ord("N"))
    return _Kinds(
        (action == ord("A")) & order & told,
        cancel,
        modify & order & told,
        action == ord("R"),
        (action == ord("T")) & priced & told,
        (action == ord("F")) & priced & told,
    )


def _pairable(records: MboRecords) -> Bools:
    pairable: Bools = (records["side"] != ord("N")) & (records["order_id"] != 0)
    return pairable


def _quantities(kinds: _Kinds, size: Ints, told: Ints, rest: Ints) -> tuple[Ints, Ints]:
    """The quantity of each record's event on an order (-1: no such event), and that of its bare trade."""
    none = np.full(len(size), -1)
    canceled = np.where((told < size) | (size == 0), size - told, none)
    whole = np.where(kinds.add | kinds.modify | kinds.clear, size, none)
    whole = np.where(kinds.cancel, canceled, whole)
    whole = np.where(kinds.fill & (told > 0), told, whole)
    return whole, np.where(kinds.fill, size - told, np.where(kinds.trade, rest, 0))


def _layout(whole: Ints, bare: Ints) -> tuple[Ints, Bools]:
    """The record of each event, and whether it is its bare trade, which comes after its event on an order."""
    counts = (whole >= 0).astype(np.int64) + (bare > 0)
    at = np.repeat(np.arange(len(whole)), counts)
    is_bare = np.zeros(len(at), bool)
    is_bare[np.cumsum(counts)[bare > 0] - 1] = True
    return at, is_bare


def _filled(rows: Rows, kinds: _Kinds, at: Ints, aggressor: NDArray[np.uint64]) -> OrderEvents:
    """The events of the records at these positions, but for action and quantity."""
    records, trade = selected(rows.records, at), kinds.trade[at]
    flags = records["flags"]
    events = np.zeros(len(at), ORDER_EVENT)
    events["time_ns"] = records["ts_event"]
    if (records["ts_event"] == mbo.UNDEF_TIME).any():
        events["time_ns"] = np.where(records["ts_event"] == mbo.UNDEF_TIME, records["ts_recv"], records["ts_event"])
    events["row"], events["symbol"] = rows.row[at], rows.symbol[at]
    events["order_id"] = np.where(trade, 0, records["order_id"])
    events["other_id"] = np.where(trade, records["order_id"], aggressor[at])
    events["price"] = np.where(records["price"] == mbo.UNDEF_PRICE, 0, records["price"])
    events["side"] = records["side"] == np.where(trade, _BUY, _SELL)  # of a trade, the aggressor's is told
    if (flags & _TOLD).any():
        for theirs, ours in _FLAGS:
            events["flags"] |= np.where(flags & theirs, ours, 0).astype(np.uint16)
    return events


def _actions(kinds: _Kinds, action: NDArray[np.uint8], whole: Ints) -> NDArray[np.uint8]:
    """The action of each record's event on an order."""
    actions = _BY_LETTER[action]
    none_left = kinds.cancel & (whole == 0)
    if none_left.any():
        actions[none_left] = OrderAction.CANCEL
    return actions


def _ended(records: MboRecords, groups: Groups, settled: int) -> Bools:
    """The groups whose last record is here, is settled and has F_LAST."""
    ended = np.zeros(len(groups.open), bool)
    ended[groups.number] = (records["flags"] & mbo.F_LAST) != 0  # of several with one index, the last one stays
    ended[groups.number[settled:]] = False
    return ended


def _mark_last(events: OrderEvents, group: Ints, ended: Bools) -> None:
    """Flag the last event of each group that ended, even where the record with F_LAST gave no event."""
    final = np.full(len(ended), -1)
    final[group] = np.arange(len(events))
    events["flags"][final[ended & (final >= 0)]] |= np.uint16(OrderEventFlag.LAST)


def _count_left_out(kinds: _Kinds, records: MboRecords, settled: int, left_out: Counter[str]) -> None:
    """Count records without an event. Fills and trades told by other events are not left out."""
    known = np.logical_or.reduce(kinds)[:settled]
    for letter, count in zip(*np.unique(records["action"][:settled][~known], return_counts=True), strict=True):
        name = ACTIONS[chr(letter)]
        left_out[name if name == "none" else f"{name} without a price, a side or a quantity"] += int(count)
