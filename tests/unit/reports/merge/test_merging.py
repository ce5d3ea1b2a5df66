"""A merged report holds every sample once, as if all runs had been recorded together; different work is never mixed."""

from __future__ import annotations

import dataclasses
from typing import Any

import jsonschema
import numpy as np
import pytest

from lowlat.documents import published
from lowlat.errors import ExitCode, InputError, NotValidError
from lowlat.reports.histogram.histogram import merge
from lowlat.reports.io.json_codec import to_document
from lowlat.reports.merge.merging import merge_reports
from lowlat.reports.model.over_runs import steal_percent
from lowlat.reports.model.report import Report
from lowlat.reports.model.series import histogram_of, summarize

COMMAND = ("lowlat", "report", "a.json", "b.json")


def part(report: Report, *indexes: int, **changes: Any) -> Report:
    """The report of only some of the three runs."""
    runs = tuple(report.runs[index] for index in indexes)
    return dataclasses.replace(report, runs=runs, summary=summarize(runs), **changes)


def merged(*reports: Report) -> Report:
    return merge_reports([(f"{name}.json", report) for name, report in zip("abc", reports, strict=False)], COMMAND)


def test_the_parts_of_a_report_merge_to_the_whole(report: Report) -> None:
    """In any order of names: runs are sorted by start time."""
    whole = merged(part(report, 2), part(report, 0, 1))
    assert whole.runs == report.runs
    assert whole.summary == report.summary
    assert whole.command == COMMAND
    jsonschema.Draft202012Validator(published("lowlat.report/1", closed=True)).validate(to_document(whole))


def test_histograms_are_added(report: Report) -> None:
    a, b = part(report, 0), part(report, 1)
    added = merge([histogram_of(a.summary[0]), histogram_of(b.summary[0])])
    found = histogram_of(merged(a, b).summary[0])
    assert np.array_equal(found.counts, added.counts)
    assert found.bounds_ns == added.bounds_ns


def test_counts_add_up_and_rates_are_those_of_all_the_time(report: Report) -> None:
    """100 commands at 10/s take 10 s, 100 at 40/s take 2.5 s: together 16/s."""
    slow = dataclasses.replace(report.load, sent=100, acked=90, rejected=10, achieved_rate=10.0)
    fast = dataclasses.replace(report.load, sent=100, acked=100, rejected=0, achieved_rate=40.0)
    load = merged(part(report, 0, load=slow), part(report, 1, load=fast)).load
    assert (load.sent, load.acked, load.rejected, load.achieved_rate) == (200, 190, 10, 16.0)


def test_the_stage_that_the_runs_measured_is_taken_from_all_of_them(report: Report) -> None:
    def stage(document: Report) -> int | None:
        return next(row.measured_ns for row in document.budget if row.stage == "application")

    def with_own_p99(document: Report) -> Report:
        p99_ns = document.summary[0].percentiles["99"].value
        rows = tuple(
            dataclasses.replace(row, measured_ns=p99_ns) if row.stage == "application" else row
            for row in document.budget
        )
        return dataclasses.replace(document, budget=rows)

    a, b = with_own_p99(part(report, 0)), with_own_p99(part(report, 1, 2))
    whole = merged(a, b)
    assert stage(whole) == whole.summary[0].percentiles["99"].value
    assert whole.budget_class is None, "the operating system was not measured"


def test_what_differs_and_cannot_be_added_is_not_available(report: Report) -> None:
    other = dataclasses.replace(report.host, kernel="Linux 6.12", steal_percent=2.0)
    whole = merged(part(report, 0), part(report, 1, host=other))
    assert whole.host.kernel is None
    assert whole.not_available["host.kernel"] == (
        "not available here, because the merged reports differ: Linux 6.1.0-28-amd64; Linux 6.12"
    )
    assert whole.host.cpu == report.host.cpu
    assert whole.host.steal_percent == steal_percent(whole.runs)  # not of what the reports say


def test_builds_are_both_named(report: Report) -> None:
    tool = dataclasses.replace(report.tool, git="def5678", version="0.2.0")
    whole = merged(part(report, 0), part(report, 1, tool=tool))
    assert (whole.tool.version, whole.tool.git) == ("0.1.0 / 0.2.0", None)
    assert "abc1234; def5678" in whole.not_available["tool.git"]


def test_the_worst_status_holds_and_its_reasons_name_the_file(report: Report) -> None:
    stopped = part(report, 1, status="interrupted", status_reasons=("after 1 of 3 runs",))
    wrong = part(report, 2, status="invalid", status_reasons=("lost commands",))
    assert merged(part(report, 0), stopped).status == "interrupted"
    whole = merged(part(report, 0), stopped, wrong)
    assert (whole.status, whole.status_reasons) == (
        "invalid",
        ("b.json: after 1 of 3 runs", "c.json: lost commands"),
    )


def test_other_events_of_the_same_commands_are_not_valid(report: Report) -> None:
    other = dataclasses.replace(report.verification, digest="0" * 16)
    whole = merged(part(report, 0), part(report, 1, verification=other))
    assert whole.status == "invalid"
    assert whole.status_reasons == ("runs over the same commands gave 2 different event streams",)


@pytest.mark.parametrize(
    ("field", "changes", "said"),
    [
        ("workload", {"hash": "0"}, "workload hash (5f3c9a1e77d0b2c4 and 0)"),
        ("workload", {"seed": 43}, "seed (42 and 43)"),
        ("workload", {"seed": None}, "seed (42 and none)"),
        (
            "load",
            {"model": "open", "target_rate": 1e6},
            "load model (closed and open); target rate (none and 1,000,",
        ),
        ("engine", {"name": "reference"}, "engine (native and reference)"),
        ("engine", {"settings": {"order_pool": 60_000, "trade_pool": 100_000}}, "order_pool (50,000 and 60,000)"),
        ("engine", {"settings": {"order_pool": 50_000}}, "engine setting trade_pool (100,000 and none)"),
    ],
)
def test_other_work_is_refused_with_what_differs(
    report: Report, field: str, changes: dict[str, Any], said: str
) -> None:
    other = part(report, 1, **{field: dataclasses.replace(getattr(report, field), **changes)})
    with pytest.raises(NotValidError) as caught:
        merged(part(report, 0), other)
    assert str(caught.value).startswith("b.json cannot be merged with a.json: they differ in ")
    assert said in str(caught.value)
    assert caught.value.exit_code == ExitCode.NOT_VALID


def test_a_run_does_not_count_twice(report: Report) -> None:
    with pytest.raises(InputError, match=r"b\.json and a\.json hold the same run, started 2026-11-23T10:00:01Z"):
        merged(part(report, 0, 1), part(report, 1, 2))


def test_a_report_that_lies_is_named(report: Report) -> None:
    broken = dataclasses.replace(part(report, 1), summary=report.summary)
    with pytest.raises(NotValidError, match=r"b\.json: summary \(all, service\): it does not hold"):
        merged(part(report, 0), broken)
