"""JUnit XML for Jenkins and other CI servers: a test case for each check of a report.

Figures are properties of the suite. Use `lowlat compare` to find regressions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree

from lowlat.reports.model.report import Report
from lowlat.reports.terminal import text_lines
from lowlat.text import printable_lines

PERCENTS: Final = ("50", "99", "99.9")


def of_report(report: Report) -> str:
    """One suite, named after the profile. Times are seconds with three decimals, the most that Jenkins accepts."""
    cases = list(_cases(report))
    duration_s = f"{sum(run.duration_s or 0.0 for run in report.runs):.3f}"
    counts = {kind: str(sum(case.find(kind) is not None for case in cases)) for kind in ("failure", "error", "skipped")}
    suite = ElementTree.Element(
        "testsuite",
        name=_text(f"lowlat.{report.workload.profile}"),
        tests=str(len(cases)),
        failures=counts["failure"],
        errors=counts["error"],
        skipped=counts["skipped"],
        time=duration_s,
    )
    if report.runs:
        suite.set("timestamp", report.runs[0].started.removesuffix("Z"))
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _figures(report):
        ElementTree.SubElement(properties, "property", name=_text(name), value=_text(value))
    suite.extend(cases)
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def _cases(report: Report) -> Iterator[ElementTree.Element]:
    reasons = "; ".join(report.status_reasons) or "no reason given"
    yield _case(report, "figures are valid", failure=reasons if report.status == "invalid" else None)
    yield _case(report, "every run was made", error=reasons if report.status == "interrupted" else None)
    if report.load.target_rate is not None:
        yield _case(report, "rate was kept up", failure="; ".join(report.load.missed) or None)
    if report.recording is not None:  # of another program: there is no second engine
        return
    checked = report.verification
    if checked is None or checked.equal is None:
        yield _case(report, "engines agree", skipped=text_lines.not_compared(report))
    else:
        differing = None if checked.equal else "the events differ from the reference engine's"
        yield _case(report, "engines agree", failure=differing)


def _case(report: Report, name: str, **wrong: str | None) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=_text(f"lowlat.{report.workload.profile}"), name=name)
    for kind, why in wrong.items():
        if why is not None:
            ElementTree.SubElement(case, kind, message=_text(why))
    return case


def _figures(report: Report) -> Iterator[tuple[str, str]]:
    yield "git", report.tool.git or "unknown"
    if report.workload.hash is not None:
        yield "workload", report.workload.hash
    for series in report.summary:
        for percent in PERCENTS:
            if percentile := series.percentiles.get(percent):
                yield f"{series.op}.{series.measure}.p{percent}_ns", str(percentile.value)


def _text(text: str) -> str:
    """Text without control characters, most of which XML cannot represent even when escaped."""
    return printable_lines(text)
