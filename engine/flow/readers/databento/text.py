"""Databento's CSV: its rows become the records that a DBN file would have.

Prices and times are either raw (integers) or pretty (decimals, ISO 8601), as the file was requested.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

import numpy as np

from lowlat.engine.feed.columns import Ints, codes, decimals, text_of, times_ns, whole_numbers
from lowlat.engine.feed.tables import CsvTable, TableBlock, column_of
from lowlat.engine.flow.readers.databento.instruments import Instruments
from lowlat.engine.flow.readers.databento.records import MBO, MBO_TYPE, UNDEF_PRICE, MboBlock
from lowlat.errors import InputError

_WHOLE: Final = ("publisher_id", "instrument_id", "order_id", "size", "flags", "channel_id", "sequence")
_COLUMNS: Final = ("ts_recv", "ts_event", "rtype", "action", "side", "price", *_WHOLE)
_ACTIONS: Final = {letter: ord(letter) for letter in "ACMRTFN"}
_SIDES: Final = {letter: ord(letter) for letter in "ABN"}


def csv_blocks(path: Path, pieces: Iterator[bytes], instruments: Instruments) -> Iterator[MboBlock]:
    """The rows as records; `row` is the line of the file. A column `symbol` names the instruments."""
    table = CsvTable(path, pieces)
    if "order_id" not in table.names or "depth" in table.names:
        raise InputError(f"{path}: it is a Databento CSV of another schema; lowlat reads mbo: request that schema")
    named = "symbol" in table.names
    columns = [column_of(path, table.names, name) for name in _COLUMNS]
    for block in table.blocks([*columns, *(["symbol"] if named else [])]):
        records = _records(block)
        if named:
            _learn(block, records, instruments)
        yield MboBlock(records, np.arange(block.first_row, block.first_row + len(records), dtype=np.uint64))


def _records(block: TableBlock) -> np.ndarray:
    records = np.zeros(len(block), MBO)
    records["length"], records["rtype"] = MBO.itemsize // 4, whole_numbers(block, "rtype", 255)
    other = np.flatnonzero(records["rtype"] != MBO_TYPE)
    if len(other):
        found = records["rtype"][other[0]]
        raise block.error(
            int(other[0]), "rtype", f"{found}; records of schema mbo have {MBO_TYPE}: request that schema"
        )
    for name in _WHOLE:
        kind = MBO[name]
        records[name] = whole_numbers(block, name, 2 ** (8 * kind.itemsize) - 1)
    for name in "ts_recv", "ts_event":
        records[name] = times_ns(block, name, None)
    records["action"] = codes(block, "action", _ACTIONS, "action")
    records["side"] = codes(block, "side", _SIDES, "side")
    records["price"] = _prices(block)
    return records


def _prices(block: TableBlock) -> Ints:
    """Prices in 10^-9; an empty one is undefined."""
    import pyarrow.compute as pc

    text = text_of(block, "price")
    raw = not pc.any(pc.match_substring(text, ".")).as_py()
    prices = decimals(block, "price", Decimal(1) if raw else Decimal("1e-9"))
    return np.where(pc.equal(text, "").to_numpy(zero_copy_only=False), UNDEF_PRICE, prices)


def _learn(block: TableBlock, records: np.ndarray, instruments: Instruments) -> None:
    ids, first = np.unique(records["instrument_id"], return_index=True)
    symbols = text_of(block, "symbol").take(first)
    for number, symbol in zip(ids.tolist(), symbols.to_pylist(), strict=True):
        instruments.name(number, symbol)
