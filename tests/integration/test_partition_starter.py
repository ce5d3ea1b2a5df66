"""What starts the processes of partitions ends when nobody needs it, and with whoever waits for it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import msgspec

from lowlat.fleet.identity import FileIdentity
from lowlat.fleet.partition_job import PartitionJob, ReplayPlan
from lowlat.fleet.partitions import ReplayPartition
from tests.waiting import PATIENCE_S

JOB = PartitionJob(ReplayPartition(1, FileIdentity("day.csv", 1, "0" * 64), "lobster", (), 1, 1), ReplayPlan())


def started(changed: str) -> subprocess.Popen[bytes]:
    """The program, with something of it replaced."""
    code = f"import lowlat.fleet.partition_starter as program\n{changed}\nprogram.main()"
    return subprocess.Popen([sys.executable, "-P", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_it_ends_when_nobody_needs_it() -> None:
    """Its stdin stays open meanwhile."""
    with started("program.IDLE_S = 0.0") as process:
        assert process.wait(PATIENCE_S) == 0


def test_a_partition_ends_with_whoever_waits_for_it(tmp_path: Path) -> None:
    told = tmp_path / "told"
    os.mkfifo(told)
    endless = "import os, time, pathlib\n"
    endless += (
        f"program.replayed = lambda job: (pathlib.Path({str(told)!r}).write_text(str(os.getpid())), time.sleep(1e6))"
    )
    with started(endless) as process:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(JOB) + b"\n")
        process.stdin.flush()
        partition = os.pidfd_open(int(told.read_text()))
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0
        ended = select.poll()
        ended.register(partition, select.POLLIN)
        assert ended.poll(1000 * PATIENCE_S)
        os.close(partition)
