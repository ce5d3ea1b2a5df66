"""The page of a report: its figures are the report's, text cannot become markup, nothing is loaded from elsewhere.

Parsed with Python's HTML parser; `test_html_browser.py` opens it in a real browser.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
import sys

import pytest

from lowlat import units
from lowlat.errors import ExitCode, UsageError
from lowlat.reports.model.report import BudgetPart, Report
from lowlat.reports.model.sweep import Sweep
from lowlat.reports.page.charts import over_rates
from lowlat.reports.page.html import check_available, to_html
from tests.page import HOSTILE, Page


@pytest.fixture(scope="module")
def page(report: Report) -> Page:
    return Page(to_html(report))


def test_the_latency_table_holds_the_reports_figures(report: Report, page: Page) -> None:
    heads, *rows = page.tables[0]
    assert heads == ["service", "count", "p50", "p90", "p95", "p99", "p99.9", "p99.99", "max", "mean"]
    assert len(rows) == len(report.summary) == 4
    for row, series in zip(rows, report.summary, strict=True):
        named = dict(zip(heads, row, strict=True))
        assert named["service"] == series.op
        assert named["count"].startswith(f"[{series.count}] ")
        assert named["max"] == f"[{series.max}] {units.time(series.max)}"
        for percent in ("50", "90", "95", "99", "99.9", "99.99"):
            found, spread = series.percentiles[percent], series.spread[percent]
            star = "*" if found.beyond < 10 else ""
            shown = f"[{found.value}] {units.time(found.value)}{star}{units.time_range(spread.min, spread.max)}"
            assert named[f"p{percent}"] == shown


def test_both_untimed_passes_are_columns_and_facts(with_both_passes: Report) -> None:
    page = Page(to_html(with_both_passes))
    table = next(rows for rows in page.tables if rows and "one at a time" in rows[0])
    column = table[0].index("one at a time")
    assert table[0][column - 1] == "batched"
    assert [row[column] for row in table[1:]] == ["[25000000.0] 25.0 M/s"] * 3
    assert "a call per command, events read, no timestamps" in page.text


def test_the_cards_are_latencies_and_throughput(with_both_passes: Report, page: Page) -> None:
    """24, 25 and 26 M/s: the median pass."""
    text = to_html(with_both_passes)
    cards = re.findall(r"<li><b>(.*?)</b> (.*?)</li>", text)
    assert [label for _, label in cards] == [
        *("p50 of service", "p99 of service", "p99.9 of service", "max", "throughput, batched")
    ]
    assert cards[-1][0] == "40.0 M/s"
    unknown = dataclasses.replace(
        with_both_passes, runs=tuple(dataclasses.replace(run, throughput=None) for run in with_both_passes.runs)
    )
    assert "throughput, batched" not in to_html(unknown)


def test_the_kernel_command_line_is_shown_on_request_only(report: Report, swept: Sweep) -> None:
    """It may name hosts and disks, and a page is sent around."""
    host = dataclasses.replace(report.host, cmdline="root=UUID=1234 ip=10.0.0.7")
    points = tuple(dataclasses.replace(point, host=host) for point in swept.points)
    for document in (dataclasses.replace(report, host=host), dataclasses.replace(swept, points=points)):
        assert "root=UUID" not in to_html(document) and "kernel command line" not in to_html(document)
        assert "root=UUID=1234 ip=10.0.0.7" in to_html(document, verbose=True)


def test_bands_budget_and_surroundings_are_there(report: Report, page: Page) -> None:
    _, _, bands, budget, *_ = page.tables
    assert [row[:2] for row in bands[1:]] == [
        [band.name, f"[{band.count}] {units.short(band.count)}"] for band in report.summary[0].bands
    ]
    assert [row[0] for row in budget[1:]] == ["network", "application", "operating system", "NIC", "total"]
    p99 = report.summary[0].percentiles["99"].value
    assert budget[2][2] == f"[{p99}] {units.time(p99)}"
    assert budget[1][2] == "not measured"
    for words in (
        "AMD EPYC 7763",
        "rdtscp",
        "2 involuntary context switches",
        "no MSR",
        "order_pool",
        report.workload.hash,
    ):
        assert words in page.text


def test_parts_of_the_budget_stand_beneath_their_stage(report: Report) -> None:
    part = BudgetPart(name="wake-up", p50_ns=4_000, p99_ns=9_000, samples=1_000, basis="a futex")
    stages = (report.budget[0], dataclasses.replace(report.budget[1], parts=(part,)), *report.budget[2:])
    budget = Page(to_html(dataclasses.replace(report, budget=stages))).tables[3]
    assert [cell.replace("\n", "") for cell in budget[3]] == [
        "wake-up",
        "",
        "[9000] 9.00 µs",
        "p99 (p50 [4000] 4.00 µs): a futex, 1,000 samples",
    ]


def test_a_sweep_has_a_row_and_a_point_for_each_rate(swept: Sweep) -> None:
    page = Page(to_html(swept))
    heads, *rows = page.tables[0]
    assert heads[:6] == ["target", "achieved", "p50", "p99", "p99.9", "max"]
    for row, point in zip(rows, swept.points, strict=True):
        p99_of_runs = sorted(run.series[0].percentiles["99"].value for run in point.runs)
        assert row[0] == units.rate(point.load.target_rate or 0)
        assert row[3].startswith(f"[{p99_of_runs[1]}] ")
    assert [row[6] for row in rows] == ["meets (3 of 3)", "meets (3 of 3)", "not sustained in 3 of 3"]
    assert [what.partition(",")[0] for _, _, what, _ in page.tooltips["over-rates"][1]] == [
        *("at 1.00 M/s", "at 2.00 M/s", "at 4.00 M/s")
    ]
    assert "isotonic fit" in page.text and "95% interval: 2.00 M/s to 4.00 M/s" in page.text


def test_an_undecided_rate_is_an_open_circle_and_its_answer_no_number(undecided: Sweep) -> None:
    page = Page(to_html(undecided))
    assert [row[6] for row in page.tables[0][1:]] == ["meets (3 of 3)", "undecided (0 of 3)", "not sustained in 3 of 3"]
    chart = over_rates(undecided)
    assert chart is not None
    assert [point.mark for point in chart.series[1].points] == ["circle", "open", "cross"]
    lines = [guide for guide in chart.guides if guide.along == "x"]
    assert [(line.value, line.text) for line in lines] == [(1e6, "undecided"), (1e6, ""), (4e6, "")]


def test_a_document_cannot_become_markup(report: Report) -> None:
    hostile = dataclasses.replace(
        report,
        status="invalid",
        status_reasons=(HOSTILE,),
        command=("lowlat", HOSTILE),
        workload=dataclasses.replace(report.workload, profile=HOSTILE, notes=(HOSTILE,), hash=HOSTILE),
        host=dataclasses.replace(report.host, cpu=HOSTILE, cmdline=HOSTILE),
        engine=dataclasses.replace(report.engine, name=HOSTILE, settings={HOSTILE: HOSTILE}),
        budget=(dataclasses.replace(report.budget[0], stage=HOSTILE, basis=HOSTILE),),
        summary=tuple(dataclasses.replace(series, op=HOSTILE) for series in report.summary),
        not_available={HOSTILE: HOSTILE},
    )
    plain, attacked = Page(to_html(report)), Page(to_html(hostile))
    assert len(attacked.scripts) == len(plain.scripts) == 2
    assert (attacked.scripts[1], attacked.style) == (plain.scripts[1], plain.style)
    assert not [tag for tag, _ in attacked.elements if tag == "img"]
    assert not [attributes for _, attributes in attacked.elements if any(name.startswith("on") for name in attributes)]
    assert attacked.text.count(HOSTILE) >= 12


def test_nothing_is_fetched_and_only_named_scripts_and_styles_work(page: Page) -> None:
    assert not [tag for tag, attributes in page.elements if "src" in attributes or tag in {"iframe", "base", "object"}]
    links = {attributes["href"] or "" for _, attributes in page.elements if "href" in attributes}
    assert {link for link in links if not link.startswith("#mark-")} == {"data:,"}
    policy = next(a["content"] or "" for t, a in page.elements if t == "meta" and a.get("http-equiv"))
    script, style = (
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (page.scripts[1], page.style)
    )
    assert policy == (f"default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; img-src data:"), (
        "no 'unsafe-inline', no host"
    )
    assert not [attributes for _, attributes in page.elements if "style" in attributes], "which the policy would block"


def test_our_own_templates_name_no_host(report: Report) -> None:
    assert re.findall(r"(?:https?:)?//[a-z][\w.-]+\.[a-z]+", to_html(report)) == []


def test_every_mark_that_is_used_is_defined(report: Report, swept: Sweep) -> None:
    for document in (report, swept):
        elements = Page(to_html(document)).elements
        defined = {attributes.get("id") for _, attributes in elements}
        used = {(attributes["href"] or "")[1:] for tag, attributes in elements if tag == "use"}
        assert used and used <= defined


def test_tables_come_before_charts(page: Page) -> None:
    names = [tag for tag, _ in page.elements]
    assert names.index("table") < names.index("figure") < names.index("script")
    assert names.count("figure") == len(page.tooltips) == 2


def test_a_page_is_small(report: Report, swept: Sweep) -> None:
    """Reports of many runs and rates have more points, not more script."""
    runs = tuple(dataclasses.replace(report.runs[index % 3], number=index + 1) for index in range(100))
    points = tuple(
        dataclasses.replace(swept.points[0], load=dataclasses.replace(swept.points[0].load, target_rate=1e5 * rate))
        for rate in range(1, 33)
    )
    large = (dataclasses.replace(report, runs=runs), dataclasses.replace(swept, points=points))
    assert [len(to_html(each).encode()) < 1_000_000 for each in (report, *large)] == [True] * 3


def test_documents_at_the_edge_have_a_page(report: Report) -> None:
    empty = dataclasses.replace(report, runs=(), summary=(), budget_class=None, verification=None, status="interrupted")
    assert "No latency was measured" in Page(to_html(empty)).text
    single = dataclasses.replace(report, runs=report.runs[:1])
    assert "over-runs" not in Page(to_html(single)).tooltips
    bare = tuple(dataclasses.replace(series, percentiles={}, spread={}, bands=()) for series in report.summary)
    assert Page(to_html(dataclasses.replace(report, summary=bare))).tables[0][1][2] == "\u2013"


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, report: Report) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(UsageError, match=r"needs jinja2, .*pip install 'lowlat\[html\]'") as caught:
        to_html(report)
    assert caught.value.exit_code == ExitCode.USAGE
    monkeypatch.undo()
    check_available()
