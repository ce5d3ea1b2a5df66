"""What a report says of an engine of another's: where it came from, and what it costs to ask it."""

from __future__ import annotations

from lowlat.reports.model.report import Report
from lowlat.reports.terminal import library_lines, process_lines


def facts(report: Report) -> list[tuple[str, str]]:
    """Each with its name; none for an engine that is lowlat's own."""
    library, process = (report.engine.library, report.engine.process) if report.engine else (None, None)
    if process is not None:
        return [("process", process_lines.source(process)), ("transport", process_lines.cost(process))]
    if library is not None:
        return [("library", library_lines.source(library)), ("call cost", library_lines.call_cost(library))]
    return []
