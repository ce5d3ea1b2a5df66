"""A hundred writers are killed at random points. None may leave a torn or crossed book that readers show, or a file
that blocks the next writer.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lowlat.engine.matching.records import Side
from lowlat.engine.shared_book.directory import BookSnapshot, Found, MappedBookReader, MappedBookWriter
from lowlat.engine.shared_book.errors import BookError, NoWriterError
from tests.waiting import PATIENCE_S

DEPTH = 1024  # enough levels that a kill often hits an update
KILLS = 100

# One process forks all writers: starting Python a hundred times would take longer than everything else. Each update
# uses its number as quantity, and prices so far from the last ones that sides of two updates would cross.
WRITERS = f"""
import os, sys
import numpy as np
from pathlib import Path
from lowlat.engine.shared_book.directory import MappedBookWriter
from lowlat.engine.matching.records import LEVEL

folder, depth = Path(sys.argv[1]), {DEPTH}
away = np.arange(1, depth + 1)

def sides(number):
    middle = 10_000 + 5_000 * (number % 7)
    for sign in (-1, 1):
        rows = np.zeros(depth, LEVEL)
        rows["price"], rows["quantity"], rows["order_count"] = middle + sign * away, number, 1
        yield rows

def write():
    books = [tuple(sides(number)) for number in range(1, 8)]
    writer = MappedBookWriter("AAPL", folder=folder, depth=depth)
    publish = writer.native.publish_levels
    while True:
        for bids, asks in books:
            publish(bids, asks, int(bids["quantity"][0]))

for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        write()
    print(child, flush=True)
    os.waitpid(child, 0)
    print("dead", flush=True)
"""


@pytest.fixture
def writers(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-P", "-c", WRITERS, str(tmp_path / "books")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, text=True, **pipes) as process:  # type: ignore[call-overload]
        yield process
        process.kill()


def kill_one(writers: subprocess.Popen[str], after_s: float) -> None:
    """Start a writer, and kill it after this time."""
    assert writers.stdin is not None and writers.stdout is not None
    writers.stdin.write("\n")
    writers.stdin.flush()
    writer = int(writers.stdout.readline())
    time.sleep(after_s)
    os.kill(writer, signal.SIGKILL)
    assert writers.stdout.readline() == "dead\n"


def check(book: BookSnapshot) -> None:
    """All levels are of one update and do not cross; or the book is empty, as a new writer's."""
    quantities = set(book.bids["quantity"].tolist()) | set(book.asks["quantity"].tolist())
    assert quantities <= {book.command}, "torn"
    assert len(book.bids) == len(book.asks) == (DEPTH if quantities else 0)
    if quantities:
        assert book.bids["price"][0] < book.asks["price"][0], "crossed"


def read_while_it_lives(folder: Path, seconds: float, seen: Counter[str]) -> None:
    """Read from outside; any error that says why there is no book is fine."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with MappedBookReader("AAPL", folder=folder) as reader:
                while time.monotonic() < end:
                    check(reader.snapshot(DEPTH, patience_s=0.001))
                    seen["read live"] += 1
        except BookError as error:
            seen[type(error).__name__] += 1


def test_a_hundred_killed_writers(writers: subprocess.Popen[str], tmp_path: Path) -> None:
    folder, chance, seen = tmp_path / "books", random.Random(4), Counter[str]()
    kill_one(writers, 0.5)  # once, for the imports
    number = 0
    while number < KILLS or (min(seen["torn"], seen["whole"]) < 5 and number < 10 * KILLS):  # busy, writers start late
        number += 1
        if number % 5 == 0:
            (folder / "AAPL.book").unlink(missing_ok=True)  # so that some are killed while they make the file
        kill_one(writers, chance.choice([0.0, 0.002, 0.008]) + chance.random() * 0.004)
        examine(folder, seen)
    assert seen["torn"] >= 5 and seen["whole"] >= 5, f"the kills hit too few kinds of moments: {seen}"


def examine(folder: Path, seen: Counter[str]) -> None:
    """After a writer's death, a reader shows the whole book or nothing, and the next writer can start."""
    try:
        with MappedBookReader("AAPL", folder=folder, live_only=False) as reader:
            assert not reader.has_writer
            check(reader.snapshot(DEPTH))
            seen["whole"] += 1
    except NoWriterError as error:
        seen["torn" if "died during an update" in str(error) else "never made"] += 1
    except BookError:
        seen["never made"] += 1
    before = seen.copy()
    with MappedBookWriter("AAPL", folder=folder, depth=DEPTH) as writer:
        assert (writer.found is Found.TORN) == (before["torn"] > seen["found torn"])
        seen["found torn"] += writer.found is Found.TORN
        if writer.recovered is not None:
            check(writer.recovered)
        writer.update_level(Side.BUY, 5, 1)
        with MappedBookReader("AAPL", folder=folder) as reader:
            assert reader.best().bid == 5
        writer.update_level(Side.BUY, 5, 0)  # the next one may be killed before it has touched the file


def test_a_reader_of_a_writer_that_is_killed_and_started_again(writers: subprocess.Popen[str], tmp_path: Path) -> None:
    seen = Counter[str]()
    kill_one(writers, 0.5)
    assert writers.stdin is not None and writers.stdout is not None
    for _ in range(10):
        writers.stdin.write("\n")
        writers.stdin.flush()
        writer = int(writers.stdout.readline())
        enough, end = seen["read live"] + 20, time.monotonic() + PATIENCE_S
        while seen["read live"] < enough and time.monotonic() < end:  # it may take its time to start
            read_while_it_lives(tmp_path / "books", 0.02, seen)
        os.kill(writer, signal.SIGKILL)
        read_while_it_lives(tmp_path / "books", 0.005, seen)
        assert writers.stdout.readline() == "dead\n"
    assert seen["read live"] >= 10 * 20, seen
