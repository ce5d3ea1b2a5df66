"""Instructions per command of each profile, counted by callgrind, against the committed figures.

The count does not depend on the machine's load. More than 5% above the committed figure fails. The figures are valid
for one compiler and instruction set; `--record` writes those of this machine.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from native_pass import ROOT, Way, arguments, build

from lowlat.engine import _core
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import load_profile, profile_names
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.files import write_atomically

COMMANDS, SEED = 100_000, 1
ALLOWED = 1.05
FIGURES = ROOT / "tools/measure/instructions.json"


WAYS: Final[dict[Way, str]] = {"batched": "{}", "one": "{}, one at a time"}
"""The figure's name for a profile."""


def counted(binary: Path, profile: str, scratch: Path) -> dict[str, float]:
    """Instructions per command of a profile's measured pass, by the figure's name."""
    flow = flow_of(profile)
    return {shown.format(profile): round(count(binary, flow, way, scratch), 1) for way, shown in WAYS.items()}


def count(binary: Path, flow: Flow, way: Way, scratch: Path) -> float:
    """Instructions per command of a flow's measured pass."""
    done = subprocess.run(
        [
            *["valgrind", "--tool=callgrind", "--toggle-collect=measured_pass*"],
            *["--callgrind-out-file=/dev/null", str(binary)],
            *arguments(flow, scratch, 1, way),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None or int(found[1]) < len(flow.measured):
        sys.exit(f"callgrind counted nothing in the measured pass of {flow.name}:\n{done.stderr}")
    return int(found[1]) / len(flow.measured)


def flow_of(profile: str) -> Flow:
    """The flow whose instructions are committed."""
    return synthetic_flow(load_profile(profile), COMMANDS, SEED)


def main() -> int:
    """Count, compare or record; return the exit code."""
    if shutil.which("valgrind") is None:
        sys.exit("no valgrind found. Install it: apt install valgrind")
    figures = json.loads(FIGURES.read_text())
    build_facts = _core.build_facts()
    key = f"{build_facts['compiler'].split('.')[0]}, {build_facts['isa']}"
    recording = "--record" in sys.argv
    committed = figures.get(key)
    if committed is None and not recording:
        sys.exit(f"no figures are committed for {key} (there are: {'; '.join(figures)}); see --record")
    with tempfile.TemporaryDirectory() as folder:
        binary = build(Path(folder), "loops")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = pool.map(lambda profile: counted(binary, profile, Path(folder)), profile_names())
            found = {name: figure for part in parts for name, figure in part.items()}
    if recording:
        write_atomically(FIGURES, json.dumps(figures | {key: found}, indent=2) + "\n")
    worse = 0
    print(f"instructions per command, {COMMANDS:,} commands, {key}")
    for name, now in found.items():
        before = now if recording else committed.get(name)
        if before is None:
            sys.exit(f"no figure is committed for {name}; see --record")
        failed = now > before * ALLOWED
        worse += failed
        print(
            f"  {name:14} {now:8.1f}   committed {before:8.1f}   {now / before - 1:+7.2%}{'  WORSE' if failed else ''}"
        )
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
