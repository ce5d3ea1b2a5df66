"""A comparison as Markdown, for a CI step summary or a comment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from lowlat.reports.model.comparison import Compared, Comparison
from lowlat.reports.terminal import comparison_lines as lines
from lowlat.text import printable

_ACTIVE: Final = re.compile(r"[\\`*_{}\[\]<>#|~&!]")


def to_markdown(comparison: Comparison) -> str:
    """The comparison, with headings from `###` to fit into a page; each metric is a row, gated ones in bold."""
    return "\n".join(_lines(comparison)) + "\n"


def _lines(comparison: Comparison) -> Iterator[str]:
    yield f"### lowlat: gate {comparison.gate.verdict}"
    yield ""
    yield plain(lines.verdict(comparison))
    yield ""
    interval = f"{lines.confidence(comparison)} interval"
    yield f"| metric | base | head | {lines.RATIO} | {interval} | p | runs | gate | verdict |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|---|"
    for metric in lines.shown(comparison, every=True):
        yield _row(metric)
    yield ""
    yield f"- base: {plain(lines.side(comparison.base))}"
    yield f"- head: {plain(lines.side(comparison.head))}"
    if order := lines.order(comparison):
        yield f"- order: {order}"
    if looks := lines.looks(comparison):
        yield f"- looks: {looks}"
    yield f"- regressed: {plain(lines.rule(comparison))}"
    for kind, line in (*lines.estimators(comparison), *lines.notes(comparison)):
        yield f"- {kind}: {plain(line)}"


def _row(metric: Compared) -> str:
    cells = [
        plain(str(metric)),
        lines.value(metric, metric.base.median),
        lines.value(metric, metric.head.median),
        lines.ratio(metric.ratio),
        lines.interval(metric.interval),
        plain(lines.p(metric.p)),
        lines.runs(metric),
        lines.gate(metric),
        metric.verdict,
    ]
    if metric.gates:
        cells[0], cells[-1] = f"**{cells[0]}**", f"**{cells[-1]}**"
    return f"| {' | '.join(cells)} |"


def row(cells: Iterable[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(map(plain, cells))} |"


def plain(text: str) -> str:
    """Text on one line, with all markup escaped."""
    return _ACTIVE.sub(r"\\\g<0>", printable(" ".join(text.split())))
