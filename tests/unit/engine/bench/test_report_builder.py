"""A report is a function of the runs: recorded outcomes give, byte for byte, the recorded document.

`closed_loop.json` holds two runs of 150 commands with a journal, and their document, made before outcomes used the
report's structures. Program, host and CPUs, which vary, are left out.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Final

import jsonschema
import msgspec

from lowlat.documents import published
from lowlat.engine.bench.crosscheck import ReferenceCheck
from lowlat.engine.bench.placement import Place
from lowlat.engine.bench.protocol import ClosedLoop, RunOutcome
from lowlat.engine.bench.report_builder import Finished, assemble
from lowlat.engine.bench.run import RunPlan, settings_of
from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.probes.reading import Reading, known
from lowlat.probes.topology import read_topology
from lowlat.reports.io.json_codec import from_document, to_document
from lowlat.reports.model.context import Placement
from lowlat.reports.model.report import Report
from lowlat.reports.outputs.junit import of_report
from lowlat.reports.terminal import text_lines

RECORDED: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("closed_loop.json").read_text(encoding="utf-8"))
FINISHED: Final = msgspec.convert(RECORDED["finished"], list[Finished])
OF_THE_DAY: Final = ("tool", "host", "topology", "placement")


class OneNode(Place):
    """A host with all memory on node 0."""

    def memory_node(self, cpu: int | None) -> Reading[int]:
        return known(0, "made up")


COMPARED: Final = ReferenceCheck(engine="native", **RECORDED["prefix"])


def report(*finished: Finished, prefix: ReferenceCheck = COMPARED) -> Report:
    flow = synthetic_flow(load_profile("all-kinds"), 150, 3)
    asked = Placement(cpus="0", chosen_by="user", reasons=(), compromises=(), warnings=())
    return assemble(
        flow,
        settings_of(flow, RunPlan()),
        "native",
        ("lowlat", "bench"),
        ClosedLoop(),
        finished,
        prefix,
        OneNode((0,), read_topology(), known((0,), "made up"), asked),
        planned=2,
        journal=Path("day.journal"),
    )


def test_recorded_outcomes_give_the_document_they_gave() -> None:
    document = to_document(report(*FINISHED))
    for name in OF_THE_DAY:
        del document[name]
    absent = document["not_available"]
    document["not_available"] = {path: why for path, why in absent.items() if not path.startswith("host.")}
    assert json.dumps(document) == json.dumps(RECORDED["document"])


def test_a_report_without_the_comparison_is_valid_and_says_why() -> None:
    why = "not available here, because the reference engine would need minutes"
    made = report(*FINISHED, prefix=ReferenceCheck("native", 0, 0, None, None, skipped=why))
    assert (made.status, made.status_reasons) == ("ok", ())
    assert made.verification is not None and made.baselines is not None
    assert (made.verification.equal, made.verification.reference_commands) == (None, 0)
    assert made.baselines.reference_ns is None
    assert made.not_available["verification.equal"] == made.not_available["baselines.reference_ns"] == why
    document = to_document(made)
    jsonschema.validate(document, published("lowlat.report/1"))
    assert from_document(document) == made
    line = f"comparison with the reference engine {why}"
    assert line in text_lines.verification(made)
    assert line in of_report(made)


def test_a_comparison_that_was_made_is_not_called_unavailable() -> None:
    made = report(*FINISHED)
    assert made.verification is not None and made.verification.equal is True
    assert "verification.equal" not in made.not_available


def test_one_run_of_two_is_an_interrupted_report() -> None:
    assert report(FINISHED[0]).status_reasons == ("interrupted after 1 of 2 runs",)


def test_an_outcome_crosses_the_pipe_whole() -> None:
    for run in FINISHED:
        assert msgspec.json.decode(msgspec.json.encode(run.outcome), type=RunOutcome) == run.outcome


def test_runs_on_different_nodes_have_no_one_node() -> None:
    first, second = (run.outcome for run in FINISHED)
    moved = msgspec.structs.replace(second, hot_path=dataclasses.replace(second.hot_path, numa_node=1))
    over_both = report(*(dataclasses.replace(FINISHED[0], outcome=each) for each in (first, moved)))
    assert over_both.hot_path.numa_node is None
    assert over_both.not_available["hot_path.numa_node"] == "not one: the runs were bound to nodes 0, 1"
