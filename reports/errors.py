"""What can go wrong between a histogram and a report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lowlat.errors import NotValidError, UsageError


class EmptyHistogramError(NotValidError):
    """A figure was asked of a histogram without samples: there is no such figure, not even zero."""


class HistogramFormatError(UsageError):
    """Counts, bounds or an encoded histogram that do not describe a histogram of this layout."""


class PercentileError(UsageError):
    """A percentile that is no number from 0 to 100."""


class ReportFormatError(UsageError):
    """A document of another kind than asked for, or one that breaks its schema."""


class ProfileError(UsageError):
    """A name under which nothing was profiled, or nothing can be."""


class MissingExtraError(UsageError):
    """An output whose libraries are not installed."""


class GateRuleError(UsageError):
    """Text that is no rule of a gate, or a rule that gates nothing."""


class NotComparableError(NotValidError):
    """Two sets of runs whose difference would not say which is faster."""


class InputError(UsageError):
    """A file that cannot be read as a report, a sweep or an interval log; the message names it."""


class ConversionError(UsageError):
    """An output that cannot hold what was read."""


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Put the name of a file before the message of whatever is wrong with what it holds."""
    try:
        yield
    except (ReportFormatError, HistogramFormatError) as error:
        raise InputError(f"{name}: {error}") from error
