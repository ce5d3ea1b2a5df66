"""Builds the programs in `native/`, mainly `loops.cpp`, the engine's untimed passes without Python."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from lowlat.engine import _core
from lowlat.engine.flow.profile import Profile

ROOT = Path(__file__).parents[2]


def build(folder: Path, name: str, definitions: Sequence[str] = (), source: str = "loops.cpp") -> Path:
    """Compile the program like the release, with `-D` for each definition; return the path of the binary."""
    folder.mkdir(parents=True, exist_ok=True)
    binary = folder / name
    isa = {"native": ["-march=native"], "x86-64-v2": ["-march=x86-64-v2"]}.get(_core.build_facts()["isa"], [])
    subprocess.run(
        [
            *[os.environ.get("CXX", "c++"), "-std=c++20", "-O3", "-DNDEBUG", "-fPIC", *isa, f"-I{ROOT}"],
            *[f"-D{definition}" for definition in definitions],
            *[str(ROOT / "tools/measure/native" / source), "-pthread", "-o", str(binary)],
        ],
        check=True,
    )
    return binary


Way = Literal["batched", "one"]
"""Whether commands are executed in a batch, with look-ahead, or one at a time."""


def arguments(profile: Profile, commands: int, seed: int, repeats: int, way: Way = "batched") -> list[str]:
    """The program's arguments to run this profile."""
    price, quantity = profile.price, profile.quantity
    numbers = [
        *[commands, seed, repeats, *msgspec.structs.astuple(profile.mix)],
        *[profile.symbols, profile.live_orders, price.distance_ticks, int(price.spread == "even")],
        *[quantity.resting_max, quantity.aggressive_max],
        *[price.through_ticks, price.travel_ticks, price.travel_ticks_per_1000_commands],
        *[profile.owners, profile.pro_rata, int(profile.has_terms)],
    ]
    return [way, *(str(number) for number in numbers)]
