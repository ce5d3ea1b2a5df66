"""Prints what a partition takes in memory, and what is expected of it: `partition_memory.py match|rebuild FILE...`.

The first is to stay below the second. `itch_day.py` makes days of many symbols.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from lowlat.fleet.partition_job import ReplayPlan
from lowlat.fleet.partition_process import replay_partition
from lowlat.fleet.partitions import partitions_of
from lowlat.fleet.survey import ReplayedPart, survey
from lowlat.reports.model.replays import Mode


def main(mode: Mode, files: list[str], show: Callable[[str], object] = print) -> None:
    """Replay each file as one partition."""
    for file in files:
        (partition,) = partitions_of([survey(file, ReplayedPart())], "file", ())
        run = replay_partition(partition, ReplayPlan(mode=mode), None, lambda: False).run
        show(
            f"{file}: {partition.events:,} events of {partition.books:,} symbols, "
            f"{run.memory_max_bytes / 2**20:,.0f} MiB of {partition.memory_bytes(mode) / 2**20:,.0f} MiB expected"
        )


if __name__ == "__main__":
    main("rebuild" if sys.argv[1] == "rebuild" else "match", sys.argv[2:])
