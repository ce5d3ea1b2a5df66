"""What can go wrong between a histogram and a report."""

from __future__ import annotations

from lowlat_errors import NotValidError, UsageError


class EmptyHistogramError(NotValidError):
    """A figure was asked of a histogram without samples: there is no such figure, not even zero."""


class HistogramFormatError(UsageError):
    """Counts, bounds or an encoded histogram that do not describe a histogram of this layout."""


class PercentileError(UsageError):
    """A percentile that is no number from 0 to 100."""


class ReportFormatError(UsageError):
    """A document that is not a `lowlat.report/1`."""


class OutputPathError(UsageError):
    """A file that cannot be written."""


class ProfileError(UsageError):
    """A name under which nothing was profiled, or nothing can be."""


class MissingExtraError(UsageError):
    """An output whose libraries are not installed."""
