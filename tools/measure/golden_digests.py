"""Writes engine/flow/golden_digests.toml: what the reference engine answers to every built-in profile.

`python tools/measure/golden_digests.py` makes all entries, slowly: the reference engine is plain Python. With
names of profiles it replaces only their entries, as after a change to one.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from lowlat.engine.bench.run import RunPlan, settings_of
from lowlat.engine.flow.golden import FILE, Golden, golden_digests
from lowlat.engine.flow.order_flow import digest_commands
from lowlat.engine.flow.profile import load_profile, profile_names
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.records import Commands
from lowlat.engine.reference.engine import ReferenceEngine

PLACE = Path(__file__).parents[2] / "engine" / "flow" / FILE
SHORT = (20_000, 50_000, 100_000, 200_000)
WHOLE = (*SHORT, *range(300_000, 2_000_001, 100_000))
"""Up to the default length of a run."""
OTHER_SEEDS = (2, 3)
"""Beside the default, 1; up to 100,000 commands."""
HUGE = 200_000
"""Only seed 1 of profiles with more orders at the start."""
PART = 10_000
HEAD = """\
# What the reference engine answers to the built-in profiles. Written by `python tools/measure/golden_digests.py`.
# A row of lengths: measured commands, hash of the flow, events, SHA-256 of the events (those of the seeding included).
"""


def lengths_of(seed: int) -> tuple[int, ...]:
    """The lengths that get an entry."""
    return WHOLE if seed == 1 else SHORT[:3]


def entries(name: str, seed: int) -> Iterator[Golden]:
    """The entries of one profile and seed, from one run of the reference engine."""
    lengths = lengths_of(seed)
    flow = synthetic_flow(load_profile(name), lengths[-1], seed)
    engine = ReferenceEngine.of(settings_of(flow, RunPlan()))
    digest, events = hashlib.sha256(), 0

    def execute(commands: Commands) -> None:
        nonlocal events
        for start in range(0, len(commands), PART):
            given = engine.process(commands[start : start + PART])
            digest.update(given.tobytes())
            events += len(given)

    execute(flow.commands[: flow.seeded])
    for before, length in pairwise((0, *lengths)):
        execute(flow.measured[before:length])
        whole = digest_commands(flow.seeded, flow.commands[: flow.seeded + length])
        yield Golden(length, whole, events, digest.hexdigest())


def main(names: list[str]) -> None:
    """Write the file anew after each profile, keeping the entries of the others."""
    for name in names or profile_names():
        seeds = [1, *(OTHER_SEEDS if load_profile(name).live_orders <= HUGE else ())]
        made = {(name, seed): tuple(entries(name, seed)) for seed in seeds}
        golden_digests.cache_clear()  # another process may have written the file meanwhile
        known: dict[tuple[str, int], tuple[Golden, ...]] = golden_digests() if PLACE.exists() else {}
        tables = (table(*key, rows) for key, rows in sorted((known | made).items()))
        PLACE.write_text(HEAD + "".join(tables), encoding="utf-8")
        print(f"{name}: {made[name, 1][-1].digest}", flush=True)


def table(name: str, seed: int, rows: tuple[Golden, ...]) -> str:
    """The entries of one profile and seed as TOML."""
    lines = [f'    [{row.commands}, "{row.flow_hash}", {row.events}, "{row.digest}"],' for row in rows]
    return "\n".join(["", "[[flow]]", f'profile = "{name}"', f"seed = {seed}", "lengths = [", *lines, "]", ""])


if __name__ == "__main__":
    main(sys.argv[1:])
