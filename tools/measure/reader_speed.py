"""How fast recorded orders are read: `python tools/measure/reader_speed.py [MESSAGES]`.

Each format holds the same messages, made here: adds, cancels and executions of one symbol. Readers take turns; CPU time
of this process, median of five passes.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow.readers.databento.records import MBO
from lowlat.engine.flow.registry import READERS

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.dbn_files import DAY_NS, metadata

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PASSES = 5
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


def files(folder: Path, count: int) -> dict[str, tuple[str, Path, str | None]]:
    """Reader, file and mapping of each format, by its name here."""
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
        "DBN": ("dbn", folder / "day.dbn", None),
        "DBN, .zst": ("dbn", folder / "day.dbn.zst", None),
        "Databento CSV": ("dbn", folder / "databento.csv", None),
        "CSV by mapping": ("columns", folder / "mapped.csv", COLUMNS),
        "Parquet by mapping": ("columns", folder / "day.parquet", COLUMNS),
        "LOBSTER": ("lobster", folder / "lobster.csv", None),
    }


def reading(name: str, path: Path, mapping: str | None) -> Callable[[], int]:
    """Reads a file to its end; gives the number of messages."""
    opener = READERS.get(name).open

    def read() -> int:
        assert opener is not None
        stream = opener(path, ReadOptions(columns=mapping))
        for _ in stream.blocks:
            pass
        return sum(stream.messages.values())

    return read


def main() -> None:
    """Print messages per second of CPU time by format."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        readers = {label: (reading(*made), made[1]) for label, made in files(Path(folder), count).items()}
        taken: dict[str, list[float]] = {label: [] for label in readers}
        counts = {}
        for _ in range(PASSES):
            for label, (read, _path) in readers.items():
                start = time.process_time()
                counts[label] = read()
                taken[label].append(time.process_time() - start)
        print(f"{'':20}{'messages':>12}{'M/s':>8}{'MB/s':>8}")
        for label, (_, path) in readers.items():
            seconds = statistics.median(taken[label])
            size = path.stat().st_size
            print(f"{label:20}{counts[label]:12,}{counts[label] / seconds / 1e6:8.2f}{size / seconds / 1e6:8.0f}")


if __name__ == "__main__":
    main()
