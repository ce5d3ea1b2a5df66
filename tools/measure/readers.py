"""What recorded orders cost, by format: `python tools/measure/readers.py [--rounds N] [--peers PYTHON]`.

A synthetic ITCH day (`tests/itch_day.py`, 8,000 symbols) is written once in each form, and so are events of a made
market in the other formats (`recorded_files.py`). In turn, each file is decoded; rebuilt, which also applies its events
to books; and matched, which makes commands of it and executes them. Medians of CPU time over the rounds, from the file
on, as messages, events and commands per second; and the peak memory of the process that decodes, and of the one that
matches.

The packages `itchfeed`, `itchcpp`, `meatpy`, `hftbacktest`, `databento` and `order-book` are installed from PyPI into
an environment that is thrown away, or are those of the interpreter `--peers`. They take the first messages of the same
files in the same rounds.
"""

from __future__ import annotations

import argparse
import gzip
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from statistics import median
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from made_market import rows_of
from recorded_files import files_in

from lowlat.probes.host.facts import host_facts
from tests.itch_by_hand import capture, datagram, linked, packets
from tests.itch_day import ItchDay

MESSAGES, LIVE, OTHER_MESSAGES, PEER_MESSAGES = 4_000_000, 500_000, 1_000_000, 300_000
"""Messages of an ITCH day, of which so many orders live; of other formats; to match, and for other packages."""
PACKETED, EACH = 2_000_000, 20
"""Messages of the capture, and of one of its packets."""

PEERS = (
    *("itchfeed==1.6.4", "itchcpp==1.6.4", "meatpy==0.5.0"),
    *("hftbacktest==2.4.4", "databento==0.88.0", "order-book==0.6.1"),
)

DECODE = """
from lowlat.engine import _core
from lowlat.engine.feed.records import ORDER_EVENT
import numpy as np
data = open(PATH, 'rb').read()
pieces = [data[at : at + (1 << 20)] for at in range(0, len(data), 1 << 20)]
stream, events = _core.ItchStream(_core.ItchFraming.PREFIXED, [], None), np.zeros(16_384, ORDER_EVENT)
begin = time.process_time()
for piece in pieces:
    at = 0
    while at < len(piece):
        at += stream.decode(piece, at, events)[0]
count = stream.rows
"""
OPEN = """
from pathlib import Path
from lowlat.engine.bench.rebuild import BookBuilder
from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow.recording import recorded_flow
from lowlat.engine.flow.registry import reader_of
from lowlat.engine import Engine
reader = reader_of(Path(PATH), "columns" if COLUMNS else None)
options = ReadOptions(symbols=frozenset(SYMBOLS), columns=COLUMNS)
begin = time.process_time()
"""
DECODED = (
    OPEN
    + """
stream = reader.open(Path(PATH), options)
for block in stream.blocks:
    pass
count = sum(stream.messages.values())
"""
)
REBUILT = (
    OPEN
    + """
builder, count = BookBuilder(), 0
for block in reader.open(Path(PATH), options).blocks:
    builder.apply(block)
    count += len(block)
"""
)
MATCHED = (
    OPEN
    + """
flow = reader.flow(Path(PATH), options=options)
Engine(flow.instruments, orders=max(flow.orders, 1)).process(flow.commands)
count = len(flow.commands)
"""
)
ITCHFEED = """
from itch.parser import MessageParser
begin = time.process_time()
count = sum(1 for _ in MessageParser().parse_file(open(PATH, 'rb')))
"""
MEATPY = """
from meatpy.itch50 import ITCH50MessageReader
begin = time.process_time()
count = sum(1 for _ in ITCH50MessageReader().read_file(PATH))
"""
HFTBACKTEST = """
import contextlib, io
from hftbacktest.data.utils.databento import convert
begin = time.process_time()
with contextlib.redirect_stdout(io.StringIO()):
    count = len(convert(PATH, None))
"""
ORDER_BOOK = """
from order_book import OrderBook
rows = [tuple(map(int, line.split(","))) for line in open(PATH)]
begin = time.process_time()
book, orders, totals = OrderBook(), {}, {}
for kind, order_id, side, price, quantity in rows:
    levels = book.bids if side == 1 else book.asks
    if kind == 1:
        orders[order_id] = price
        totals[side, price] = levels[price] = totals.get((side, price), 0) + quantity
    else:
        price = orders.pop(order_id)
        left = totals[side, price] = totals[side, price] - quantity
        if left:
            levels[price] = left
        else:
            del levels[price]
count = len(rows)
"""
END = """
taken = time.process_time() - begin
peak = next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'))
print(count / taken, peak)
"""


class Work:
    """Something that is done with one file in a process of its own, and what it took in each round."""

    def __init__(
        self, code: str, path: Path, *, python: str = sys.executable, pure: bool = False, **told: object
    ) -> None:
        told = {"PATH": str(path), "SYMBOLS": (), "COLUMNS": None, **told}
        given = "".join(f"{key} = {value!r}\n" for key, value in told.items())
        self._python, self._code, self._pure = python, f"import time\n{given}{code}{END}", pure
        self.rates: list[float] = []
        self.peaks: list[int] = []

    def run(self) -> None:
        """Do it once."""
        environment = os.environ | ({"ITCH_NO_CPP": "1"} if self._pure else {})
        words = [self._python, "-P", "-c", self._code]
        told = subprocess.run(words, check=True, capture_output=True, text=True, env=environment).stdout.split()
        self.rates.append(float(told[0]))
        self.peaks.append(int(told[1]))

    def rate(self) -> str:
        """The median, per second."""
        rate = median(self.rates) / 1e6
        return f"{rate:.{1 if rate >= 1 else 2}f} M"

    def peak(self) -> str:
        """The median, of the process."""
        return f"{median(self.peaks) / 1024:.0f}"


class Way(NamedTuple):
    """A row of the table: what is done by a reader, or another package."""

    name: str
    decoded: Work | None = None
    rebuilt: Work | None = None
    matched: Work | None = None
    holds_all: bool = False

    def works(self) -> list[Work]:
        """All that is done."""
        return [work for work in (self.decoded, self.rebuilt, self.matched) if work is not None]

    def row(self) -> str:
        """As text."""
        rates = [work.rate() if work else "" for work in (self.decoded, self.rebuilt, self.matched)]
        held = () if self.holds_all else (self.decoded or self.rebuilt, self.matched)
        peaks = " / ".join(work.peak() for work in held if work)
        return f"| {' | '.join([self.name, *rates, peaks])} |"


def files_of(folder: Path) -> dict[str, Path]:
    """The day in each form."""
    files = {name: folder / name for name in ("day.itch", "day.itch.gz", "day.pcap", "short.itch")}
    blocks = list(ItchDay(MESSAGES, live=LIVE).blocks())
    files["day.itch"].write_bytes(b"".join(blocks))
    files["day.itch.gz"].write_bytes(gzip.compress(b"".join(blocks), 6))
    for name, messages in (("day.pcap", PACKETED), ("short.itch", PEER_MESSAGES)):
        data = b"".join(ItchDay(messages, live=LIVE).blocks())
        if name == "day.pcap":
            frames = (linked(datagram(each)) for each in packets(messages_of(data), EACH))
            data = capture(frames)
        else:
            data = data[:-2]  # meatpy fails at the end of the session
        files[name].write_bytes(data)
    return files


def messages_of(data: bytes) -> list[bytes]:
    """Messages behind their lengths, one by one."""
    found, at = [], 0
    while length := int.from_bytes(data[at : at + 2], "big"):
        found.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return found


def lowlat_way(name: str, path: Path, few: Path | None, **told: object) -> Way:
    """A reader; what it decodes of `path`, and matches of `few`."""
    matched = Work(MATCHED, few, **told) if few else None
    return Way(name, Work(DECODED, path, **told), Work(REBUILT, path, **told), matched)


def ways_of(folder: Path, peers: str | None) -> list[Way]:
    """All that is compared."""
    files, others = files_of(folder), files_in(folder, OTHER_MESSAGES)
    (folder / "few").mkdir()
    few = files_in(folder / "few", PEER_MESSAGES)
    day, short = files["day.itch"], files["short.itch"]
    ways = [
        Way("decoder alone, from memory", Work(DECODE, day), holds_all=True),
        lowlat_way("`itch`", day, folder / "few" / "made.itch"),
        Way("`itch`, one symbol of 8,000", Work(DECODED, day, SYMBOLS=("AAAA",))),
        lowlat_way("`itch`, .gz", files["day.itch.gz"], None),
        lowlat_way("`itch`, .pcap", files["day.pcap"], None),
        *(lowlat_way(name, path, few[name][0], COLUMNS=columns) for name, (path, columns) in others.items()),
    ]
    return ways + (peers_of(folder, short, few["`dbn`"][0], peers) if peers else [])


def peers_of(folder: Path, itch: Path, dbn: Path, python: str) -> list[Way]:
    """The other packages."""
    rows = folder / "rows.csv"
    lines = (f"{row.kind},{row.order_id},{row.side},{row.cents},100\n" for row in rows_of(PEER_MESSAGES))
    rows.write_text("".join(lines))
    return [
        Way("itchfeed with itchcpp", Work(ITCHFEED, itch, python=python)),
        Way("itchfeed, pure Python", Work(ITCHFEED, itch, python=python, pure=True)),
        Way("meatpy", Work(MEATPY, itch, python=python)),
        Way("hftbacktest's converter of DBN", Work(HFTBACKTEST, dbn, python=python)),
        Way("order-book, from a list", rebuilt=Work(ORDER_BOOK, rows, python=python)),
    ]


def interpreter_with_peers(folder: Path) -> str | None:
    """Of a new environment with the other readers; None where they cannot be installed."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin/python")
    told = subprocess.run([python, "-m", "pip", "install", "-q", *PEERS], capture_output=True, check=False)
    return python if told.returncode == 0 else None


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        peers = asked.peers or interpreter_with_peers(Path(name) / "peers")
        ways = ways_of(Path(name), peers)
        for _ in range(asked.rounds):
            for work in [work for way in ways for work in way.works()]:
                work.run()
    host = host_facts()
    print(f"{host.cpu_brand.value}, {host.logical_cpus.value} CPUs; Python {sys.version.split()[0]}; ", end="")
    print(f"{MESSAGES:,} messages of ITCH, {OTHER_MESSAGES:,} of other formats, ", end="")
    print(f"{PEER_MESSAGES:,} to match and for other packages; {asked.rounds} rounds.\n")
    if peers is None:
        print("Other packages: not available here, because pip cannot install them.\n")
    print("| per second of CPU time | messages decoded | events rebuilt | commands matched | peak memory, MiB |")
    print("|---|--:|--:|--:|--:|")
    for way in ways:
        print(way.row())


if __name__ == "__main__":
    main()
