"""A comparison as JUnit XML: a test case for each gated metric, so that a CI server lists the failures."""

from __future__ import annotations

from xml.etree import ElementTree

from lowlat.reports.model.comparison import Compared, Comparison
from lowlat.reports.terminal import comparison_lines as lines
from lowlat.text import printable


def to_junit(comparison: Comparison) -> str:
    """One test suite. A regression is a failure; an inconclusive metric is skipped, with the reason."""
    gated = [metric for metric in comparison.metrics if metric.gates]
    counts = {
        "tests": len(gated),
        "failures": len(comparison.gate.failed),
        "errors": 0,
        "skipped": len(comparison.gate.inconclusive),
    }
    attributes = {"name": "lowlat", **{name: str(count) for name, count in counts.items()}}
    root = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(root, "testsuite", attributes)
    for metric in gated:
        _add_case(suite, metric)
    output = ElementTree.SubElement(suite, "system-out")
    notes = [f"{kind}: {line}" for kind, line in lines.notes(comparison)]
    looks = filter(None, [lines.looks(comparison)])
    output.text = "\n".join([lines.side(comparison.base), lines.side(comparison.head), *looks, *notes])
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _add_case(suite: ElementTree.Element, metric: Compared) -> None:
    where = ".".join(part for part in ("lowlat", metric.measure, metric.op) if part)
    case = ElementTree.SubElement(suite, "testcase", {"classname": printable(where), "name": printable(metric.name)})
    figures = (
        f"{lines.value(metric, metric.base.median)} -> {lines.value(metric, metric.head.median)}, "
        f"ratio {lines.ratio(metric.ratio)} ({lines.interval(metric.interval)}), p {lines.p(metric.p)}, "
        f"{lines.runs(metric)} runs, limit {lines.gate(metric)}"
    )
    if metric.verdict == "regressed":
        ElementTree.SubElement(case, "failure", {"type": "regressed", "message": figures})
    elif metric.verdict == "inconclusive":
        ElementTree.SubElement(case, "skipped", {"message": printable(f"inconclusive: {metric.reason}; {figures}")})
    else:
        ElementTree.SubElement(case, "system-out").text = f"{metric.verdict}: {figures}"
