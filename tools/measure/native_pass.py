"""Builds the programs in `native/`, mainly `loops.cpp`, the engine's plain pass without Python."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from lowlat.engine import _core
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.matching.records import EXTENDED_COMMAND, MatchAlgorithm

ROOT = Path(__file__).parents[2]


def build(folder: Path, name: str, definitions: Sequence[str] = (), source: str = "loops.cpp") -> Path:
    """Compile the program like the release, with `-D` for each definition; return the path of the binary."""
    folder.mkdir(parents=True, exist_ok=True)
    binary = folder / name
    facts = _core.build_facts()
    isa = {"native": ["-march=native"], "x86-64-v2": ["-march=x86-64-v2"]}.get(facts["isa"], [])
    subprocess.run(
        [
            *[os.environ.get("CXX", "c++"), "-std=c++20", *facts["flags"].split(), "-fPIC", *isa, f"-I{ROOT}"],
            *[f"-D{definition}" for definition in definitions],
            *[str(ROOT / "tools/measure/native" / source), "-pthread", "-o", str(binary)],
        ],
        check=True,
    )
    return binary


Way = Literal["batched", "one"]
"""Whether commands are executed in a batch, with look-ahead, or one at a time."""


def arguments(flow: Flow, folder: Path, repeats: int, way: Way = "batched") -> list[str]:
    """The program's arguments to run this flow, whose commands are written to a file in `folder`."""
    file = folder / f"{flow.name}.commands"
    flow.commands.tofile(file)
    numbers = [
        *[int(flow.commands.dtype == EXTENDED_COMMAND), flow.seeded, repeats, flow.orders],
        len(flow.instruments),
        sum(instrument.algorithm == MatchAlgorithm.PRO_RATA for instrument in flow.instruments),
        flow.instruments[0].tick,
    ]
    return [way, str(file), *map(str, numbers)]
