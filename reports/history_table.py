"""Trends as a person reads them: a table for each work, a row for each report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports import units
from reports.history import PERCENTS, Entry, Figure, History, Trend
from reports.uncut import uncut

_FAR: Final = 1.1
"""A ratio of a tenth or more is set off; whether it is more than noise is for `lowlat compare` to say."""


def render_history(history: History, console: Console) -> None:
    """Print the trends. Colour and NO_COLOR are the console's affair; 80 columns hold a row."""
    with uncut(console):
        console.print(Group(*_parts(history)), highlight=False, soft_wrap=False)


def _parts(history: History) -> Iterator[RenderableType]:
    if not history.trends:
        yield Text("no reports")
    for index, trend in enumerate(history.trends):
        if index:
            yield Text()
        yield _title(trend)
        yield _table(trend)
        hosts = list(dict.fromkeys(entry.host or "unknown" for entry in trend.entries))
        if len(hosts) > 1:
            yield Text(
                f"measured on {units.plural(len(hosts), 'kind')} of processor: {', '.join(hosts)}", style="yellow"
            )


def _title(trend: Trend) -> Text:
    parts = [
        f"{trend.engine} engine",
        units.plural(trend.commands, "command"),
        f"seed {trend.seed}" if trend.seed is not None else "",
        f"at {units.rate(trend.target_rate)}" if trend.target_rate is not None else "",
        f"{trend.measure} time of {'all operations' if trend.op == 'all' else trend.op}",
    ]
    return Text.assemble((trend.profile, "bold"), "  ", " · ".join(part for part in parts if part))


def _table(trend: Trend) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=0, header_style="bold")
    table.add_column("started, UTC", no_wrap=True)
    table.add_column("git", no_wrap=True)
    table.add_column("runs", justify="right", no_wrap=True)
    for percent in PERCENTS:
        for name in (f"p{percent}", "first", "median"):
            table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for entry in trend.entries:
        cells = [cell for percent in PERCENTS for cell in _cells(entry.figures.get(percent))]
        style = "dim" if entry.status == "invalid" else ""
        table.add_row(_moment(entry), Text(_short(entry.git)), str(entry.runs), *cells, _status(entry), style=style)
    return table


def _cells(figure: Figure | None) -> tuple[Text, Text, Text]:
    """The value, and its ratios to the first and to the median."""
    if figure is None:
        return Text("-"), Text("-"), Text("-")
    return Text(units.time(figure.value_ns)), _ratio(figure.to_first), _ratio(figure.to_median)


def _ratio(ratio: float | None) -> Text:
    if ratio is None:
        return Text("-")
    style = "red" if ratio >= _FAR else "green" if ratio <= 1 / _FAR else ""
    return Text(f"{ratio:.2f}x" if ratio < 100 else f"{ratio:.0f}x", style=style)


def _moment(entry: Entry) -> Text:
    return Text(entry.started[:16].replace("T", " "))


def _short(revision: str | None) -> str:
    return "-" if revision is None else revision[:7] + ("+" if revision.endswith("-dirty") else "")


def _status(entry: Entry) -> Text:
    return Text({"ok": "", "interrupted": "interrupted", "invalid": "not valid"}[entry.status])
