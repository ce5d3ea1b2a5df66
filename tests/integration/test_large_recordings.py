"""A recorded day larger than memory would hold streams through the reader: its memory stays that of a small file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MESSAGES = 100_000_000
GROWTH_MAX_KIB = 16 << 10
"""What allocators may keep; the day has 3 GB."""

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


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process's memory is read from /proc")
def test_a_day_of_100_million_messages_is_read_in_the_memory_of_a_small_one() -> None:
    """Generated into a pipe, so that it is nowhere whole."""
    words = [sys.executable, "-P", str(ROOT / "tools/measure/itch_day.py"), str(MESSAGES), "--live", "2M"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"}) as day:
        read = subprocess.run(
            [sys.executable, "-P", "-c", READ], stdin=day.stdout, capture_output=True, text=True, check=True
        )
    counted, messages, symbols, faults, early, peak = map(int, read.stdout.split())
    assert messages == counted == MESSAGES and symbols == 8_000 and faults == 0
    assert peak < early + GROWTH_MAX_KIB
