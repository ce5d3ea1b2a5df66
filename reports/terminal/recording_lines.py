"""The lines of a report whose latencies another program measured."""

from __future__ import annotations

import shlex

from lowlat import units
from lowlat.reports.model.context import Host, Recording
from lowlat.reports.model.report import Report
from lowlat.reports.terminal import text_lines

_FORMATS = {"lines": "lines", "ndjson": "NDJSON", "csv": "CSV", "hlog": "interval log"}


def title(report: Report) -> str:
    """How much was recorded, for the line that begins with its name."""
    return text_lines.join(
        [
            "latencies of another program",
            units.plural(report.load.sent, "operation"),
            units.plural(len(report.runs), "run"),
        ]
    )


def host(facts: Host) -> str:
    """The machine that lowlat and the program ran on."""
    kind = facts.virtualization if facts.virtualization != "none" else "bare metal"
    return text_lines.join([facts.cpu, kind, facts.kernel]) or "host not known"


def source(facts: Recording) -> str:
    """Where the latencies come from, and what was left out."""
    return text_lines.join(
        [
            _name(facts),
            f"{_FORMATS[facts.format]} in {facts.unit}",
            f"the first {units.short(facts.skip)} of each run skipped" if facts.skip else None,
            f"{units.plural(facts.other_lines, 'other line')} ignored" if facts.other_lines else None,
        ]
    )


def _name(facts: Recording) -> str:
    match facts.source:
        case "command":
            return f"printed by {shlex.join(facts.command)}"
        case "stdin":
            return "standard input"
        case "pipe" | "file":
            more = f" and {len(facts.files) - 1} more" if len(facts.files) > 1 else ""
            return f"{facts.files[0] if facts.files else 'a file'}{more}"
