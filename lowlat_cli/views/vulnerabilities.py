"""Flaws of the processor on the terminal: how many are mitigated, and each with what the kernel says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import get_args

from rich.table import Table
from rich.text import Text

from lowlat.probes.host.vulnerabilities import Vulnerability, VulnerabilityStatus
from lowlat.probes.reading import Reading
from lowlat.text import plain_text
from lowlat_cli.views import layout

_STYLES = {"vulnerable": "yellow", "unknown": "yellow"}


def mitigations_line(reading: Reading[tuple[Vulnerability, ...]]) -> str | Text:
    """How many flaws have each status, e.g. `7 mitigated · 1 vulnerable · 12 not affected`."""
    if reading.value is None:
        return layout.missing(reading)
    counts = Counter(each.status for each in reading.value)
    return " · ".join(f"{counts[status]} {status}" for status in get_args(VulnerabilityStatus) if counts[status])


def vulnerabilities_view(found: Sequence[Vulnerability]) -> Table:
    """A row for each flaw, with the kernel's own words where they say more than its status."""
    made = layout.table("vulnerability", "status", "the kernel says", wrap=("vulnerability", "the kernel says"))
    for each in found:
        said = "" if each.text.lower() == each.status else each.text
        status = plain_text(each.status, style=_STYLES.get(each.status, ""))
        made.add_row(plain_text(each.name), status, plain_text(said, style="dim"))
    return made
