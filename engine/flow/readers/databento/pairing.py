"""Which fill (F) belongs to which change of the book (C or M), and which trades (T) no fill explains.

Records of one event of the venue form a *group*: those of one symbol up to a record with F_LAST, and on from there
while the time stays the same (some venues' records all have F_LAST). Within a group, the cancels and modifications of
an order after its fills are what the fills did to the book.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.flow.readers.databento.records import F_LAST, MboRecords

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(eq=False)
class Groups:
    """`number` int64 (n,): the group of each record, growing with each symbol. `order` int64 (n,): positions of the
    records by symbol, in the file's order. `open` bool (groups,): it may go on in the next block.
    """

    number: Ints
    order: Ints
    open: Bools


def groups_of(records: MboRecords, symbol: Ints) -> Groups:
    """The groups of consecutive records, all of which are given from where the first group is still of interest."""
    count = len(records)
    alone = count == 0 or bool((symbol == symbol[0]).all())
    order = np.arange(count) if alone else np.argsort(symbol, kind="stable")
    symbols, times = symbol[order], records["ts_event"][order]
    ends = np.ones(count, bool)
    last = (records["flags"][order] & F_LAST) != 0
    ends[:-1] = (symbols[1:] != symbols[:-1]) | (last[:-1] & (times[1:] != times[:-1]))
    starts = np.ones(count, bool)
    starts[1:] = ends[:-1]
    numbers = np.cumsum(starts) - 1
    number = np.empty(count, np.int64)
    number[order] = numbers
    final = np.ones(count, bool)
    final[:-1] = symbols[1:] != symbols[:-1]
    unfinished = final & ~(last & (times != (records["ts_event"][-1] if count else 0)))
    open_groups = np.zeros(int(numbers[-1]) + 1 if count else 0, bool)
    open_groups[numbers[unfinished]] = True
    return Groups(number, order, open_groups)


def told_by_fills(records: MboRecords, group: Ints, fill: Bools, cancel: Bools, modify: Bools) -> Ints:
    """For each fill, how much of it a later change of the same order in its group takes off the book; for each cancel,
    how much of it fills told before: int64 (n,).
    """
    told = np.zeros(len(records), np.int64)
    if not fill.any():
        return told
    with_fill = np.zeros(int(group.max()) + 1, bool)
    with_fill[group[fill]] = True
    rows = np.flatnonzero((fill | cancel | modify) & with_fill[group])
    rows = rows[np.lexsort((records["order_id"][rows], group[rows]))]  # stable: the file's order within an order's rows
    ids, groups = records["order_id"][rows], group[rows]
    starts = np.ones(len(rows), bool)
    starts[1:] = (ids[1:] != ids[:-1]) | (groups[1:] != groups[:-1])
    told[rows] = _told(records["size"][rows].astype(np.int64), fill[rows], cancel[rows], starts)
    return told


def _told(size: Ints, fill: Bools, cancel: Bools, starts: Bools) -> Ints:
    """The same for rows in parts, one for each order of a group. What fills have told and no change has taken off yet
    follows a walk: fills raise it, cancels lower it to no less than 0, a modification, which tells all, lowers it to 0.
    """
    part = np.cumsum(starts) - 1
    filled = np.where(fill, size, 0)
    total = np.bincount(part, filled).astype(np.int64)[part]
    steps = np.where(fill, filled, -np.where(cancel, np.minimum(size, total), total))
    height = _within(steps, starts, part)
    ahead = height - np.minimum(_running_minimum(height, part), 0)
    taken = np.where(fill, 0, np.where(starts, 0, np.roll(ahead, 1)) - ahead)
    all_taken = np.bincount(part, taken).astype(np.int64)[part]
    return np.where(fill, np.clip(all_taken - (_within(filled, starts, part) - filled), 0, filled), taken)


def _within(steps: Ints, starts: Bools, part: Ints) -> Ints:
    """Running sums that begin again with each part."""
    sums = np.cumsum(steps)
    return sums - (sums - steps)[starts][part]


def _running_minimum(values: Ints, part: Ints) -> Ints:
    """The minimum of each part so far: in as many passes as its longest part has binary digits."""
    lowest, step = values.copy(), 1
    while step < len(values) and (part[step:] == part[:-step]).any():
        same = part[step:] == part[:-step]
        lowest[step:] = np.where(same, np.minimum(lowest[step:], lowest[:-step]), lowest[step:])
        step *= 2
    return lowest


def unexplained(records: MboRecords, groups: Groups, trade: Bools, fill: Bools) -> tuple[Ints, NDArray[np.uint64]]:
    """For each trade, how much of it no fill up to the group's next trade explains: int64 (n,); for each fill, the id
    of the aggressive order, if the trade before it has one: uint64 (n,).
    """
    order = groups.order
    sizes = records["size"][order].astype(np.int64)
    begins = trade[order].copy()
    begins[1:] |= np.diff(groups.number[order]) != 0
    begins[:1] = True
    run = np.cumsum(begins) - 1
    explained = np.bincount(run, np.where(fill[order], sizes, 0)).astype(np.int64)
    rest = np.zeros(len(records), np.int64)
    rest[order] = np.where(trade[order], np.maximum(sizes - explained[run], 0), 0)
    aggressor = np.where(trade[order], records["order_id"][order], 0)[np.flatnonzero(begins)]
    ids = np.zeros(len(records), np.uint64)
    ids[order] = np.where(fill[order], aggressor[run], 0)
    return rest, ids
