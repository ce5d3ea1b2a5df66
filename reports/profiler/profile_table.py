"""The summary of a profiler as a rich table that `print` and notebooks show too."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from lowlat import units
from lowlat.reports.terminal.notebook import html_of
from lowlat.text import plain_text

if TYPE_CHECKING:
    from lowlat.reports.profiler.profiler import LatencyProfile

_WIDTH: Final = 10_000
"""Columns of text that nothing cuts: names may be long."""


class ProfileTable(Table):
    """A row for each name. `rich.print` fits it into the terminal; `print`, `str` and notebooks show it whole."""

    def __init__(self, rows: Iterable[LatencyProfile]) -> None:
        super().__init__(box=None, pad_edge=False, header_style="bold")
        self.add_column("name")
        for heading in ("calls", "calls/s", "mean", "p50", "p95", "p99", "p99.9", "max"):
            self.add_column(heading, justify="right", no_wrap=True)
        for row in rows:
            times = (row.mean_ns, row.p50_ns, row.p95_ns, row.p99_ns, row.p99_9_ns, row.max_ns)
            self.add_row(
                plain_text(row.name),
                units.short(row.calls),
                units.short(row.calls_per_s),
                *(units.time(value) for value in times),
            )

    def __str__(self) -> str:
        stream = io.StringIO()
        console = Console(file=stream, width=_WIDTH, color_system=None, markup=False, emoji=False, force_jupyter=False)
        console.print(self)
        return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())

    def _repr_html_(self) -> str:
        return html_of(lambda console: console.print(self), _WIDTH)

    def _repr_mimebundle_(self, *_: object, **__: object) -> dict[str, str]:
        """What a notebook asks first; that of rich's `Table` cuts at the width of a terminal."""
        return {"text/plain": str(self), "text/html": self._repr_html_()}
