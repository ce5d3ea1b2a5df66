"""The same order events in each format, for `readers.py`: adds, cancels and executions of one symbol."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from lowlat.engine.flow.readers.databento.records import MBO

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.dbn_files import DAY_NS, metadata

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COLUMNS = "time=ts,id=oid,side=side,action=type:{A=add,C=reduce,F=execute},price=px,quantity=qty,unit=0.01"


def messages(count: int) -> np.ndarray:
    """As DBN records. Of ten, five add, and one is a trade, its fill and the cancel that tells it again."""
    rng = np.random.default_rng(7)
    records = np.zeros(count, MBO)
    records["length"], records["rtype"], records["instrument_id"] = MBO.itemsize // 4, 160, 1
    records["action"] = np.tile(np.frombuffer(b"AACACATFCA", "u1"), count // 10 + 1)[:count]
    alone = ~np.isin(np.arange(count) % 10, (6, 7))
    records["flags"] = np.where(alone, 128, 0)
    records["ts_event"] = records["ts_recv"] = DAY_NS + np.cumsum(np.where(alone, rng.integers(1, 9_999, count), 0))
    records["order_id"] = np.arange(count) // 3 * 3 + 1
    records["order_id"][8::10] = records["order_id"][7::10][: len(records["order_id"][8::10])]
    records["side"] = rng.choice(np.frombuffer(b"AB", "u1"), count)
    records["price"] = rng.integers(10_000, 10_100, count) * 10**7
    records["size"] = 100
    records["sequence"] = np.arange(count)
    return records


def table(records: np.ndarray) -> pa.Table:
    """The same messages but for trades, in columns that `COLUMNS` maps."""
    kept = records[records["action"] != ord("T")]
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


def lobster(records: np.ndarray, path: Path) -> None:
    """The messages that LOBSTER has, with the numbers that its format gives them."""
    kept = records[records["action"] != ord("T")]
    kind = np.select([kept["action"] == ord(letter) for letter in "AC"], [1, 2], 4)
    seconds = 34_200 + (kept["ts_event"] - DAY_NS) / 1e9
    rows = zip(
        seconds,
        kind,
        kept["order_id"],
        kept["size"],
        kept["price"] // 10**5,
        np.where(kept["side"] == 66, 1, -1),
        strict=True,
    )
    path.write_text("".join(f"{s:.9f},{k},{i},{q},{p},{d}\n" for s, k, i, q, p, d in rows))


def files_in(folder: Path, count: int) -> dict[str, tuple[Path, str | None]]:
    """File and mapping of each format, by its name in a table; so many messages each, or those of them that it has."""
    records = messages(count)
    data = metadata() + records.tobytes()
    (folder / "day.dbn").write_bytes(data)
    (folder / "day.dbn.zst").write_bytes(zstd.compress(data))
    databento_csv(records, folder / "databento.csv")
    mapped = table(records)
    csv.write_csv(mapped, folder / "mapped.csv", csv.WriteOptions(quoting_style="none"))
    parquet.write_table(mapped, folder / "day.parquet")
    lobster(records, folder / "lobster.csv")
    return {
        "`dbn`": (folder / "day.dbn", None),
        "`dbn`, .zst": (folder / "day.dbn.zst", None),
        "`dbn`, CSV": (folder / "databento.csv", None),
        "`columns`, CSV": (folder / "mapped.csv", COLUMNS),
        "`columns`, Parquet": (folder / "day.parquet", COLUMNS),
        "`lobster`": (folder / "lobster.csv", None),
    }
