"""Level-3 feeds."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

from lowlat.engine.feed.records import OrderAction, OrderEventFlag
from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.engine.flow.readers.databento import metadata, open_databento
from tests.dbn_files import DOLLAR, LAST, MAYBE_BAD_BOOK, SNAPSHOT, dbn, other_record, record, symbol_mapping
from tests.fuzz.parsers.target import Target, written

_FLAGS = sum(OrderEventFlag)


def _read_dbn(data: bytes, folder: Path) -> None:
    read_events(open_databento(written(folder, "day.dbn", data), ReadOptions()))


def read_events(stream: OrderEventStream) -> None:
    """Reads the stream, and checks what every stream promises."""
    row = events = 0
    for block in stream.blocks:
        assert len(block), "no block is empty"
        events += len(block)
        assert (block["symbol"] < len(stream.symbols)).all(), "every symbol has a name"
        assert (block["row"][1:] >= block["row"][:-1]).all() and block["row"][0] >= row, "events stand as in the file"
        row = int(block["row"][-1])
        assert set(block["action"].tolist()) <= set(OrderAction) and (block["side"] <= 1).all()
        assert (block["flags"] <= _FLAGS).all() and not block["quantity"][block["action"] == OrderAction.CLEAR].any()
    assert events <= 2 * sum(stream.messages.values()), "a record has at most two events"


def _seeds() -> list[bytes]:
    def sell(action: str, order_id: int, size: int, flags: int = LAST) -> bytes:
        return record(action, order_id, "A", 5 * DOLLAR, size, flags=flags, at=9, sequence=3)

    records = [
        record("R", flags=SNAPSHOT),
        sell("A", 7, 30),
        record("T", 9, "B", 5 * DOLLAR, 20, at=9),
        sell("F", 7, 15, 0),
        sell("C", 7, 10, MAYBE_BAD_BOOK),
        sell("M", 7, 5),
        record("N"),
    ]
    mapping = ("ARL", [(20260105, 20260106, "1")])
    whole = [dbn(records, version, mappings=[mapping]) for version in (1, 2, 3)]
    live = [symbol_mapping(3, 1, "ARL"), *records, other_record(23, b"beat")]
    return [*whole, dbn(live, schema=0xFFFF), dbn([record("A", 1, "B", 5, 5, ts_out=1)], ts_out=True)]


def _plant_dbn() -> None:
    """A reader that takes the end of the metadata for granted."""
    mock.patch.object(metadata, "InputError", lambda *words: ValueError(words)).start()


DBN = Target(
    "dbn",
    _read_dbn,
    _seeds,
    _plant_dbn,
    tuple(
        f"engine/flow/readers/databento/{name}.py"
        for name in ("__init__", "metadata", "records", "instruments", "intake", "events", "pairing")
    ),
)
