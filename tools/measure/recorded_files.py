"""The events of a made market in each format, for `readers.py`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from made_market import Row, lobster_line, rows_of
from pyarrow import csv, parquet

from lowlat.engine.flow.readers.databento.records import MBO

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.dbn_files import DAY_NS, metadata
from tests.itch_by_hand import message, prefixed

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ITCH_ROWS = 300_000
"""The most that are written as ITCH, message by message."""
COLUMNS = "time=ts,id=oid,side=side,action=type:{A=add,C=cancel,F=execute},price=px,quantity=qty,unit=0.01"


def messages(rows: list[Row]) -> np.ndarray:
    """As DBN records. An execution is a trade, its fill and the cancel that tells it again."""
    columns = np.array(rows, np.int64)
    records_each = np.where(columns[:, 1] == 4, 3, 1)
    at = np.repeat(np.arange(len(rows)), records_each)
    part = np.arange(len(at)) - np.repeat(np.cumsum(records_each) - records_each, records_each)
    time_ns, kind, order_id, cents, side = columns[at].T
    records = np.zeros(len(at), MBO)
    records["length"], records["rtype"], records["instrument_id"] = MBO.itemsize // 4, 160, 1
    letters = np.where(kind == 4, np.frombuffer(b"TFC", "u1")[part], np.where(kind == 1, ord("A"), ord("C")))
    records["action"] = letters
    records["flags"] = np.where((kind == 4) & (part < 2), 0, 128)
    records["ts_event"] = records["ts_recv"] = DAY_NS + time_ns
    records["order_id"] = np.where(letters == ord("T"), 0, order_id)
    records["side"] = np.where((side == 1) != (letters == ord("T")), ord("B"), ord("A"))
    records["price"], records["size"], records["sequence"] = cents * 10**7, 100, np.arange(len(at))
    return records


def table(records: np.ndarray) -> pa.Table:
    """The same events in columns that `COLUMNS` maps: of an execution, its fill."""
    action = records["action"]
    kept = records[(action != ord("T")) & ((action != ord("C")) | (np.roll(action, 1) != ord("F")))]
    letters = {name: kept[name].tobytes().decode() for name in ("side", "action")}
    cents = kept["price"] // 10**7
    return pa.table(
        {
            "ts": kept["ts_event"],
            "oid": kept["order_id"],
            "side": list(letters["side"].replace("A", "S")),
            "type": list(letters["action"]),
            "px": pa.array(cents).cast(pa.decimal128(20, 0)).cast(pa.decimal128(22, 2)),
            "qty": kept["size"],
        }
    )


def databento_csv(records: np.ndarray, path: Path) -> None:
    """The vendor's CSV with raw prices and times."""
    names = ["ts_recv", "ts_event", "rtype", "publisher_id", "instrument_id", "action", "side", "price", "size"]
    names += ["channel_id", "order_id", "flags", "ts_in_delta", "sequence"]
    columns = {
        name: list(records[name].tobytes().decode()) if name in ("action", "side") else records[name] for name in names
    }
    csv.write_csv(pa.table(columns), path, csv.WriteOptions(quoting_style="none"))


def itch(rows: list[Row]) -> bytes:
    """As NASDAQ ITCH."""
    named = {"locate": 1, "stock": "XYZ"}
    messages = [message("S", event_code=b"O"), message("R", **named)]
    for number, row in enumerate(rows, 1):
        order = {"locate": 1, "order_id": row.order_id}
        if row.kind == 1:
            side = b"B" if row.side == 1 else b"S"
            messages.append(
                message("A", row.time_ns, stock="XYZ", **order, shares=100, side=side, price=row.cents * 100)
            )
        elif row.kind == 3:
            messages.append(message("D", row.time_ns, **order))
        else:
            messages.append(message("E", row.time_ns, **order, shares=100, match=number))
    return prefixed([*messages, message("S", rows[-1].time_ns, event_code=b"C")])


def files_in(folder: Path, count: int) -> dict[str, tuple[Path, str | None]]:
    """File and mapping of each format, by its name in a table; so many events each."""
    rows = list(rows_of(count))
    records = messages(rows)
    data = metadata() + records.tobytes()
    (folder / "day.dbn").write_bytes(data)
    (folder / "day.dbn.zst").write_bytes(zstd.compress(data))
    databento_csv(records, folder / "databento.csv")
    mapped = table(records)
    csv.write_csv(mapped, folder / "mapped.csv", csv.WriteOptions(quoting_style="none"))
    parquet.write_table(mapped, folder / "day.parquet")
    (folder / "made.itch").write_bytes(itch(rows[:ITCH_ROWS]))
    with (folder / "lobster.csv").open("w") as file:
        file.writelines(map(lobster_line, rows))
    return {
        "`dbn`": (folder / "day.dbn", None),
        "`dbn`, .zst": (folder / "day.dbn.zst", None),
        "`dbn`, CSV": (folder / "databento.csv", None),
        "`columns`, CSV": (folder / "mapped.csv", COLUMNS),
        "`columns`, Parquet": (folder / "day.parquet", COLUMNS),
        "`lobster`": (folder / "lobster.csv", None),
    }
