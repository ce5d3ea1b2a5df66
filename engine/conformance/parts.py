"""A comparison in parts, which need not know of one another, and the document that they give together.

Parts are the same for any number of workers, in the order in which one process takes the cases. Joined up to the first
fault, they give the document of that process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from lowlat.engine.conformance.cases import seeded_max, suites
from lowlat.engine.conformance.verify import VerifyPlan
from lowlat.reports.model.conformance import Conformance, ConformanceSuite

PARTS_MAX = 1_000
"""Of a suite."""
_LEAST = {"worked examples": 1_000, "random worlds": 50}
"""Cases of a part; of the other suites, where each takes long, one."""


def parts_of(engine: str, plan: VerifyPlan) -> tuple[VerifyPlan, ...]:
    """The plan in parts. `engine`: as `verify` takes it."""
    return tuple(
        replace(plan, part=(number, first, min(first + size, cases)))
        for number, cases, size in _sizes(engine, plan)
        for first in range(0, cases, size)
    )


def _sizes(engine: str, plan: VerifyPlan) -> Iterator[tuple[int, int, int]]:
    """Number, cases, and cases of a part, of each suite."""
    listed = suites(
        frozenset(),
        worlds=plan.worlds,
        seed=plan.seed,
        commands=plan.commands,
        recorded=plan.recorded,
        seeded_max=seeded_max(engine),
    )
    for number, suite in enumerate(listed):
        yield number, len(suite.cases), max(_LEAST.get(suite.name, 1), -(-len(suite.cases) // PARTS_MAX))


def joined(found: Sequence[Conformance]) -> Conformance:
    """The document of consecutive parts, of which only the last may have a fault."""
    listed = (suite for each in found for suite in each.suites)
    return replace(
        found[-1], suites=tuple(_added(list(same)) for _, same in groupby(listed, key=lambda each: each.name))
    )


def _added(parts: Sequence[ConformanceSuite]) -> ConformanceSuite:
    return replace(
        parts[0],
        cases=sum(part.cases for part in parts),
        skipped=sum(part.skipped for part in parts),
        lacking=tuple(sorted({name for part in parts for name in part.lacking})),
        commands=sum(part.commands for part in parts),
        events=sum(part.events for part in parts),
    )
