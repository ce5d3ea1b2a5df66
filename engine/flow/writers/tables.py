"""Level-3 events as tables. The columns have the names of `ORDER_EVENT`'s fields; prices are decimals, exactly, and
symbol, action and side are words.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO

import numpy as np

from lowlat.engine.feed.columns import Ints, decimal_places
from lowlat.engine.feed.records import OrderAction, OrderEvents
from lowlat.engine.feed.stream import OrderEventStream
from lowlat.engine.feed.table_facts import metadata_of
from lowlat.engine.feed.tables import arrow
from lowlat.engine.matching.records import Side
from lowlat.errors import InputError

_INTEGERS = ("time_ns", "row", "order_id", "other_id", "quantity", "flags")


def write_parquet(stream: OrderEventStream, file: BinaryIO) -> int:
    """Write a Parquet file, compressed by Zstandard. Returns the number of events. Raises what reading raises."""
    arrow(stream.path)
    from pyarrow import parquet

    return _written(stream, parquet.ParquetWriter(file, _schema(stream), compression="zstd"))


def write_arrow(stream: OrderEventStream, file: BinaryIO) -> int:
    """Write an Arrow file, as `write_parquet`."""
    return _written(stream, arrow(stream.path).ipc.new_file(file, _schema(stream)))


def write_csv(stream: OrderEventStream, file: BinaryIO) -> int:
    """Write a CSV file with a line of names, as `write_parquet`."""
    arrow(stream.path)
    from pyarrow import csv

    file.write((",".join(_schema(stream).names) + "\n").encode())  # pyarrow would put quotes around them
    options = csv.WriteOptions(include_header=False, quoting_style="needed")
    return _written(stream, csv.CSVWriter(file, _schema(stream), write_options=options))


def _written(stream: OrderEventStream, writer: Any) -> int:
    count = 0
    with writer:
        for batch in _batches(stream):
            writer.write_batch(batch)
            count += len(batch)
    return count


def _schema(stream: OrderEventStream) -> Any:
    pa = arrow(stream.path)
    price = pa.decimal128(38, decimal_places(stream.unit)[0])
    fields = [
        ("time_ns", pa.uint64()),
        ("row", pa.uint64()),
        ("order_id", pa.uint64()),
        ("other_id", pa.uint64()),
        ("price", price),
        ("quantity", pa.uint64()),
        ("symbol", pa.string()),
        ("action", pa.string()),
        ("side", pa.string()),
        ("flags", pa.uint16()),
    ]
    return pa.schema(fields, metadata_of(stream))


def _batches(stream: OrderEventStream) -> Iterator[Any]:
    pa, schema = arrow(stream.path), _schema(stream)
    actions = pa.array(["", *(action.name.lower() for action in OrderAction)])
    sides = pa.array([side.name.lower() for side in Side])
    for events in stream.blocks:
        columns = {name: pa.array(events[name]) for name in _INTEGERS}
        columns["price"] = _prices(stream, events)
        columns["symbol"] = pa.array(stream.symbols).take(pa.array(events["symbol"]))
        columns["action"] = actions.take(pa.array(events["action"]))
        columns["side"] = sides.take(pa.array(events["side"]))
        yield pa.record_batch([columns[name].cast(schema.field(name).type) for name in schema.names], schema)


def _prices(stream: OrderEventStream, events: OrderEvents) -> Any:
    """Price units as decimals: 128-bit integers of the unit's last place."""
    pa = arrow(stream.path)
    places, times = decimal_places(stream.unit)
    _check_range(stream, events, times)
    halves = np.empty((len(events), 2), np.int64)
    halves[:, 0] = events["price"] * times
    halves[:, 1] = halves[:, 0] >> 63
    return pa.Array.from_buffers(pa.decimal128(38, places), len(events), [None, pa.py_buffer(halves)])


def _check_range(stream: OrderEventStream, events: OrderEvents, times: int) -> None:
    most = (2**63 - 1) // times
    prices: Ints = events["price"]
    outside = (prices > most) | (prices < -most)
    if outside.any():
        at = int(np.argmax(outside))
        price = Decimal(int(prices[at])) * stream.unit
        raise InputError(f"{stream.path}, row {events['row'][at]}, price: {price} has more digits than a table holds")
