"""Databento files of schema MBO (market by order): DBN versions 1 to 3, and the vendor's CSV.

Prices are integers of 10^-9 (`UNIT`), times are `ts_event`, in nanoseconds since the Unix epoch. Formats and meanings:
https://databento.com/docs/schemas/mbo and https://databento.com/docs/conventions/common-fields-enums-types.

How each record is converted
----------------------------
A add             ADD
C cancel          REDUCE by its size, which the vendor gives as the quantity that goes; CANCEL where that is 0
M modify          UPSERT: the order has this side, price and size; CANCEL where its size is 0
R clear           CLEAR
F fill            a resting order traded. The vendor tells its effect on the book again, as a C or M of the same order
                  in the same event of the venue, so the two become one: the F an EXECUTE, and the C gives only what it
                  takes beyond that. An M stays, and says what the order is afterwards, such as after an iceberg's
                  refill. What no C or M takes off, as of an iceberg's hidden part, is a TRADE.
T trade           the aggressive order's side of the fills that follow it: no event, but its order id, if told, is
                  their `other_id`. What no fill explains traded with a hidden order: a TRADE, with the side of that.
N none            no event; only its flags count

Only A, C, M and R change a book at the vendor's, so the events leave the same book, and the quantity traded is counted
once. Records of top-of-book feeds (F_TOB), which tell of no order, and those without a price, a side or a quantity are
left out and counted.

Flags: F_SNAPSHOT is SNAPSHOT. F_BAD_TS_RECV is BAD_TIME. F_MAYBE_BAD_BOOK, by which the vendor tells of a lost message,
is GAP. F_LAST is LAST, on the last event of a group.

`faults` counts the records with F_MAYBE_BAD_BOOK, and those whose time or whose sequence number in their channel goes
back. A jump ahead in sequence numbers is no fault: they count all instruments of a channel, of which a file has some.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Final

from lowlat import units
from lowlat.engine.feed.source import begun
from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.engine.flow.readers.databento.events import events_of
from lowlat.engine.flow.readers.databento.instruments import Instruments
from lowlat.engine.flow.readers.databento.intake import Intake
from lowlat.engine.flow.readers.databento.metadata import PRELUDE_BYTES, metadata_bytes, read_metadata
from lowlat.engine.flow.readers.databento.records import MboBlock, RecordReader
from lowlat.engine.flow.registry import Reader
from lowlat.errors import InputError

UNIT: Final = Decimal("1e-9")
"""One price unit."""
_CSV: Final = re.compile(rb'(?:\xef\xbb\xbf)?(?:"{2})?,?"?ts_recv"?, ?"?ts_event"?, ?"?rtype"?, ?"?publisher_id"?,')
_BEGINNING_BYTES: Final = 64
"""As many as show what a file is."""


def open_databento(path: Path, options: ReadOptions) -> OrderEventStream:
    """The events of a file, plain or compressed. Raises `InputError`, naming the file, if it is neither DBN nor CSV of
    schema MBO; reading also names the record.
    """
    start, pieces = begun(path, _BEGINNING_BYTES)
    stream = OrderEventStream(path, "DBN file", UNIT, "unix", iter(()))
    if _CSV.match(start):
        from lowlat.engine.flow.readers.databento.text import csv_blocks

        instruments = Instruments(None, options.symbols, stream.symbols)
        blocks = csv_blocks(path, pieces, instruments)
    else:
        instruments, blocks = _dbn_blocks(stream, options, start, pieces)
    stream.blocks = events_of(Intake(stream, options, instruments).rows(blocks), stream.left_out)
    return stream


def _dbn_blocks(
    stream: OrderEventStream, options: ReadOptions, start: bytes, pieces: Iterator[bytes]
) -> tuple[Instruments, Iterator[MboBlock]]:
    path = stream.path
    end = PRELUDE_BYTES + metadata_bytes(path, start[:PRELUDE_BYTES])
    head = bytearray()
    while len(head) < end and (more := next(pieces, None)) is not None:
        head += more
    if len(head) < end:
        raise InputError(
            f"{path}: it ends within its metadata, after {units.counted(len(head), 'byte')}; fetch it again"
        )
    metadata = read_metadata(path, head[3], bytes(head[PRELUDE_BYTES:end]))
    instruments = Instruments(metadata, options.symbols, stream.symbols)
    reader = RecordReader(path, end, metadata.record_tail_bytes, stream.messages)
    return instruments, _named(reader, instruments, chain([bytes(head[end:])], pieces))


def _named(reader: RecordReader, instruments: Instruments, pieces: Iterator[bytes]) -> Iterator[MboBlock]:
    """The reader's blocks; names that records before them tell are known by then."""
    for block in reader.blocks(pieces):
        for number, record in reader.mapped:
            instruments.learn(number, record)
        reader.mapped.clear()
        yield block


def _kind(start: bytes) -> str:
    return f"DBN v{start[3]} file" if start.startswith(b"DBN") else "Databento CSV file"


READER: Final = Reader(
    name="dbn",
    noun="DBN file",
    sentence="a Databento file of schema MBO, .dbn or .csv",
    begins=re.compile(rb"DBN[\x01-\x1f]|" + _CSV.pattern),
    suffixes=(".dbn",),
    kind=_kind,
    open=open_databento,
)
