"""An examination on the terminal: hypervisor or container first, then what is wrong, the worst first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lowlat.probes.cpu.cpulist import format_cpu_list
from lowlat.probes.doctor.examination import Examination
from lowlat.probes.doctor.finding import STATUSES, Finding, Status
from lowlat.text import plain_text
from lowlat_cli.views import layout

SHOWN_MAX: Final = 16
"""Rows on the default screen: with the lines around them, they fit 24 lines."""
STYLES: Final[dict[Status, str]] = {
    "fail": "bold red",
    "warn": "yellow",
    "info": "cyan",
    "unknown": "magenta",
    "not applicable": "dim",
    "pass": "green",
}
LABELS: Final[dict[Status, str]] = {"not applicable": "n/a"}
WIDE_COLUMNS: Final = 140
CHECK_COLUMNS: Final = 29
"""What status and name of a check take of a line."""
FOUND_CHARS: Final = 66
GUIDE: Final = "docs/how-to/tune-the-host.md"
"""Has a section for each check, under its id."""
GOOD_CHARS: Final = 56


def doctor_view(found: Examination, *, verbose: bool, width: int) -> Iterator[RenderableType]:
    """All parts, top to bottom."""
    yield _platform(found)
    yield _counts(found)
    if verbose:
        for group in dict.fromkeys(finding.group for finding in found.findings):
            yield layout.spaced(plain_text(group, style="bold"))
            yield from (_whole(finding) for finding in found.findings if finding.group == group)
        return
    wrong = [finding for status in ("fail", "warn") for finding in found.findings if finding.status == status]
    others = [finding for finding in found.findings if finding.status == "info" and finding.stands_for]
    if wrong or others:
        yield layout.spaced(_table([*wrong, *others][:SHOWN_MAX], width))
    yield plain_text(_rest(len(wrong) + len(others) - SHOWN_MAX), style="dim")


def _platform(found: Examination) -> Text:
    text = plain_text(found.virtualization.text, style="bold")
    if found.kernel_release.value:
        text.append_text(plain_text(f" · kernel {found.kernel_release.value}"))
    if found.isolated:
        text.append_text(plain_text(f" · CPU {format_cpu_list(found.isolated)}"))
    return text if found.live else text.append_text(plain_text(" · a capture", style="yellow"))


def _counts(found: Examination) -> Text:
    line = plain_text("")
    for status in STATUSES:
        count = found.count(status)
        if count:
            line.append_text(plain_text(" · " if line.plain else ""))
            line.append_text(plain_text(f"{count} {LABELS.get(status, status)}", style=STYLES[status]))
    return line


def _table(findings: list[Finding], width: int) -> Table:
    """A line for each; what is good has a column where there is room."""
    wide = width >= WIDE_COLUMNS
    made = layout.table("", "check", "found", *(["good"] if wide else []))
    made.columns[0].min_width = 4
    left = width - CHECK_COLUMNS if not wide else FOUND_CHARS
    for finding in findings:
        row = [_label(finding), plain_text(finding.id), plain_text(_cut(found_text(finding), left))]
        made.add_row(*row, *([plain_text(_cut(finding.threshold, GOOD_CHARS))] if wide else []))
    return made


def _rest(hidden: int) -> str:
    first = f"{hidden} more; " if hidden > 0 else ""
    return f"{first}-v: all, with path, cost and fix; --fix-script FILE writes the fixes"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _label(finding: Finding) -> Text:
    return plain_text(LABELS.get(finding.status, finding.status), style=STYLES[finding.status])


def found_text(finding: Finding) -> str:
    """What was found, and what was measured beside it; or why nothing was."""
    measured = [f"measured {measurement.text}" for measurement in finding.measured]
    return "; ".join([*filter(None, [finding.observed or finding.reason]), *measured]) or "nothing"


def _whole(finding: Finding) -> RenderableType:
    """Every fact of a finding, a line each."""
    head = plain_text(f"{LABELS.get(finding.status, finding.status):>10}  ", style=STYLES[finding.status])
    head.append_text(plain_text(f"{finding.id}: ", style="bold")).append_text(plain_text(found_text(finding)))
    rows: list[tuple[str, str | None]] = [("path", finding.source)]
    if finding.observed and finding.reason:
        rows.append(("because", finding.reason))
    if finding.status == "not applicable":
        rows.append(("owner", finding.owner))
    if finding.stands_for:
        rows.append(("covers", ", ".join(finding.stands_for)))
    if finding.status in ("warn", "fail", "info"):
        rows += [("good", finding.threshold), ("cost", finding.consequence)]
        rows.append(("fix", finding.fix.summary if finding.fix else None))
        rows.append(("more", f"{GUIDE}#{finding.id}"))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(min_width=10, justify="right", style="cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, line in rows:
        if line:
            grid.add_row(label, plain_text(line))
    whole = Table.grid()
    whole.add_column(overflow="fold")
    whole.add_row(head)
    whole.add_row(grid)
    return whole
