"""A fleet as Markdown, for an issue or a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lowlat.reports.model.fleet import Fleet
from lowlat.reports.outputs.comparison_markdown import plain, row
from lowlat.reports.terminal import fleet_lines as lines


def fleet_markdown(fleet: Fleet) -> str:
    """The fleet, with headings from `###` to fit into a page; hosts that stand out first."""
    return "\n".join(_lines(fleet)) + "\n"


def _lines(fleet: Fleet) -> Iterator[str]:
    yield f"### lowlat: {plain(lines.summary(fleet))}"
    yield ""
    if status := lines.status(fleet):
        yield f"> **{plain(status)}**"
        yield ""
    yield plain(lines.title(fleet))
    for host in fleet.outliers:
        yield ""
        yield f"**{plain(lines.verdict(host, fleet))}**"
        yield ""
        yield from (f"- {plain(lines.difference(found))}" for found in host.differences)
    if metrics := lines.shown_metrics(fleet):
        yield ""
        yield from _table(["host", *(metric.name for metric in metrics)], fleet)
        yield ""
        yield f"- {plain(lines.NOTE)}"
    yield from (f"- {plain(line)}" for line in lines.groups(fleet))
    yield from (f"- {plain(reason)}" for reason in fleet.status_reasons)
    yield from (f"- warning: {plain(warning)}" for warning in fleet.warnings)
    if gate := lines.gate(fleet):
        yield f"- {plain(gate)}"


def _table(columns: Sequence[str], fleet: Fleet) -> Iterator[str]:
    yield row(columns)
    yield f"|---|{'--:|' * (len(columns) - 1)}"
    yield row(["median", *lines.medians(fleet)])
    for host, cells in lines.rows(fleet):
        yield row([host.name, *(cell.text for cell in cells)])
