"""What the process that compares is told, and what it answers: a JSON object a line."""

from __future__ import annotations

import msgspec

from lowlat.reports.model.conformance import Counterexample


class ConformanceJob(msgspec.Struct, frozen=True, kw_only=True):
    """What to compare. `part`: of which suite, by its number, from which case up to which, not included; None: all.
    `only`: the suite and case, by their numbers, in which the engine ended its process.
    """

    engine: str
    parent: int
    worlds: int
    seed: int
    commands: int
    recorded: tuple[str, ...]
    part: tuple[int, int, int] | None = None
    only: tuple[int, int] | None = None


class Begun(msgspec.Struct, frozen=True, tag="begun"):
    """A case whose turn it is: the last one said is where a process ended."""

    suite: int
    case: int
    of: int


class Judged(msgspec.Struct, frozen=True, tag="judged"):
    """An equal case, or one that was skipped because the engine lacks what it needs."""

    suite: int
    commands: int
    events: int
    lacking: tuple[str, ...]


class Shrinking(msgspec.Struct, frozen=True, tag="shrinking"):
    """A fault was found, and is made short."""


class FaultFound(msgspec.Struct, frozen=True, tag="found"):
    """The fault."""

    counterexample: Counterexample


class Completed(msgspec.Struct, frozen=True, tag="completed"):
    """Nothing more comes. A process that ends without it was ended by the engine."""


Message = Begun | Judged | Shrinking | FaultFound | Completed
