"""Builds the programs in `native/`, mainly `loops.cpp`, the engine's plain pass without Python."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from lowlat.engine import _core
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.matching.records import EXTENDED_COMMAND, MatchAlgorithm

ROOT = Path(__file__).parents[2]


def build(
    folder: Path, name: str, definitions: Sequence[str] = (), source: str = "loops.cpp", linked: Sequence[str] = ()
) -> Path:
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
            *linked,
        ],
        check=True,
    )
    return binary


def build_interfaces(folder: Path) -> Path:
    """Compile `interfaces.cpp` against liblowlat, which is built as documented."""
    tools = Path(sys.executable).parent
    library = ROOT / "build/c-library"
    configure = ["-S", ROOT, "-B", library, "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tools / 'ninja'}"]
    for step in ([*configure, "-DLOWLAT_C_LIBRARY=ON"], ["--build", library]):
        subprocess.run([tools / "cmake", *step], check=True, stdout=subprocess.DEVNULL)
    linked = [f"-L{library}", f"-Wl,-rpath,{library}", "-llowlat"]
    return build(folder, "interfaces", source="interfaces.cpp", linked=linked)


Way = Literal["batched", "one", "longest"]
"""Whether commands are executed in a batch, with look-ahead, or one at a time; or which of them takes longest."""


def arguments(flow: Flow, folder: Path, repeats: int, way: Way = "batched") -> list[str]:
    """The program's arguments to run this flow, whose commands are written to a file in `folder`."""
    numbers = [
        *[int(flow.commands.dtype == EXTENDED_COMMAND), flow.seeded, repeats, flow.orders],
        len(flow.instruments),
        sum(instrument.algorithm == MatchAlgorithm.PRO_RATA for instrument in flow.instruments),
        flow.instruments[0].tick,
    ]
    return [way, str(written(flow, folder)), *map(str, numbers)]


def arguments_of_interfaces(way: str, flow: Flow, folder: Path, repeats: int) -> list[str]:
    """The same for `interfaces`, which takes flows of plain commands of one symbol."""
    if flow.commands.dtype == EXTENDED_COMMAND or len(flow.instruments) != 1:
        raise ValueError(f"{flow.name}: not plain commands of one symbol")
    return [way, str(written(flow, folder)), str(flow.seeded), str(repeats), str(flow.orders)]


def written(flow: Flow, folder: Path) -> Path:
    """The commands of a flow in a file in `folder`, which is named for the flow."""
    file = folder / f"{flow.name}.commands"
    flow.commands.tofile(file)
    return file
