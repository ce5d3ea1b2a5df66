"""The fleet of the how-to: `python tools/measure/fleet_shown.py [OPTION ...]` shows `lowlat fleet jitter` on four
workers of this machine. They have names of their own; the CPU of the last one also runs a loop that never sleeps.
Needs two CPUs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.fleets import local_fleet

NAMES = ("node-1", "node-2", "node-3", "node-4")
OPTIONS = ("--duration", "2s", "--wait", "10min")


def main() -> None:
    """Start the workers and the loop, and show what the command prints."""
    free, busy, *_ = sorted(os.sched_getaffinity(0))
    cpus = dict.fromkeys(NAMES[:-1], free) | {NAMES[-1]: busy}
    before = {name: ("taskset", "-c", str(cpu)) for name, cpu in cpus.items()}
    loop = subprocess.Popen(["taskset", "-c", str(busy), sys.executable, "-c", "while True: pass"])
    try:
        with tempfile.TemporaryDirectory() as folder, local_fleet(Path(folder), before) as fleet:
            lowlat = Path(sys.executable).with_name("lowlat")
            options = sys.argv[1:] or OPTIONS
            subprocess.run([lowlat, "fleet", "jitter", "--scheduler", fleet.address, *options], check=False)
    finally:
        loop.kill()
        loop.wait()


if __name__ == "__main__":
    main()
