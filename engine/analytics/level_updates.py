"""Bulk updates of a book's levels, as arrays of records: either all are applied, or none.

The core adds runs of updates with vector types, one level at a time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lowlat.arguments import checked_flag
from lowlat.engine import _core
from lowlat.engine.analytics.records import LEVEL_UPDATE, LevelTrouble, LevelUpdateRows
from lowlat.engine.matching.aligned import aligned_empty, check_plain
from lowlat.engine.matching.arguments import checked_side
from lowlat.engine.matching.records import LEVEL, Levels, Side
from lowlat.errors import ArrayError, LevelUpdateError
from lowlat.text import cut


def level_updates(*rows: tuple[int, int, int]) -> LevelUpdateRows:
    """An array of `LEVEL_UPDATE` from (price, quantity, orders): shape (n,). Raises `ArrayError` for other rows."""
    try:
        return np.array(list(rows), dtype=LEVEL_UPDATE)
    except (TypeError, ValueError, OverflowError) as error:
        raise ArrayError(f"a row is not three integers of 64 bits: {cut(str(error), 200)}") from error


def apply_level_updates(levels: Levels, updates: LevelUpdateRows, side: Side, *, insert: bool = False) -> Levels:
    """The levels of one side after `updates`: a new `LEVEL` array.

    `levels`: `LEVEL` (n,), best first as `depth` returns them: descending prices for BUY, ascending for SELL.
    `updates`: `LEVEL_UPDATE` (m,), in any order (sorted is faster); updates of the same price add up. A level whose
    quantity becomes 0 is removed. With `insert`, a price without a level gets one.

    Raises, without changing `levels`: `LevelUpdateError` for levels out of order, for a price without a level unless
    `insert`, if a quantity or an order count would leave 0..2^64 - 1, or if orders would remain without quantity;
    `ArrayError` for other dtypes or shapes and for masked arrays; `UsageError` for another side.
    """
    _check_records("levels", levels, LEVEL)
    _check_records("updates", updates, LEVEL_UPDATE)
    side, insert = checked_side(side), checked_flag("insert", insert)
    after = aligned_empty(len(levels) + (len(updates) if insert else 0), LEVEL)
    outcome = _core.apply_level_updates(_aligned(levels), _aligned(updates), after, side is Side.BUY, insert)
    count, trouble, price = outcome
    if trouble:
        raise _trouble(trouble, price, side)
    return after[:count]


def _trouble(trouble: int, price: int, side: Side) -> LevelUpdateError:
    if trouble == LevelTrouble.LEVELS_UNSORTED:
        way = "descending" if side == Side.BUY else "ascending"
        return LevelUpdateError(f"out of order; {side.name} levels come with {way} prices, each once", price)
    if trouble == LevelTrouble.UNKNOWN_PRICE:
        return LevelUpdateError("no such level to update; pass insert=True to make it", price)
    return LevelUpdateError(
        "the updates would take its quantity or orders out of 0..2^64 - 1, or leave orders without quantity", price
    )


def _aligned(records: NDArray[np.void]) -> NDArray[np.void]:
    """The records as the core reads them: contiguous, on 8-byte boundaries."""
    if records.flags.c_contiguous and records.ctypes.data % 8 == 0:
        return records
    copy = aligned_empty(len(records), records.dtype)
    # Copied as bytes: numpy copies records field by field, which is several times slower.
    copy.view(np.uint8)[:] = np.ascontiguousarray(records).view(np.uint8)
    return copy


def _check_records(name: str, records: NDArray[np.void], dtype: np.dtype[np.void]) -> None:
    check_plain(name, records)
    if records.dtype != dtype or records.ndim != 1:
        raise ArrayError(
            f"{name} are {records.dtype} of shape {records.shape}; expected {dtype.names} records of one dimension"
        )
