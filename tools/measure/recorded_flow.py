"""What it costs to make a flow of a recording: `python tools/measure/recorded_flow.py [ROWS]`.

Writes a LOBSTER file of a made market in which the oldest order at the best price trades, reads it, and prints the CPU
time of parsing alone and of the whole way to a `RecordedFlow`, and how much the memory of this process grew meanwhile.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from made_market import lobster_line, rows_of

from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.engine.flow.readers.lobster.messages import open_messages
from lowlat.engine.flow.recording import recorded_flow

ROWS = 400_000


def peak_mb() -> float:
    """The most memory that this process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "XYZ_message.csv"
        with path.open("w") as file:
            file.writelines(map(lobster_line, rows_of(count)))

        def opened() -> OrderEventStream:
            return open_messages(path, ReadOptions())

        begin = time.process_time()
        parsed = sum(len(block) for block in opened().blocks)
        parsing, before = time.process_time() - begin, peak_mb()
        begin = time.process_time()
        flow = recorded_flow(opened())
        building = time.process_time() - begin
    print(f"{parsed:,} rows: parsing {parsing:.2f} s of CPU time, all {building:.2f} s, {peak_mb() - before:.0f} MB")
    print(f"{len(flow.commands):,} commands, {len(flow.bursts):,} bursts, {flow.changes.departures} departures")


if __name__ == "__main__":
    main()
