"""What a command costs in each profile, and through each interface, against the committed figures.

Counted are instructions, cache misses and mispredicted branches; caches and predictor are callgrind's models, of the
sizes below. A prefetch is no access, so misses are the lines that commands touch. No count depends on the machine's
load. More than 5% above the committed figure fails (mispredictions: 20%); more than that below, it is to be recorded
anew. The figures are valid for one compiler and instruction set; `--record` writes those of this machine.
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

from counted_flows import COMMANDS, counted_flows
from native_pass import ROOT, Way, arguments, arguments_of_interfaces, build, build_interfaces
from rebuild import write_events

from lowlat.engine import _core
from lowlat.engine.feed.records import ORDER_EVENT
from lowlat.engine.flow.order_flow import Flow
from lowlat.files import write_atomically

FIGURES = ROOT / "tools/measure/instructions.json"

CACHES: Final = ("--I1=32768,8,64", "--D1=32768,8,64", "--LL=1048576,16,64")
"""Size in bytes, ways, and line of the modeled caches; callgrind's last level is our second."""

Costs = dict[str, float]
"""Counts per command by measure."""

MEASURES: Final = {
    "instructions": ("Ir",),
    "L1 misses": ("D1mr", "D1mw"),
    "L2 misses": ("DLmr", "DLmw"),
    "mispredictions": ("Bcm", "Bim"),
}
"""The events of callgrind that each measure sums up."""
ALLOWED: Final = {"instructions": 0.05, "L1 misses": 0.05, "L2 misses": 0.05, "mispredictions": 0.2}
"""Changes, as a share. The modeled predictor tells branches apart by the low bits of their addresses, which move with
everything that is compiled before them: mispredictions moved by 8% where only another function had changed.
"""
NEGLIGIBLE: Final = 0.02
"""A difference per command that does not count, whatever its share."""

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
REBUILT: Final = "a day of 500 books rebuilt"
THROUGH_INTERFACES: Final = ("steady", "deep")
RATIOS_MAX: Final = {"inlined": 1.05, "callback": 1.25}
"""How many more instructions an interface may cost than the matcher, whatever is committed."""


def count(binary: Path, name: str, measured: int, given: list[str]) -> Costs:
    """What one of the commands or events costs that are measured."""
    done = subprocess.run(
        [
            *["valgrind", "--tool=callgrind", "--toggle-collect=measured_pass*", "--cache-sim=yes", "--branch-sim=yes"],
            *[*CACHES, "--callgrind-out-file=/dev/null", str(binary)],
            *given,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    names, values = (re.search(rf"{line} *: (.+)", done.stderr) for line in ("Events", "Collected"))
    if names is None or values is None:
        sys.exit(f"callgrind counted nothing in {name}:\n{done.stderr}")
    # Trailing events that did not occur at all are left out.
    events = dict(zip(names[1].split(), map(int, values[1].split()), strict=False))
    if events["Ir"] < measured:
        sys.exit(f"callgrind counted nothing in the measured pass of {name}:\n{done.stderr}")
    return {
        measure: round(sum(events.get(event, 0) for event in summed) / measured, 3)
        for measure, summed in MEASURES.items()
    }


def counts(scratch: Path) -> dict[str, Costs]:
    """All figures by name, as many at once as there are CPUs."""
    loops, interfaces = build(scratch, "loops"), build_interfaces(scratch)

    def of_flow(flow: Flow) -> Iterator[tuple[str, Costs]]:
        own = scratch / flow.name
        own.mkdir()
        for way, shown in WAYS.items():
            yield shown.format(flow.name), count(loops, flow.name, len(flow.measured), arguments(flow, own, 1, way))
        for interface, shown in INTERFACES.items() if flow.name in THROUGH_INTERFACES else ():
            given = arguments_of_interfaces(interface, flow, own, 1)
            yield shown.format(flow.name), count(interfaces, flow.name, len(flow.measured), given)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        figures = dict(figure for part in pool.map(lambda flow: [*of_flow(flow)], counted_flows()) for figure in part)
    return figures | {REBUILT: count_rebuilt(scratch)}


def count_rebuilt(scratch: Path) -> Costs:
    """What an event costs the book builder, once the books of a day are there."""
    events = write_events(scratch, 2 * COMMANDS, symbols=500, live=COMMANDS // 4)
    number = events.stat().st_size // ORDER_EVENT.itemsize
    binary = build(scratch, "rebuild", source="rebuild.cpp")
    return count(binary, REBUILT, COMMANDS, [str(events), str(number - COMMANDS)])


def judged(measure: str, now: float, before: float) -> str:
    """A mark for a figure that differs from the committed one by more than allowed; else nothing."""
    if abs(now - before) <= max(before * ALLOWED[measure], NEGLIGIBLE):
        return ""
    return "WORSE" if now > before else "BETTER: record it"


def compare(counted: dict[str, Costs], committed: dict[str, Costs]) -> int:
    """Print every figure with the change to the committed one; return how many changed by more than allowed."""
    changed = 0
    print(f"{'':44}" + "".join(f"{measure:>24}" for measure in MEASURES))
    for name, costs in counted.items():
        if name not in committed:
            sys.exit(f"no figures are committed for {name}; see --record")
        marks = {measure: judged(measure, now, committed[name][measure]) for measure, now in costs.items()}
        changed += sum(mark != "" for mark in marks.values())
        cells = [f"{now:12.2f} ({now - committed[name][measure]:+8.2f})" for measure, now in costs.items()]
        bad = [f"{measure} {mark}" for measure, mark in marks.items() if mark]
        print(f"  {name:42}" + "".join(f"{cell:>24}" for cell in cells) + "  " + ", ".join(bad))
    return changed


def main() -> int:
    """Count, compare or record; return the exit code."""
    if shutil.which("valgrind") is None:
        sys.exit("no valgrind found. Install it: apt install valgrind")
    figures = json.loads(FIGURES.read_text())
    build_facts = _core.build_facts()
    key = f"{build_facts['compiler'].split('.')[0]}, {build_facts['isa']}"
    recording = "--record" in sys.argv
    if key not in figures and not recording:
        sys.exit(f"no figures are committed for {key} (there are: {'; '.join(figures)}); see --record")
    with tempfile.TemporaryDirectory() as folder:
        counted = counts(Path(folder))
    if recording:
        write_atomically(FIGURES, json.dumps(figures | {key: counted}, indent=2) + "\n")
    print(f"per command, {COMMANDS:,} commands, {key}; in brackets: the change to the committed figure")
    changed = compare(counted, counted if recording else figures[key])
    return 1 if changed + too_dear(counted) else 0


def too_dear(counted: dict[str, Costs]) -> int:
    """Print what interfaces cost beside the matcher; return how many cost more than they may."""
    failed = 0
    for profile in THROUGH_INTERFACES:
        core = counted[INTERFACES["core"].format(profile)]["instructions"]
        for interface, most in RATIOS_MAX.items():
            name = INTERFACES[interface].format(profile)
            ratio = counted[name]["instructions"] / core
            failed += ratio > most
            print(f"  {name:44} {ratio:8.3f}x  at most {most:11.2f}x{'  WORSE' if ratio > most else ''}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
