"""What a host's report says in figures, and in words: the values of each metric, and the findings of doctor."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Final, Literal, TypeVar

import msgspec

from lowlat.bounded import Amount
from lowlat.errors import FormatError, NotValidError, UsageError
from lowlat.fleet.store import KeptRun
from lowlat.reports.compare.compare import samples_of
from lowlat.reports.io.loader import report_of
from lowlat.reports.model.comparison import Metric
from lowlat.reports.model.fleet import Unit
from lowlat.reports.model.jitter import Jitter
from lowlat.reports.model.report import Report

LATENCIES: Final = ("p50", "p99", "p99.9", "max")
TIME_LOST: Final = "time lost"
_DIGITS: Final = re.compile(r"[ ,]*(\(.*\)|[0-9].*)$")
_Decoded = TypeVar("_Decoded")


@dataclass(frozen=True, slots=True)
class MetricKind:
    """A metric: its name, whose verb's reports it is from, and what its values mean."""

    name: str
    verb: str
    unit: Unit
    higher_is_better: bool = False
    explains: bool = False
    """Whether it is a cause of others, and makes no verdict."""
    over: Literal["median", "mean", "max"] = "median"
    """What stands for the values of a host."""

    def of(self, values: Sequence[float]) -> float:
        """The value of a host."""
        if self.over == "median":
            return median(values)
        return fmean(values) if self.over == "mean" else max(values)


@dataclass(slots=True)
class HostFigures:
    """What the reports of one host say."""

    values: dict[MetricKind, list[float]] = field(default_factory=dict)
    """By metric: a value for each run, or CPU."""
    findings: dict[str, str] = field(default_factory=dict)
    """Of doctor: what it found, by its title."""
    problems: list[str] = field(default_factory=list)
    """Why a report does not count, or counts for less."""
    reports: list[Report] = field(default_factory=list)


class _Finding(msgspec.Struct):
    title: str
    status: str
    observed: str | None = None


class _Examination(msgspec.Struct):
    findings: list[_Finding]


class _Costs(msgspec.Struct):
    plain_ns: Amount
    vdso_ns: Amount


class _Calibration(msgspec.Struct):
    uncertainty_ppm: Amount
    costs: _Costs


def figures_of(runs: Sequence[KeptRun]) -> HostFigures:
    """The figures of all verbs of one host. What cannot be read is a problem in words, and stops nothing."""
    found = HostFigures()
    readers = {"bench": _bench, "doctor": _doctor, "jitter": _jitter, "calibrate": _calibration}
    for kept in runs:
        if kept.report is None:
            continue
        verb = kept.record.run.verb
        try:
            readers[verb](kept.report, found)
        except (UsageError, NotValidError) as error:
            found.problems.append(f"{verb}: {error}")
    return found


def _bench(data: bytes, found: HostFigures) -> None:
    # Not held to its histograms, as other verbs do with what they read: that takes longer than all else of a fleet.
    report = report_of(data, "its report")
    if report.status == "invalid":
        raise NotValidError(f"the run is invalid: {'; '.join(report.status_reasons)}")
    found.reports.append(report)
    samples = samples_of([report], "", [])
    main = _metric_of(samples.runs)
    for name in LATENCIES:
        _add(found, MetricKind(name, "bench", "ns"), [run.get(main(name)) for run in samples.runs])
    rate, cpu = (Metric(name=name, measure=None, op=None) for name in ("throughput", "cpu"))
    _add(
        found,
        MetricKind("throughput", "bench", "per second", higher_is_better=True),
        [r.get(rate) for r in samples.runs],
    )
    _add(found, MetricKind("cpu", "bench", "ns"), [run.get(cpu) for run in samples.runs])
    for name, field_name in (("without the CPU", "off_cpu_ns"), ("CPU stolen", "steal_ns")):
        noise = [run.os_noise for run in report.runs if run.os_noise.wall_ns]
        lost = [getattr(each, field_name) for each in noise]
        shares = [None if ns is None else ns / each.wall_ns for ns, each in zip(lost, noise, strict=True)]
        _add(found, MetricKind(name, "bench", "share", explains=True), shares)


def _metric_of(runs: Sequence[Mapping[Metric, float]]) -> Callable[[str], Metric]:
    """A function from the name of a percentile to the metric that is compared: of all operations, if there is that, and
    of response times, which include queueing, if there are any.
    """
    measures = dict.fromkeys(metric.measure for run in runs for metric in run if metric.measure)
    measure = next((name for name in ("response", "service", *measures) if name in measures), None)
    ops = dict.fromkeys(metric.op for run in runs for metric in run if metric.measure == measure and metric.op)
    op = "all" if "all" in ops else next(iter(ops), None)
    return lambda name: Metric(name=name, measure=measure, op=op)


def _doctor(data: bytes, found: HostFigures) -> None:
    examined = _decoded(data, _Examination)
    found.findings |= {
        each.title: f"{each.status}: {each.observed}" if each.observed else each.status for each in examined.findings
    }
    bad = sum(each.status in {"fail", "warn"} for each in examined.findings)
    _add(found, MetricKind("doctor's findings", "doctor", "count", explains=True), [float(bad)])


def _jitter(data: bytes, found: HostFigures) -> None:
    jitter = _decoded(data, Jitter)
    if jitter.mode == "wakeups":
        late = [None if cpu.series is None else float(cpu.series.max) for cpu in jitter.cpus]
        _add(found, MetricKind("latest wake-up", "jitter", "ns", over="max"), late)
        return
    _add(found, MetricKind(TIME_LOST, "jitter", "share", over="mean"), [cpu.lost_share for cpu in jitter.cpus])
    longest = [float(cpu.series.max) if cpu.series else 0.0 for cpu in jitter.cpus]
    _add(found, MetricKind("longest gap", "jitter", "ns", over="max"), longest)
    causes = dict.fromkeys(_kind_of(each.cause) for cpu in jitter.cpus for each in cpu.causes)
    for cause in causes:
        shares = [
            sum(each.lost_ns for each in cpu.causes if _kind_of(each.cause) == cause) / cpu.watched_ns
            for cpu in jitter.cpus
            if cpu.watched_ns
        ]
        _add(found, MetricKind(f"lost to: {cause}", "jitter", "share", explains=True, over="mean"), [*shares])


def _kind_of(cause: str) -> str:
    """A cause without what is particular to a host: `interrupt 36 (virtio1-req.0)` is `interrupt`."""
    return _DIGITS.sub("", cause) or cause


def _calibration(data: bytes, found: HostFigures) -> None:
    clock = _decoded(data, _Calibration)
    _add(found, MetricKind("read of the counter", "calibrate", "ns"), [clock.costs.plain_ns])
    _add(found, MetricKind("clock_gettime", "calibrate", "ns"), [clock.costs.vdso_ns])
    _add(found, MetricKind("uncertainty", "calibrate", "ppm"), [clock.uncertainty_ppm])


def _add(found: HostFigures, kind: MetricKind, values: Sequence[float | None]) -> None:
    there = [value for value in values if value is not None]
    if there:
        found.values[kind] = there


def _decoded(data: bytes, model: type[_Decoded]) -> _Decoded:
    try:
        return msgspec.json.decode(data, type=model)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"its report cannot be read: {error}") from error
