"""A comparison for a terminal: a row for each metric, the gate's verdict, and what weakens it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from lowlat.reports.model.comparison import Compared, Comparison
from lowlat.reports.terminal import comparison_lines as lines
from lowlat.reports.terminal.report_table import facts
from lowlat.reports.terminal.wide_console import uncut
from lowlat.text import plain_text

_GATED: Final = {"regressed": "bold red", "improved": "green", "unchanged": "", "inconclusive": "yellow"}
_ADVICE: Final = {"regressed": "red", "improved": "green", "unchanged": "dim", "inconclusive": "dim"}
_ROOMY: Final = 100
"""Columns from which a row has room between its figures."""
_GATE: Final = {"passed": "bold green", "failed": "bold red", "inconclusive": "bold yellow"}


def render_comparison(comparison: Comparison, console: Console, *, every: bool = False) -> None:
    """Print a comparison; `every`: every operation and measure, and how they are compared. A row fits 80 columns.

    The console handles color and NO_COLOR.
    """
    with uncut(console):
        console.print(
            Group(*_parts(comparison, every, roomy=console.width >= _ROOMY)), highlight=False, soft_wrap=False
        )


def _parts(comparison: Comparison, every: bool, *, roomy: bool) -> Iterator[RenderableType]:
    yield plain_text(lines.verdict(comparison), style=_GATE[comparison.gate.verdict])
    yield facts(
        [
            ("base", lines.side(comparison.base)),
            ("head", lines.side(comparison.head)),
            ("order", lines.order(comparison)),
            ("looks", lines.looks(comparison)),
        ]
    )
    rows = comparison.metrics if every else lines.gist(comparison)
    for measure in dict.fromkeys(metric.measure for metric in rows):
        heading = plain_text(measure or "per run")
        of_measure = [metric for metric in rows if metric.measure == measure]
        yield _table(heading, of_measure, lines.confidence(comparison), roomy=roomy)
    how = [("regressed", lines.rule(comparison)), *lines.estimators(comparison)] if every else []
    if below := [*how, *lines.notes(comparison)]:
        yield facts(below)
    if not every:
        yield plain_text(lines.rest(comparison), style="dim")


def _table(heading: Text, rows: Iterable[Compared], confidence: str, *, roomy: bool) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, int(roomy), 0, 0), header_style="bold")
    table.add_column(heading, no_wrap=True)
    for name in ("base", "head", lines.RATIO if roomy else lines.RATIO_SHORT, confidence, "p", "n", "gate"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for metric in rows:
        style = (_GATED if metric.gates else _ADVICE)[metric.verdict]
        table.add_row(*_cells(metric), plain_text(metric.verdict, style=style))
    return table


def _cells(metric: Compared) -> Iterator[Text]:
    yield plain_text(lines.name(metric), style="bold" if metric.gates else "")
    yield plain_text(lines.value(metric, metric.base.median))
    yield plain_text(lines.value(metric, metric.head.median))
    yield plain_text(lines.ratio(metric.ratio))
    yield plain_text(lines.interval(metric.interval))
    yield plain_text(lines.p(metric.p))
    yield plain_text(lines.runs(metric))
    yield plain_text(lines.gate(metric), style="" if metric.gates else "dim")
