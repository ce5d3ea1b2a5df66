"""When a run started."""

from __future__ import annotations

from datetime import datetime

from lowlat.errors import FormatError
from lowlat.reports.model.results import Run


def started_at(run: Run) -> datetime:
    """The start of a run, in UTC. Raises `FormatError` for a day or an hour that does not exist."""
    try:
        return datetime.fromisoformat(run.started)
    except ValueError as error:
        raise FormatError(f"run {run.number} started {run.started!r}: {error}") from error
