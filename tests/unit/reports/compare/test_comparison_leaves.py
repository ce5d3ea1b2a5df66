"""A comparison's figures hold together: changed one at a time, every leaf is contradicted by others on reading, except
those named here.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lowlat.engine.bench import ab
from lowlat.engine.bench.subprocess_run import ComparedCommand
from lowlat.errors import FormatError, LowlatError, NotValidError
from lowlat.reports.compare import derived, derived_looks
from lowlat.reports.compare.compare import compare_interleaved, compare_reports, samples_of, samples_of_each
from lowlat.reports.compare.gate import parse_rule
from lowlat.reports.compare.interleaving import order_of
from lowlat.reports.compare.verdict import judge
from lowlat.reports.io.json_codec import comparison_from_document, from_text, to_document
from lowlat.reports.model.comparison import Comparison, Interleaving
from lowlat.reports.model.report import Report
from tests.leaves import accepted_leaves, beyond
from tests.scaled_reports import scaled, with_runs

RUNS = 6
TEXTS = (
    "version",
    "command*",
    "*.label",
    "*.sources*",
    "*.tool.*",
    "*.engine.*",
    "*.host.*",
    "*.workload.notes*",
    "*.clock.*",
    "warnings*",  # of other reports of a side, or words that are added
    "not_compared*",
)
"""Names and words. Hosts and builds that differ have to be in a warning."""
ALONE = (
    "*.workload.trades",
    "*.workload.seeded",  # it only tells whether digests have to be the same
    "*.workload.live_orders.*",
    "*.workload.levels.*",
    "*.workload.depth_touched.*",
    "*.load.achieved_rate",
    "*.load.updates",
    "*.load.loop_ceiling",
    "*.noisy_runs",  # up to the number of runs
    "metrics.*.step",  # above the clock's: the histograms that it comes from are not in the document
    "metrics.*.values.*",  # one that is neither smallest nor largest nor a median, and keeps its rank
)
"""Figures that nothing else in a comparison follows from, or that others only bound."""
DERIVED = (
    "status*",
    "*.runs",
    "*.workload.seed",
    "*.workload.hash",
    "*.host.cpu",
    "*.digest",
    "gate.*",
    "interleaving.*",
    "significance",
    "metrics.*.name",
    "metrics.*.op",
    "metrics.*.threshold_percent",
    "metrics.*.floor",
    "metrics.*.verdict",
)
"""Some that must be contradicted, whatever the lists above say."""


@pytest.fixture(autouse=True)
def quick_judging(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge each metric once: only one leaf of hundreds is changed at a time."""
    for module in (derived, derived_looks):
        monkeypatch.setattr(module, "judge", functools.cache(judge))


@pytest.fixture(scope="module")
def measured() -> Report:
    """Six runs of different speed, with the latencies of one operation and of all."""
    report = from_text((Path(__file__).parents[1] / "io/two_runs.json").read_text())
    run = report.runs[0]
    kept = dataclasses.replace(
        report, runs=[dataclasses.replace(run, series=tuple(s for s in run.series if s.op in {"all", "add"}), quiet=())]
    )
    return with_runs(kept, [scaled(kept, 1 + Fraction(at, 100)).runs[0] for at in range(RUNS)])


def of_files(report: Report, _patch: pytest.MonkeyPatch) -> Comparison:
    """As of `lowlat compare`, with rules that somebody wrote."""
    slow = scaled(report, Fraction(6, 5))
    base, head = (samples_of([each], name, [name]) for each, name in ((report, "a.json"), (slow, "b.json")))
    return compare_reports(base, head, [parse_rule("p99=1234.567%"), parse_rule("p50::*=5%")], ["lowlat"])


def interleaved(report: Report, _patch: pytest.MonkeyPatch) -> Comparison:
    """As of `lowlat ab`, of two processors."""
    other = dataclasses.replace(report, host=dataclasses.replace(report.host, cpu="another"))
    sides = [samples_of_each([each] * RUNS, name, ["lowlat", "bench"]) for each, name in ((report, "A"), (other, "B"))]
    order = Interleaving(seed=3, pairs=RUNS + 1, first=order_of(RUNS + 1, 3))
    return compare_interleaved(sides[0], sides[1], (), ["lowlat"], order)


def until_decided(_report: Report, patch: pytest.MonkeyPatch) -> Comparison:
    """As of `lowlat ab --wall --until-decided`, with times made up."""
    times = {"A": Random(4), "B": Random(104)}
    patch.setattr(ab, "wall_ns_of", lambda command: round(1e6 * times[command.name].lognormvariate(0, 0.1)))
    base, head = (ComparedCommand(name, "true", ("true",)) for name in times)
    found, _ = ab.compare_commands(ab.AbPlan(base, head, pairs=60, seed=5, wall=True, until_decided=True))
    return found


def is_accepted(document: Any) -> bool:
    try:
        comparison_from_document(document)
    except LowlatError as error:
        assert isinstance(error, NotValidError | FormatError) and str(error)
        return False
    return True


@pytest.fixture(scope="module")
def compared(measured: Report) -> str:
    """A document of files."""
    return json.dumps(to_document(of_files(measured, pytest.MonkeyPatch())))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("gate.rules", ["p50::*=5%"], "metrics (p99 service all): gates is true, but gate.rules say false"),
        ("metrics.0.threshold_percent", 6.0, "(p50 service add): threshold_percent is 6.0, but gate.rules give 5"),
        ("gate.rules.0", "p99=1234.57%", "(p99 service all): threshold_percent is 1234.567, but gate.rules give"),
        ("gate.rules.0", "p99=010%", "gate.rules is p99=010%, but that rule is written p99=10%"),
        ("gate.rules.0", "p98=5%", "gate.rules: 'p98=5%' gates 'p98', but gates apply to"),
        ("gate.rules.0", "p99:response=5%", "gate.rules: gate p99:response=5% matches nothing that both sides have"),
        ("metrics.3.floor", 0.9, "metrics (max service add): floor is 0.9, but the step of the clock is 0.952"),
        ("metrics.3.name", "p90", "metrics (p90 service add): name is p90, but no rule of the gate asks for it"),
        ("metrics.0.step", 0.1, "metrics (p50 service add): step is 0.1, but the clock's is 0.952"),
        ("metrics.6.op", "add", "metrics is p99.9 service add, but it is there twice"),
        ("base.runs", 7, "base.runs is 7, but metrics have at most 6"),
        ("base.digest", "sha256:1", "the same commands gave different events, so an engine is wrong"),
        ("head.workload.seed", 7, "base and head is of different work, but they differ in seed (1 and 7)"),
        ("head.host.governor", "x", "warnings is (), but base and head differ in governor"),
        ("head.load", None, "head.tool is true, but tool, workload, load, host, clock go together"),
        ("head.workload.mix.add", 7, "head.workload.commands is 30000, but mix adds up to "),
        ("base.load.acked", 7, "base.load.sent is 360000, but acked and rejected add up to 7"),
        ("base.clock.declared_hz", 1e9, "base.clock.frequency_hz is 2100000136.8203166, but "),
        ("status", "interrupted", "status is interrupted, but after 6 runs of base it is ok"),
        ("significance", 0.04, "significance is 0.04, but that of a comparison, or of its last look, is 0.05"),
        ("not_compared", ["service add"], "not_compared is service add, but a line says what only base or head has"),
        ("warnings", ["the clock's step of 1 ns is"], 'warnings is ("the clock\'s step of 1 ns is",), but medians'),
    ],
)
def test_a_contradiction_is_named(compared: str, path: str, value: Any, said: str) -> None:
    document = holder = json.loads(compared)
    *names, last = (int(name) if name.isdigit() else name for name in path.split("."))
    for name in names:
        holder = holder[name]
    holder[last] = value
    with pytest.raises(NotValidError) as refused:
        comparison_from_document(document)
    assert said in str(refused.value)


def test_reports_of_a_side_may_differ_from_its_first(measured: Report) -> None:
    """A comparison keeps the first report of a side; what the others have is in warnings, and in the step."""
    other = dataclasses.replace(
        measured,
        host=dataclasses.replace(measured.host, cpu="another"),
        clock=dataclasses.replace(measured.clock, step_ns=40.0),
    )
    base, head = samples_of([measured], "a", ["a"]), samples_of([measured, other], "b", ["b", "c"])
    comparison = compare_reports(base, head, (), ["lowlat"])
    assert [warning.partition(":")[0] for warning in comparison.warnings][:2] == [
        "measured in different environments",
        "the clock's step differs",
    ]
    assert comparison_from_document(to_document(comparison)) == comparison


@pytest.mark.parametrize("make", [of_files, interleaved, until_decided])
def test_every_leaf_that_others_tell_is_told_by_them(
    measured: Report, monkeypatch: pytest.MonkeyPatch, make: Callable[[Report, pytest.MonkeyPatch], Comparison]
) -> None:
    document = json.loads(json.dumps(to_document(make(measured, monkeypatch))))
    assert is_accepted(document)
    accepted, unnoticed = accepted_leaves(document, is_accepted)
    assert beyond(accepted, (*TEXTS, *ALONE)) == set()
    assert unnoticed - beyond(unnoticed, DERIVED) == set()
    assert "version" in accepted  # the list is not empty because nothing is ever accepted
