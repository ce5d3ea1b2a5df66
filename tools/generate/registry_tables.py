"""Prints a table of a registry for the documentation: `registry_tables.py outputs | readers | engines`."""

from __future__ import annotations

import sys

from lowlat.engine.bench.engines import ENGINES
from lowlat.engine.flow.registry import READERS
from lowlat.reports.outputs.registry import OUTPUTS


def table(what: str) -> str:
    """The names with their descriptions, as Markdown."""
    tables = {
        "outputs": ("`--to`", OUTPUTS),
        "readers": ("`--format`", READERS.built_in),
        "engines": ("`--engine`", ENGINES.built_in),
    }
    title, entries = tables[what]
    rows = [f"| `{name}` | {entry.sentence} |" for name, entry in entries.items()]
    return "\n".join([f"| {title} | what it is |", "|---|---|", *rows])


if __name__ == "__main__":
    print(table(sys.argv[1]))
