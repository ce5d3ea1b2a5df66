"""A recorded day larger than memory would hold streams through: its memory is that of the live orders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from lowlat.child_process import python_running

ROOT = Path(__file__).parents[2]
GROWTH_MAX_KIB = 16 << 10
"""What allocators may keep."""
REBUILD_MAX_BYTES = 1536 << 20

READ = """
from pathlib import Path
from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow.readers.itch import open_itch

def peak_kib():
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))

stream = open_itch(Path("/dev/stdin"), ReadOptions())
blocks, events, early = 0, 0, 0
for block in stream.blocks:
    blocks += 1
    events += len(block)
    if blocks == 500:
        early = peak_kib()
left_out, faults = sum(stream.left_out.values()), sum(stream.faults.values())
print(events + left_out, sum(stream.messages.values()), len(stream.symbols), faults, early, peak_kib())
"""


@contextmanager
def day_of(messages: int) -> Iterator[IO[bytes]]:
    """Generated into a pipe, so that it is nowhere whole."""
    words = [
        sys.executable,
        "-P",
        str(ROOT / "tools/measure/itch_day.py"),
        str(messages),
        "--live",
        "4M",
    ]  # half are ever live
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"}) as day:
        assert day.stdout is not None, "it is a pipe"
        yield day.stdout


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process's memory is read from /proc")
def test_the_memory_of_a_reader_does_not_grow_with_its_file() -> None:
    with day_of(20_000_000) as day:
        read = subprocess.run([sys.executable, "-P", "-c", READ], stdin=day, capture_output=True, text=True, check=True)
    counted, messages, symbols, faults, early, peak = map(int, read.stdout.split())
    assert messages == counted == 20_000_000 and symbols == 8_000 and faults == 0
    assert peak < early + GROWTH_MAX_KIB


@pytest.mark.slow
def test_the_books_of_a_day_of_100_million_messages_are_rebuilt_in_bounded_memory() -> None:
    rebuild = [*python_running("lowlat"), "replay", "-", "--format", "itch", "--mode", "rebuild", "--json", "--no-lock"]
    with day_of(100_000_000) as day:
        done = subprocess.run(rebuild, stdin=day, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["events"] + sum(found["left_out"].values()) == sum(found["messages"].values()) == 100_000_000
    assert (found["symbols"], found["faults"], found["contradictions"]) == (8_000, {}, {})
    assert found["live_orders_max"] > 900_000
    assert found["memory_max_bytes"] < REBUILD_MAX_BYTES
