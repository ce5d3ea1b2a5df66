"""A sweep: one open-loop report for each rate, and the knee of the resulting curve.

`lowlat.reports.io.json_codec` turns it into a `lowlat.sweep/1` document and back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat import units
from lowlat.bounded import Count
from lowlat.errors import FormatError
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import SummarySeries

SCHEMA: Final = "lowlat.sweep/1"
KNEE_RULE: Final = (
    "the valid point of greatest power: achieved rate over p99 response time of all operations (Kleinrock 1979)"
)
"""L. Kleinrock, "Power and deterministic rules of thumb for probabilistic problems in computer communications",
International Conference on Communications 1979, defines power as throughput over response time. It is greatest where a
line from the origin touches the curve of response time over throughput: left of it rate is given away for little
latency, right of it latency for little rate. He takes the mean response time; here it is the p99, since that is what
such a system is held to. Only rates that were measured can be the knee, so it is as exact as the steps are fine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Open-loop reports of one workload at rising rates."""

    schema: Annotated[Literal["lowlat.sweep/1"], Meta(description="Kind and version of the document")] = SCHEMA
    status: Annotated[
        Literal["ok", "interrupted", "invalid"],
        Meta(
            description="ok: a point is valid, and no other is invalid except for a rate that was not sustained, "
            "which is how a sweep ends; interrupted: fewer points or runs than requested; invalid: discard the figures"
        ),
    ]
    status_reasons: Annotated[tuple[str, ...], Meta(description="Why the status is not ok")]
    points: Annotated[tuple[Report, ...], Meta(min_length=1, description="A report for each rate, the lowest first")]
    knee: Annotated[Count | None, Meta(description="Index of the knee in points; null when no point is valid")]
    knee_rule: Annotated[str, Meta(description="How the knee is defined")]


def sweep_of(points: Sequence[Report], *, interrupted: bool = False, failure: str | None = None) -> Sweep:
    """The sweep of these reports, in order of rate. `interrupted`: some requested rates are missing. `failure`: why the
    next rate could not be measured.

    Raises `FormatError` without points, or for a point that is not open-loop or not at a higher rate than the previous
    one.
    """
    wrong = (*_wrong(points), *((failure,) if failure else ()))
    stopped = (interrupted and not failure) or any(point.status == "interrupted" for point in points)
    status: Literal["ok", "interrupted", "invalid"] = "invalid" if wrong else "interrupted" if stopped else "ok"
    sweep = Sweep(
        status=status,
        status_reasons=(*wrong, *((f"interrupted at {_count(points)}",) if stopped else ())),
        points=tuple(points),
        knee=knee(points),
        knee_rule=KNEE_RULE,
    )
    check(sweep)
    return sweep


def check(sweep: Sweep) -> None:
    """Raise `FormatError` if the parts of a sweep contradict each other."""
    if not sweep.points:
        raise FormatError("a sweep has a point at least")
    if any(point.load.model != "open" for point in sweep.points):
        raise FormatError("a point of a sweep is not of an open loop")
    rates = [point.load.target_rate for point in sweep.points]
    known = [rate for rate in rates if rate is not None]
    if len(known) < len(rates) or known != sorted(set(known)):
        raise FormatError(f"the target rates of a sweep do not rise: {rates}")
    if sweep.knee is not None and not sweep.knee < len(sweep.points):
        raise FormatError(f"knee is {sweep.knee}, but there are only {len(sweep.points)} points")


def knee(points: Sequence[Report]) -> int | None:
    """Index of the point selected by `KNEE_RULE`, the lowest rate among equals; None if no point is valid."""
    powers = [(power, -index) for index, point in enumerate(points) if (power := _power(point)) is not None]
    return -max(powers)[1] if powers else None


def missed(point: Report) -> bool:
    """Whether a report is invalid only because its rate was not reached."""
    return point.status == "invalid" and bool(point.load.missed) and set(point.status_reasons) <= set(point.load.missed)


def response(point: Report) -> SummarySeries | None:
    """Response times of all operations, over all runs."""
    return next((series for series in point.summary if (series.op, series.measure) == ("all", "response")), None)


def _power(point: Report) -> float | None:
    """Commands per second divided by the p99 in nanoseconds; None for a point that is invalid or lacks the figures."""
    series = response(point)
    rate = point.load.achieved_rate
    if point.status == "invalid" or series is None or rate is None:
        return None
    return rate / max(series.percentiles["99"].value, 1)


def _wrong(points: Sequence[Report]) -> Iterator[str]:
    for point in points:
        if point.status == "invalid" and not missed(point):
            yield f"at {_rate(point)}: {'; '.join(point.status_reasons) or 'no reason given'}"
    if all(point.status == "invalid" for point in points):
        yield f"none of {_count(points)} is valid"


def _rate(point: Report) -> str:
    return "no rate" if point.load.target_rate is None else units.rate(point.load.target_rate)


def _count(points: Sequence[Report]) -> str:
    return units.plural(len(points), "rate")
