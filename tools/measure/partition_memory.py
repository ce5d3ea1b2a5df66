"""Prints what a partition takes in memory by its events: `partition_memory.py match|rebuild FILE...`.

The last column is to stay below `EVENT_BYTES` of `fleet/partitions.py`, `BASE_BYTES` left out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from lowlat.fleet.partition_job import ReplayPlan
from lowlat.fleet.partition_process import replay_partition
from lowlat.fleet.partitions import BASE_BYTES, partitions_of
from lowlat.fleet.survey import ReplayedPart, survey
from lowlat.reports.model.replays import Mode


def main(mode: Mode, files: list[str], show: Callable[[str], object] = print) -> None:
    """Replay each file as one partition."""
    for file in files:
        (partition,) = partitions_of([survey(file, ReplayedPart())], "file", ())
        run = replay_partition(partition, ReplayPlan(mode=mode), None, lambda: False).run
        more = max(0, run.memory_max_bytes - BASE_BYTES)
        show(
            f"{file}: {partition.events:,} events, {run.memory_max_bytes / 2**20:,.0f} MiB, "
            f"{more / partition.events:,.0f} bytes an event beyond the base"
        )


if __name__ == "__main__":
    main("rebuild" if sys.argv[1] == "rebuild" else "match", sys.argv[2:])
