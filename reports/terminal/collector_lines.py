"""What a report says of Python's garbage collector, which an engine that is called from Python lives with."""

from __future__ import annotations

from lowlat import units
from lowlat.reports.model.report import Report


def collector(report: Report) -> str | None:
    """Its collections in all passes, and how long they took; None for an engine that is not called from Python."""
    told = [(run.garbage_collection, run.os_noise.wall_ns) for run in report.runs if run.garbage_collection]
    if not told:
        return None
    count = sum(each.collections for each, _ in told)
    pause_ns, wall_ns = sum(each.pause_ns for each, _ in told), sum(wall for _, wall in told)
    if not count:
        return "on, and never ran"
    longest_ns = max(each.longest_ns for each, _ in told)
    return (
        f"on: {units.plural(count, 'collection')} took {units.time(pause_ns)}, {units.share(pause_ns / wall_ns)} of "
        f"the passes; the longest {units.time(longest_ns)}"
    )
