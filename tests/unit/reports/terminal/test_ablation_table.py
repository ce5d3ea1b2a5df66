"""An ablation as a table, as Markdown, and as a document: the answer first, and what weakens it before that."""

from __future__ import annotations

import dataclasses
import io
import json

import msgspec
import pytest
from rich.console import Console

from lowlat.documents import text
from lowlat.reports.model.ablation import Ablation
from lowlat.reports.outputs.ablation_markdown import to_markdown
from lowlat.reports.page.ablation_chart import ratios
from lowlat.reports.page.html import to_html
from lowlat.reports.terminal import ablation_lines as lines
from lowlat.reports.terminal.ablation_table import render_ablation
from tests.ablations import ABSENT, an_ablation

ANSWER = "1 of 4 techniques helps here; 1 hurts, 1 shows no difference, 1 is not available"


def shown(ablation: Ablation, *, every: bool = False) -> list[str]:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    render_ablation(ablation, console, every=every)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_the_answer_comes_first_and_all_fits_a_terminal() -> None:
    lines = shown(an_ablation(quick=False))
    assert lines[0] == f"ablate  {ANSWER}"
    rows = {line[:32].rstrip(): line[32:].split() for line in lines[2:8]}
    assert rows["look-ahead in batches"] == ["80.4", "ns", "40.2", "ns", "0.50", "0.50-0.51", "helps"]
    assert rows["control: the same twice"][-2:] == ["no", "difference"]
    assert not any("lock-free ring" in line for line in lines)
    assert all(len(line) <= 80 for line in lines[1:8])
    assert sum(len(line) // 80 + 1 for line in lines) <= 24


@pytest.mark.parametrize(
    ("named", "answer"),
    [
        (("look-ahead", "counter"), "1 of 2 techniques helps here; 1 shows no difference"),
        (("pool", "counter"), "0 of 2 techniques help here; 1 hurts, 1 shows no difference"),
        (("look-ahead",), "1 of 1 technique helps here"),
        (("pool",), "0 of 1 technique helps here; 1 hurts"),
    ],
)
def test_the_answer_counts_what_helps(named: tuple[str, ...], answer: str) -> None:
    ablation = an_ablation()
    chosen = tuple(each for each in ablation.techniques if each.name in named)
    assert lines.answer(dataclasses.replace(ablation, techniques=chosen)) == answer


@pytest.mark.parametrize(
    ("ablation", "first"),
    [
        (an_ablation(), "QUICK: fewer and shorter runs"),
        (an_ablation(interrupted=True), "INTERRUPTED: partial results: interrupted after 8 rounds of 14"),
        (an_ablation(quick=False, control_ns=60.0), "the control differs from itself: this host is too noisy"),
    ],
)
def test_what_weakens_it_comes_before_the_answer(ablation: Ablation, first: str) -> None:
    assert shown(ablation)[0].startswith(first)
    assert to_markdown(ablation).splitlines()[2].startswith(f"> **{first}")


def test_a_technique_that_is_not_available_says_what_is_missing() -> None:
    assert f"ring: {ABSENT}" in " ".join(" ".join(shown(an_ablation())).split())
    assert f"- ring: {ABSENT}" in to_markdown(an_ablation()).splitlines()


def test_details_have_the_mechanism_all_figures_and_counters() -> None:
    told = " ".join(" ".join(shown(an_ablation(), every=True)).split())
    for said in ("Why look-ahead helps.", "How pool works.", "51.5 without, 50 with", "throughput"):
        assert said in told
    assert "cycles 200 without, 100 with" in told
    assert "counters not available here, because this processor has no counters" in told
    assert "intervals of 99%" in told and "no effect below 3% is claimed" in told


def test_a_document_is_read_as_it_was_written() -> None:
    for ablation in (an_ablation(), an_ablation(interrupted=True)):
        assert msgspec.convert(json.loads(text(ablation)), Ablation) == ablation


def test_a_page_has_every_technique_and_a_chart_of_those_with_figures() -> None:
    page = to_html(an_ablation(interrupted=True))
    assert "INTERRUPTED: partial results" in page and ABSENT in page
    assert page.count("<h2>") == len(an_ablation().techniques)
    chart = ratios(an_ablation())
    assert chart is not None and chart.rows == 4
    points = {series.name: [(point.what, point.x) for point in series.points] for series in chart.series}
    assert points == {
        "no difference seen": [("time-stamp counter as the clock", 1.0), ("control: the same twice", 1.0)],
        "hurts": [("object pool for orders", 2.0)],
        "helps": [("look-ahead in batches", 0.5)],
    }


def test_rounds_that_there_was_no_time_for_are_told() -> None:
    few = "time for 8 of 14 rounds; fewer techniques (--only) have more"
    assert few in lines.notes(an_ablation())
    assert few not in lines.notes(an_ablation(interrupted=True)), "its first line says so"
    assert not any("time for" in note for note in lines.notes(dataclasses.replace(an_ablation(), rounds_max=8)))


def test_a_tiny_ratio_keeps_a_figure() -> None:
    assert [lines.ratio(each) for each in (None, 0.00142, 0.0094, 0.0096, 0.5)] == [
        "-",
        "0.001",
        "0.009",
        "0.01",
        "0.50",
    ]


def test_the_control_alone_helps_nobody() -> None:
    found = an_ablation(quick=False)
    control = tuple(each for each in found.techniques if each.name == "control")
    alone = dataclasses.replace(found, techniques=control)
    assert lines.answer(alone) == "only the control was measured: no difference seen"


def test_too_few_rounds_to_decide_anything_are_named() -> None:
    found = an_ablation()
    undecided = tuple(
        dataclasses.replace(each, effects=tuple(dataclasses.replace(it, interval=None) for it in each.effects))
        for each in found.techniques
    )
    assert "time for 8 of 14 rounds; fewer techniques (--only) have more" in lines.notes(found)
    few = lines.notes(dataclasses.replace(found, techniques=undecided))
    assert "time for 8 of 14 rounds, too few to decide anything; fewer techniques (--only) have more" in few
