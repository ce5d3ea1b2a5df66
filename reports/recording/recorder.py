"""The latencies of one run of another program, by operation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat import units
from lowlat.errors import FormatError
from lowlat.limits import OPERATION_CHARS_MAX, SERIES_NAMES_MAX
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram.histogram import Histogram, merge
from lowlat.reports.model.recording import RECORDED
from lowlat.reports.model.results import Series
from lowlat.reports.model.series import histogram_of, series_of

WHOLE: Final = "all"


_NOT_AN_OPERATION: Final = (
    f"latencies without an operation, or of one named {WHOLE!r}, beside those of others: {WHOLE!r} is the name for all "
    "of them together; name each (--op names those without)"
)


class LatencyRecorder:
    """Histograms by operation. The first `skip` latencies are left out; `op` is the name of those without one."""

    def __init__(self, op: str = WHOLE, skip: int = 0) -> None:
        self.op = _checked(op)
        self.skip = skip
        self.skipped = 0
        self._recorders: dict[str, Recorder] = {}

    def of(self, op: str) -> Recorder:
        """The histogram of an operation. Raises `FormatError` for a name that is too long, and for too many."""
        found = self._recorders.get(op)
        if found is None:
            if len(self._recorders) + 1 >= SERIES_NAMES_MAX:  # one is for all of them
                raise FormatError(f"more than {SERIES_NAMES_MAX - 1} operations; that is the limit")
            found = self._recorders[_checked(op)] = Recorder()
        return found

    def record(self, ops: Sequence[str], latencies_ns: NDArray[np.int64]) -> None:
        """Record latencies in range, each of the operation at the same place."""
        left_out = min(self.skip - self.skipped, len(ops))
        self.skipped += left_out
        kept, values = ops[left_out:], latencies_ns[left_out:]
        names = dict.fromkeys(kept)
        if len(names) == 1:
            self.of(kept[0]).record_many(np.ascontiguousarray(values))
            return
        codes = {name: code for code, name in enumerate(names)}
        of_each = np.fromiter(map(codes.__getitem__, kept), dtype=np.int64, count=len(kept))
        for name, code in codes.items():
            self.of(name).record_many(values[of_each == code])

    def series(self) -> tuple[Series, ...]:
        """A series for each operation, then for all together. Raises `FormatError` without a latency, and for an
        operation named like all of them.
        """
        found = {op: Histogram.from_native(each) for op, each in self._recorders.items() if each.total}
        if not found:
            left = (
                f"it has only {self.skipped:,} latencies, which --skip leaves out"
                if self.skipped
                else "it has no latency"
            )
            raise FormatError(f"{left}; print one a line, such as 1234")
        if WHOLE in found and len(found) > 1:
            raise FormatError(_NOT_AN_OPERATION)
        return with_whole(tuple(series_of(op, RECORDED, each) for op, each in found.items()))


def with_whole(series: tuple[Series, ...]) -> tuple[Series, ...]:
    """The series of operations with one over all of them, for each measure that has none, in front of the next measure.

    Raises `FormatError` for a measure whose series `all` is beside others that do not add up to it.
    """
    whole: list[Series] = []
    for measure in dict.fromkeys(each.measure for each in series):
        own = [each for each in series if each.measure == measure]
        parts = [each for each in own if each.op != WHOLE]
        if len(parts) < len(own):
            _check_whole(next(each for each in own if each.op == WHOLE), parts)
            whole += own
        else:
            whole += [*own, series_of(WHOLE, measure, merge(map(histogram_of, own)))]
    return tuple(whole)


def _check_whole(whole: Series, parts: Iterable[Series]) -> None:
    summed = merge(map(histogram_of, parts))
    if summed.total and not np.array_equal(summed.counts, histogram_of(whole).counts):
        raise FormatError(_NOT_AN_OPERATION)


def _checked(op: str) -> str:
    if not op or len(op) > OPERATION_CHARS_MAX:
        raise FormatError(
            f"an operation's name of {units.counted(len(op), 'character')}; it must have 1 to {OPERATION_CHARS_MAX}"
        )
    return op
