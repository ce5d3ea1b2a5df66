"""Tables of level-3 events in any columns: CSV, Parquet and Arrow files, by a mapping of what each column means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

from lowlat.engine.feed.records import OrderEvents
from lowlat.engine.feed.source import begun
from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.engine.feed.table_facts import tell
from lowlat.engine.feed.tables import ArrowTable, CsvTable
from lowlat.engine.flow.readers.table.events import TableEvents
from lowlat.engine.flow.readers.table.mapping import column_mapping
from lowlat.engine.flow.registry import Reader
from lowlat.errors import UsageError
from lowlat.inputs import beginning, opened

OWN_COLUMNS: Final = "events"
"""The mapping of what `lowlat convert` writes."""
UNIT: Final = Decimal("1e-9")
"""One price unit of a mapping that names none: fine enough for every venue."""
_PARQUET, _ARROW = b"PAR1", b"ARROW1"


def open_table(path: Path, options: ReadOptions) -> OrderEventStream:
    """The events of a table. Raises `UsageError` for a mapping that is wrong, and where pyarrow is absent;
    `InputError`, naming the file, for a column that it lacks; reading also names row, column and value.
    """
    mapping = column_mapping(options.columns or OWN_COLUMNS)
    stream = OrderEventStream(path, "table", mapping.unit or UNIT, mapping.time_base, iter(()))
    start, pieces = begun(path, len(_ARROW))
    if start.startswith((_PARQUET, _ARROW)):
        parquet = start.startswith(_PARQUET)
        _check_seekable(path, start)
        if options.columns in (None, OWN_COLUMNS):
            with opened(path) as file:
                tell(stream, ArrowTable(path, file, parquet=parquet).metadata)
        stream.blocks = _typed(stream, options, parquet=parquet)
        return stream
    table = CsvTable(path, pieces)
    events = TableEvents(stream, mapping, options, table.names)
    stream.blocks = events.blocks(table.blocks(events.columns))
    return stream


def _check_seekable(path: Path, start: bytes) -> None:
    """Raises `UsageError` unless the file, as it is, can be read from its end, where it says what is in it."""
    if not path.is_file():
        raise UsageError(f"{path}: a {_kind(start)} is read from its end; name a file in place of a pipe")
    if beginning(path, 1) != start[:1]:
        raise UsageError(f"{path}: a {_kind(start)} is read from its end; unpack it")


def _typed(stream: OrderEventStream, options: ReadOptions, *, parquet: bool) -> Iterator[OrderEvents]:
    mapping = column_mapping(options.columns or OWN_COLUMNS)
    with opened(stream.path) as file:
        table = ArrowTable(stream.path, file, parquet=parquet)
        events = TableEvents(stream, mapping, options, table.names)
        yield from events.blocks(table.blocks(events.columns))


def _kind(start: bytes) -> str:
    return {_PARQUET[:3]: "Parquet file", _ARROW[:3]: "Arrow file"}.get(start[:3], "table of events")


READER: Final = Reader(
    name="columns",
    noun="table",
    sentence="a table, .csv, .parquet or .arrow, whose columns --columns names",
    begins=re.compile(rb"PAR1|ARROW1|(?:\xef\xbb\xbf)?time_ns,row,order_id,"),
    suffixes=(".parquet", ".arrow", ".feather"),
    kind=_kind,
    open=open_table,
)
