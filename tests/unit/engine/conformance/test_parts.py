"""A comparison in parts takes each case once, in the order of one process, and adds up to its document."""

from __future__ import annotations

import pytest

from lowlat.engine.conformance import parts as module
from lowlat.engine.conformance.cases import suites
from lowlat.engine.conformance.parts import joined, parts_of
from lowlat.engine.conformance.verify import VerifyPlan
from lowlat.reports.model.conformance import Conformance, ConformanceSuite

PLAN = VerifyPlan(worlds=120, seed=3, commands=10, recorded=("a.csv", "b.csv"))


def test_each_case_is_in_one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module._LEAST, "worked examples", 7)
    listed = suites(frozenset(), worlds=120, seed=3, commands=10, recorded=PLAN.recorded)
    cases = [(number, at) for number, suite in enumerate(listed) for at in range(len(suite.cases))]
    given = [each.part for each in parts_of("./engine.so", PLAN) if each.part]
    assert [(number, at) for number, first, end in given for at in range(first, end)] == cases
    assert [each for each in given if each[0] == 1] == [(1, 0, 50), (1, 50, 100), (1, 100, 120)]


def test_no_suite_has_more_parts_than_a_scheduler_is_given() -> None:  # and a million worlds take no time
    worlds = [each for each in parts_of("reference", VerifyPlan(worlds=1_000_000)) if each.part and each.part[0] == 1]
    assert len(worlds) == module.PARTS_MAX


def found(status: str, *told: tuple[str, int, int, tuple[str, ...]]) -> Conformance:
    counts = [
        ConformanceSuite(
            name=name, cases=cases, of=9, skipped=skipped, lacking=lacking, commands=cases, events=2 * cases
        )
        for name, cases, skipped, lacking in told
    ]
    return Conformance(
        status=status,  # type: ignore[arg-type]
        engine="an engine",
        version="1",
        file="engine.so",
        capabilities=(),
        not_compared=(),
        seed=1,
        suites=tuple(counts),
        counterexample=None,
    )


def test_counts_of_a_suite_are_added_and_the_last_part_decides() -> None:
    parts = [
        found("conforms", ("worked examples", 4, 0, ())),
        found("conforms", ("random worlds", 3, 2, ("STOPS",))),
        found("differs", ("random worlds", 1, 1, ("ICEBERGS",))),
    ]
    examples, worlds = joined(parts).suites
    assert joined(parts).status == "differs"
    assert (examples.cases, examples.of) == (4, 9)
    assert (worlds.cases, worlds.of, worlds.skipped, worlds.lacking) == (4, 9, 3, ("ICEBERGS", "STOPS"))
    assert (worlds.commands, worlds.events) == (4, 8)
