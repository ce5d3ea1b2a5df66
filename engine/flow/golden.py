"""Golden digests: the events that the reference engine gives for the built-in profiles, by seed and length.

`golden_digests.toml` beside this file holds them; `python tools/measure/golden_digests.py` writes it. A longer flow of
one profile and seed begins with every shorter one, so a flow is held to the longest entry that it contains. Entries
also hold the digest of their commands: one of other commands does not apply.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from lowlat.engine.flow.order_flow import Flow, digest_commands
from lowlat.toml import parse_toml

FILE: Final = "golden_digests.toml"


@dataclass(frozen=True, slots=True)
class Golden:
    """The digest of a flow's events up to a number of measured commands, seeding included.

    `commands`: how many. `flow_hash`: the hash of the flow that ends there. `events`: number of events. `digest`:
    SHA-256 of these, as hexadecimal digits.
    """

    commands: int
    flow_hash: str
    events: int
    digest: str


def golden_of(flow: Flow) -> Golden | None:
    """The longest entry whose commands this flow begins with; None if there is none."""
    known = golden_digests().get((flow.name, flow.seed), ()) if flow.seed is not None else ()
    within = [each for each in known if each.commands <= len(flow.measured)]
    if not within:
        return None
    longest = max(within, key=lambda each: each.commands)
    whole = longest.commands == len(flow.measured)
    begins = flow.hash if whole else digest_commands(flow.seeded, flow.commands[: flow.seeded + longest.commands])
    return longest if begins == longest.flow_hash else None


@cache
def golden_digests() -> dict[tuple[str, int], tuple[Golden, ...]]:
    """All entries, by profile and seed, shortest first."""
    text = (resources.files("lowlat.engine.flow") / FILE).read_text(encoding="utf-8")
    return {
        (flow["profile"], flow["seed"]): tuple(Golden(*row) for row in flow["lengths"])
        for flow in parse_toml(text)["flow"]
    }
