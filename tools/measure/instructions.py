"""Instructions per command of each profile, and of each interface, counted by callgrind, against the committed figures.

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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from native_pass import ROOT, Way, arguments, arguments_of_interfaces, build, build_interfaces

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


INTERFACES: Final = {
    "core": "{} through the matcher",
    "inlined": "{} through lowlat.hpp",
    "callback": "{} through lowlat_execute",
    "callback-unclaimed": "{} through lowlat_execute, unclaimed",
    "drained": "{} through lowlat_process, lowlat_drain",
}
"""The same for one command at a time through an interface."""
THROUGH_INTERFACES: Final = ("steady", "deep")
RATIOS_MAX: Final = {"inlined": 1.05, "callback": 1.25}
"""How much more an interface may cost than the matcher, whatever is committed."""


def count(binary: Path, flow: Flow, given: list[str]) -> float:
    """Instructions per command of a flow's measured pass."""
    done = subprocess.run(
        [
            *["valgrind", "--tool=callgrind", "--toggle-collect=measured_pass*"],
            *["--callgrind-out-file=/dev/null", str(binary)],
            *given,
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


def counts(scratch: Path) -> dict[str, float]:
    """Every figure by its name, as many at once as there are CPUs."""
    loops, interfaces = build(scratch, "loops"), build_interfaces(scratch)

    def of_profile(profile: str) -> Iterator[tuple[str, float]]:
        flow, own = flow_of(profile), scratch / profile
        own.mkdir()
        for way, shown in WAYS.items():
            yield shown.format(profile), count(loops, flow, arguments(flow, own, 1, way))
        for interface, shown in INTERFACES.items() if profile in THROUGH_INTERFACES else ():
            yield shown.format(profile), count(interfaces, flow, arguments_of_interfaces(interface, flow, own, 1))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = pool.map(lambda profile: [*of_profile(profile)], profile_names())
        return {name: round(figure, 1) for part in parts for name, figure in part}


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
        counted = counts(Path(folder))
    if recording:
        write_atomically(FIGURES, json.dumps(figures | {key: counted}, indent=2) + "\n")
    worse = 0
    print(f"instructions per command, {COMMANDS:,} commands, {key}")
    for name, now in counted.items():
        before = now if recording else committed.get(name)
        if before is None:
            sys.exit(f"no figure is committed for {name}; see --record")
        failed = now > before * ALLOWED
        worse += failed
        print(
            f"  {name:44} {now:8.1f}   committed {before:8.1f}   {now / before - 1:+7.2%}{'  WORSE' if failed else ''}"
        )
    return 1 if worse + too_dear(counted) else 0


def too_dear(counted: dict[str, float]) -> int:
    """Print what interfaces cost beside the matcher; return how many cost more than they may."""
    failed = 0
    for profile in THROUGH_INTERFACES:
        for interface, most in RATIOS_MAX.items():
            name = INTERFACES[interface].format(profile)
            ratio = counted[name] / counted[INTERFACES["core"].format(profile)]
            failed += ratio > most
            print(f"  {name:44} {ratio:8.3f}x  at most {most:11.2f}x{'  WORSE' if ratio > most else ''}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
