"""What reading recorded orders costs, by format: `python tools/measure/readers.py [--rounds N] [--peers PYTHON]`.

A synthetic ITCH day (`tests/itch_day.py`, 8,000 symbols) is written once in each form, and so are events of one symbol
in the other formats (`recorded_files.py`). They are read in turn: medians of CPU time over the rounds, in messages per
second, and the peak memory of the process that reads it. The packages `itchfeed`, `itchcpp` and `meatpy` are installed
from PyPI into an environment that is thrown away, or are those of the interpreter `--peers`, and read the first
messages of the same day in the same rounds.
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

sys.path.insert(0, str(Path(__file__).parents[2]))

from recorded_files import files_in

from lowlat.probes.host.facts import host_facts
from tests.itch_by_hand import capture, datagram, linked, packets
from tests.itch_day import ItchDay

MESSAGES, LIVE, OTHER_MESSAGES, PEER_MESSAGES = 4_000_000, 500_000, 1_000_000, 300_000
PACKETED, EACH = 2_000_000, 20
"""Messages of the capture, and of one of its packets."""

PEERS = ("itchfeed==1.6.4", "itchcpp==1.6.4", "meatpy==0.5.0")

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
READ = """
from pathlib import Path
from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow.registry import reader_of
reader = reader_of(Path(PATH), "columns" if COLUMNS else None)
options = ReadOptions(symbols=frozenset(SYMBOLS), columns=COLUMNS)
begin = time.process_time()
stream = reader.open(Path(PATH), options)
for block in stream.blocks:
    pass
count = sum(stream.messages.values())
"""
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
END = """
taken = time.process_time() - begin
peak = next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'))
print(count / taken, peak)
"""


class Way:
    """A way to read one file, and what it took in each round."""

    def __init__(self, name: str, code: str, path: Path, *, python: str = sys.executable, **names: object) -> None:
        told = {"PATH": str(path), "SYMBOLS": (), "COLUMNS": None, **names}
        given = "".join(f"{key} = {value!r}\n" for key, value in told.items())
        self.name, self._python, self._code = name, python, f"import time\n{given}{code}{END}"
        self._pure = "pure" in name
        self._holds_all = "memory" in name
        self.rates: list[float] = []
        self.peaks: list[int] = []

    def run(self) -> None:
        """Read the file in a process of its own."""
        environment = os.environ | ({"ITCH_NO_CPP": "1"} if self._pure else {})
        words = [self._python, "-P", "-c", self._code]
        told = subprocess.run(words, check=True, capture_output=True, text=True, env=environment).stdout.split()
        self.rates.append(float(told[0]))
        self.peaks.append(int(told[1]))

    def row(self) -> str:
        """A row of the table."""
        rate = median(self.rates) / 1e6
        peak = "" if self._holds_all else f"{median(self.peaks) / 1024:.0f} MiB"
        return f"| {self.name} | {rate:.{1 if rate >= 1 else 2}f} M | {peak} |"


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


def ways_of(files: dict[str, Path], others: dict[str, tuple[Path, str | None]], peers: str | None) -> list[Way]:
    """All that is compared."""
    ways = [
        Way("decoder alone, from memory", DECODE, files["day.itch"]),
        Way("`itch`", READ, files["day.itch"]),
        Way("`itch`, one symbol of 8,000", READ, files["day.itch"], SYMBOLS=("AAAA",)),
        Way("`itch`, .gz", READ, files["day.itch.gz"]),
        Way("`itch`, .pcap", READ, files["day.pcap"]),
        *(Way(name, READ, path, COLUMNS=columns) for name, (path, columns) in others.items()),
    ]
    if peers:
        short = files["short.itch"]
        ways += [
            Way("itchfeed with itchcpp", ITCHFEED, short, python=peers),
            Way("itchfeed, pure Python", ITCHFEED, short, python=peers),
            Way("meatpy", MEATPY, short, python=peers),
        ]
    return ways


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
        ways = ways_of(files_of(Path(name)), files_in(Path(name), OTHER_MESSAGES), peers)
        for _ in range(asked.rounds):
            for way in ways:
                way.run()
    host = host_facts()
    print(f"{host.cpu_brand.value}, {host.logical_cpus.value} CPUs; Python {sys.version.split()[0]}; ", end="")
    print(f"{MESSAGES:,} messages of ITCH, {OTHER_MESSAGES:,} of other formats, ", end="")
    print(f"{PEER_MESSAGES:,} for other packages; {asked.rounds} rounds.\n")
    if peers is None:
        print("itchfeed, itchcpp and meatpy: not available here, because pip cannot install them.\n")
    print("| reader | messages/s of CPU time | peak memory |\n|---|--:|--:|")
    for way in ways:
        print(way.row())


if __name__ == "__main__":
    main()
