"""How long a load from each cache and from memory takes, beside the reported size."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from lowlat import units
from lowlat.probes.memory.level_latency import LevelLatency
from lowlat.probes.memory.region import PAGES_IN_WORDS
from lowlat.probes.reading import Reading
from lowlat.text import plain_text
from lowlat_cli.views import layout

_COLUMNS = ("level", "reported", "loads from", "min", "median")


def level_latency_view(levels: Reading[tuple[LevelLatency, ...]]) -> Iterator[RenderableType]:
    """A row for each level, nearest first; or why there is none."""
    if levels.value is None:
        yield layout.spaced(layout.facts([("latency", layout.missing(levels))]))
        return
    made = layout.table(*_COLUMNS, "", right=_COLUMNS[1:], wrap=("",))
    for each in levels.value:
        made.add_row(
            plain_text(each.name),
            "-" if each.reported_bytes is None else layout.size(each.reported_bytes),
            layout.size(each.loaded_bytes),
            units.time(each.min_ns),
            units.time(each.median_ns),
            plain_text(f"CPU {each.cpu}, {PAGES_IN_WORDS[each.pages]}", style="dim"),
        )
    yield layout.spaced(made)
