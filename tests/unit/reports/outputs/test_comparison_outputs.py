"""A gate's result in a terminal, a step summary and a CI's list of failed tests: each is complete and says why."""

from __future__ import annotations

import dataclasses
import io
import re
from fractions import Fraction
from xml.etree import ElementTree

import pytest
from rich.console import Console

from lowlat.errors import UsageError
from lowlat.reports.compare.compare import WALL, Samples, compare, compare_reports, samples_of
from lowlat.reports.compare.gate import parse_rule
from lowlat.reports.model.comparison import Comparison
from lowlat.reports.model.report import Report
from lowlat.reports.model.series import summarize
from lowlat.reports.outputs.comparison_junit import to_junit
from lowlat.reports.outputs.comparison_markdown import to_markdown
from lowlat.reports.terminal import comparison_lines
from lowlat.reports.terminal.comparison_table import render_comparison
from tests.scaled_reports import scaled

NASTY = "[red]a|b`<script>\x1b\x00\nc"


def of(base: Report, head: Report, *gates: str, label: str = "head.json") -> Comparison:
    sides = samples_of([base], "base.json", ["base.json"]), samples_of([head], label, [label])
    return compare_reports(*sides, [parse_rule(gate) for gate in gates], ["lowlat"])


@pytest.fixture
def eight(report: Report) -> Report:
    runs = tuple(dataclasses.replace(report.runs[index % 3], number=index + 1) for index in range(8))
    return dataclasses.replace(report, runs=runs, summary=summarize(runs))


@pytest.fixture
def failed(eight: Report) -> Comparison:
    """Everything takes 1.3 times as long; p50 and p99 gate."""
    return of(eight, scaled(eight, Fraction(13, 10)))


@pytest.fixture
def unclear(report: Report) -> Comparison:
    """Three runs per side."""
    return of(report, report, "p99=10%")


def shown(comparison: Comparison, *, width: int = 100, every: bool = False) -> str:
    stream = io.StringIO()
    render_comparison(
        comparison, Console(file=stream, width=width, force_terminal=True, color_system=None), every=every
    )
    return stream.getvalue()


def row(text: str, name: str) -> str:
    return " ".join(next(line for line in text.splitlines() if line.strip().startswith(name)).split())


def test_a_row_has_ratio_interval_p_runs_limit_and_verdict(failed: Comparison) -> None:
    assert row(shown(failed), "all p99 ") == "all p99 181 ns 235 ns 1.30 1.29-1.30 <0.001 8+8 +10% regressed"
    assert row(shown(failed), "all max ").endswith("not gated regressed")
    assert row(shown(failed), "throughput").startswith("throughput 40.0 M/s 30.8 M/s 0.77")
    assert row(shown(failed), "cpu") == "cpu 24 ns 31.2 ns 1.30 1.30-1.30 <0.001 8+8 +10% regressed"
    assert "HL ratio" in row(shown(failed), "service") and " HL " in row(shown(failed, width=80), "service")


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_row_is_wider_than_the_terminal_and_nothing_is_cut(failed: Comparison, width: int) -> None:
    text = shown(failed, width=width)
    assert max(map(len, text.splitlines())) <= width and "…" not in text


def test_what_the_verdict_rests_on_is_said(failed: Comparison, eight: Report) -> None:
    text = " ".join(shown(failed, every=True).split())
    assert (
        "gate failed: p50 service all 44.7 ns -> 57.5 ns, 1.29x (limit +10%, p <0.001, 8+8 runs); p99 service all"
        in text
    )
    assert (
        "ratio beyond the limit, p below 0.05 (Savage's rank test); figures not interpolated also differ by more than "
        "the clock's 10 ns" in text
    )
    assert "percentiles interpolated within steps of 10 ns; those of a single report are not" in text
    assert "HL ratio Hodges-Lehmann estimate over all pairs of runs, not the ratio of the medians" in text
    assert "base base.json · 8 runs (2 noisy) · steady · lowlat 0.1.0 (abc1234) · AMD EPYC 7763" in text
    means = " ".join(shown(of(eight, eight, "mean=5%"), every=True).split())
    assert "percentiles interpolated within steps of 10" in means


def test_too_few_runs_to_conclude_anything_are_said_in_table_and_markdown(unclear: Comparison) -> None:
    gate = "gate inconclusive (p99=10%): a regression of p99 service all cannot be ruled out; "
    for text in (" ".join(shown(unclear).split()), to_markdown(unclear).replace("\\", "")):
        assert f"{gate}fewer than 4 runs per side; 10 or more are recommended" in text and "use more runs" not in text
    sides = [Samples(name, (), tuple({WALL: ns} for ns in (80.0, 90, 100, 110, 140))) for name in "AB"]
    enough = " ".join(shown(compare(*sides, (), [])).split())
    assert "use more runs, or interleave them with 'lowlat ab'" in enough and "fewer than" not in enough


def test_warnings_and_what_was_left_out_are_said(eight: Report) -> None:
    runs = tuple(dataclasses.replace(run, series=run.series[:-1]) for run in eight.runs)
    other = dataclasses.replace(eight, runs=runs, host=dataclasses.replace(eight.host, kernel="6.2"))
    text = " ".join(shown(of(eight, other)).split())
    assert "warning measured in different environments: kernel (Linux 6.1.0-28-amd64 and 6.2)" in text
    assert "not compared only base has service market" in text
    assert "gate passed (p50=10%, p99=10%, cpu=10%)" in text


def test_other_measures_show_all_operations_together_unless_every_one_is_asked_for(eight: Report) -> None:
    runs = tuple(
        dataclasses.replace(
            run, series=(*run.series, *(dataclasses.replace(each, measure="stage:queued") for each in run.series))
        )
        for run in eight.runs
    )
    comparison = of(*[dataclasses.replace(eight, runs=runs)] * 2)
    few, every = shown(comparison), shown(comparison, every=True)
    assert few.count("all p50") == every.count("all p50") == 2
    assert (few.count("cancel p50"), every.count("cancel p50")) == (0, 2)


def test_the_verdict_comes_first_and_the_rest_fits_a_screen(failed: Comparison, eight: Report) -> None:
    text = shown(failed)
    lines = text.splitlines()
    assert len(lines) <= 24
    assert lines[0].startswith("gate failed: p50 service all 44.7 ns -> 57.5 ns")
    assert lines[-1].startswith("-v also shows 12 more metrics, 10 regressed, and how they are compared")
    assert shown(of(eight, eight)).splitlines()[-1].startswith("-v also shows 12 more metrics, and how")


def test_markdown_is_one_table_below_a_third_level_heading(failed: Comparison) -> None:
    text = to_markdown(failed)
    assert text.startswith("### lowlat: gate failed\n\n")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {10}
    assert len(rows) == 2 + len(failed.metrics)
    assert (
        "| **p99 service all** | 181 ns | 235 ns | 1.30 | 1.29-1.30 | \\<0.001 | 8+8 | +10% | **regressed** |" in rows
    )


def test_markup_in_names_does_nothing_in_any_output(eight: Report) -> None:
    named = dataclasses.replace(eight, host=dataclasses.replace(eight.host, cpu=NASTY))
    comparison = of(eight, named, label=NASTY)
    markdown = to_markdown(comparison)
    assert "<script>" not in re.sub(r"\\.", "", markdown)
    assert all(line.count("|") - line.count("\\|") in (0, 10) for line in markdown.splitlines())
    assert "[red]a|b`<script>" in shown(comparison, width=200)
    output = ElementTree.fromstring(to_junit(comparison)).findtext("testsuite/system-out")
    assert output is not None and r"[red]a|b`<script>\x1b\x00\nc" in output


def test_junit_has_a_case_for_each_gated_metric(failed: Comparison, unclear: Comparison, eight: Report) -> None:
    """As in the Jenkins schema: counts on the suite, a failure or skipped element in the case."""
    suite = ElementTree.fromstring(to_junit(failed)).find("testsuite")
    assert suite is not None
    assert suite.attrib == {"name": "lowlat", "tests": "3", "failures": "3", "errors": "0", "skipped": "0"}
    case = suite.findall("testcase")[1]
    assert case.attrib == {"classname": "lowlat.service.all", "name": "p99"}
    failure = case.find("failure")
    assert failure is not None and failure.attrib["type"] == "regressed"
    assert failure.attrib["message"] == "181 ns -> 235 ns, ratio 1.30 (1.29-1.30), p <0.001, 8+8 runs, limit +10%"
    skipped = ElementTree.fromstring(to_junit(unclear)).find(".//testcase/skipped")
    assert skipped is not None and skipped.attrib["message"].startswith("inconclusive: fewer than 4 runs per side; ")
    passed = ElementTree.fromstring(to_junit(of(eight, eight))).find(".//testcase/system-out")
    assert passed is not None and str(passed.text).startswith("unchanged: ")


def test_a_look_at_a_lower_level_says_so_in_every_output() -> None:
    sides = [Samples(name, (), tuple({WALL: ns} for ns in range(100, 110))) for name in "AB"]
    look = compare(sides[0], sides[1], (), [], significance=0.008)
    assert look.significance == 0.008
    assert " 99.2% " in row(shown(look), "per run") and "p below 0.008 (Savage's rank test)" in shown(look, every=True)
    assert "| 99.2% interval |" in to_markdown(look)
    with pytest.raises(UsageError, match="significance 0 is not above 0"):
        compare(sides[0], sides[1], (), [], significance=0)


def test_medians_that_contradict_the_ratio_are_explained() -> None:
    """Each side has fast and slow runs: the ratio is about 1, but one median is of the fast and one of the slow."""
    fast, slow = [38.0, 38.4, 38.8, 39.2, 39.6], [9.1, 9.12, 9.14, 9.16, 9.18]
    base, head = ((*fast[:4], *slow), (*fast, *slow[:4]))
    sides = [Samples(name, (), tuple({WALL: 1e9 / ns} for ns in each)) for name, each in (("A", base), ("B", head))]
    text = " ".join(shown(compare(*sides, (), [])).split())
    assert "warning wall: the ratio of the medians is 0.24, not 0.99: the runs of a side form groups" in text
    assert "form groups" not in shown(compare(sides[0], sides[0], (), []))


def test_elapsed_times_of_commands_are_a_comparison_too() -> None:
    fast, slow = (
        Samples(name, (), tuple({WALL: ns} for ns in range(at, at + 6))) for name, at in (("A", 100), ("B", 200))
    )
    comparison = compare(fast, slow, (), [])
    assert comparison.gate.failed == ("wall",) and comparison.gate.rules == ("wall=10%",)
    assert row(shown(comparison), "wall").startswith("wall 102 ns 202 ns")
    assert '<testcase classname="lowlat" name="wall">' in to_junit(comparison)


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.123, "0.12"), (1.0, "1.00"), (9.99, "9.99"), (9.996, "10"), (4e6, "4.00 M")]
)
def test_ratios_have_two_decimals_where_these_matter(value: float | None, text: str) -> None:
    assert comparison_lines.ratio(value) == text
