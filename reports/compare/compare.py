"""Two sets of runs compared metric by metric."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Final, TypeAlias

from lowlat import units
from lowlat.errors import UsageError
from lowlat.reports.compare.compatibility import (
    check_repeated,
    check_same_events,
    check_same_work,
    check_valid,
    differences,
    weaknesses,
)
from lowlat.reports.compare.gate import WHOLE, Rule, check_rules, default_rules, gate_of, rule_of, threshold_of
from lowlat.reports.compare.interleaving import status_of
from lowlat.reports.compare.interpolation import OccupiedBuckets, compared_percentiles
from lowlat.reports.compare.rank_test import SIGNIFICANT
from lowlat.reports.compare.verdict import Resolution, check_significance, judge
from lowlat.reports.model.comparison import Compared, ComparedSide, Comparison, Interleaving, Metric
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import HARDWARE_COUNTERS, Run, Series, Throughput
from lowlat.reports.model.series import histogram_of, summarize

Sample: TypeAlias = Mapping[Metric, float]
"""One run: its figures by metric, nanoseconds or commands per second."""

_STEPS_DIFFER: Final = 1.5
"""Factor between the steps of two clocks from which they are not the same; each is measured."""
STEP_OF: Final = "the clock's step of "
"""How a warning begins that it is larger than a median."""
OTHER_WORK: Final = "the sides differ in "
"""How the warning begins that names what two interleaved programs do differently."""
SHOWN: Final = ("p50", "p99", "p99.9", "max", "throughput", "cpu", "wall", "instructions")
"""Compared whether a rule names them or not."""
WALL: Final = Metric(name="wall", measure=None, op=None)
_THROUGHPUT: Final = Metric(name="throughput", measure=None, op=None)
_CPU: Final = Metric(name="cpu", measure=None, op=None)


@dataclass(frozen=True, slots=True)
class Samples:
    """The runs of one side, and the reports they come from, if any."""

    label: str
    sources: tuple[str, ...]
    runs: tuple[Sample, ...]
    reports: tuple[Report, ...] = ()
    noisy_runs: int = 0
    """Of the runs."""
    series: tuple[Sequence[Series], ...] = ()
    """The latencies of each run, with their histograms; empty for runs timed from outside."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The inputs of a comparison. Charts need their histograms, which the comparison document does not contain."""

    base: Samples
    head: Samples

    def main_series(self) -> tuple[str, str] | None:
        """Operation and measure of the latencies that gate by default; None if the sides share none."""
        shared = _shared(_by_metric(self.base.runs), _by_metric(self.head.runs))
        measure = main_measure(shared)
        ops = dict.fromkeys(metric.op for metric in shared if metric.measure == measure and metric.op)
        op = WHOLE if WHOLE in ops else next(iter(ops), None)
        return None if measure is None or op is None else (op, measure)


def samples_of(reports: Sequence[Report], label: str, sources: Sequence[str]) -> Samples:
    """Every run of every report as a sample."""
    runs = tuple(_sample(report, run.compared_series, (run,)) for report in reports for run in report.runs)
    noisy_runs = sum(bool(run.os_noise.noisy) for report in reports for run in report.runs)
    series = tuple(run.compared_series for report in reports for run in report.runs)
    return Samples(label, tuple(sources), runs, tuple(reports), noisy_runs, series)


def samples_of_each(reports: Sequence[Report], label: str, sources: Sequence[str]) -> Samples:
    """Every report as one sample: the runs within a report were not interleaved with those of the other side."""
    series = tuple(_compared_summary(report) for report in reports)
    runs = tuple(_sample(report, own, report.runs) for report, own in zip(reports, series, strict=True))
    noisy_runs = sum(any(run.os_noise.noisy for run in report.runs) for report in reports)
    return Samples(label, tuple(sources), runs, tuple(reports), noisy_runs, series)


def compare_reports(base: Samples, head: Samples, rules: Sequence[Rule], command: Sequence[str]) -> Comparison:
    """Compare reports of the same work. Empty `rules` means the default ones.

    Raises `NotValidError` if the same work gave other events, or a side is not valid, has one run, or did different
    work; `UsageError` for a rule that matches no metric.
    """
    check_same_events((*base.reports, *head.reports))
    for side in (base, head):
        check_valid(side.reports, side.label)
        check_repeated(side.reports, side.label)
    both = (*base.reports, *head.reports)
    check_same_work(both)
    return compare(base, head, rules, command, warnings=tuple(weaknesses(both)))


def compare_interleaved(
    base: Samples,
    head: Samples,
    rules: Sequence[Rule],
    command: Sequence[str],
    order: Interleaving,
    *,
    significance: float = SIGNIFICANT,
) -> Comparison:
    """Compare interleaved runs, whose settings may differ on purpose; differences become warnings.

    `significance`: the p below which this look at the data calls a difference significant; see `compare`.
    Fewer samples than pairs in `order` mean that the comparison was interrupted. Raises `NotValidError` if the same
    work gave other events, and `UsageError` for a rule that matches no metric.
    """
    both = (*base.reports, *head.reports)
    check_same_events(both)
    other_work = tuple(differences(both))
    purpose = (f"{OTHER_WORK}{'; '.join(other_work)}",) if other_work else ()
    return compare(
        base,
        head,
        rules,
        command,
        order=order,
        warnings=(*purpose, *weaknesses(both)),
        significance=significance,
    )


def compare(
    base: Samples,
    head: Samples,
    rules: Sequence[Rule],
    command: Sequence[str],
    *,
    order: Interleaving | None = None,
    warnings: tuple[str, ...] = (),
    significance: float = SIGNIFICANT,
) -> Comparison:
    """Compare samples, at least one a side, without checking that they are comparable.

    `significance` is the nominal level of this one look: a sequential test, which looks several times, asks for less
    than `SIGNIFICANT` at each. Intervals have the confidence that it leaves. Raises `UsageError` unless it is above 0
    and at most 0.5, and for a rule that matches no metric.
    """
    check_significance(significance)
    values = [_by_metric(side.runs) for side in (base, head)]
    shared = _shared(*values)
    main = main_measure(shared)
    chosen = tuple(rules) or default_rules(shared)
    _check_counted(chosen, shared, (*base.reports, *head.reports))
    check_rules(chosen, shared, main)
    judged = _Judge(base, head, significance, paired=order is not None)
    metrics = tuple(
        judged.verdict(metric, values[0][metric], values[1][metric], rule)
        for metric in shared
        if (rule := rule_of(metric, chosen, main)) or metric.name in SHOWN
    )
    status, reasons = status_of(order, len(base.runs))
    return Comparison(
        status=status,
        status_reasons=reasons,
        version=version("lowlat"),
        command=tuple(command),
        base=_side(base),
        head=_side(head),
        interleaving=order,
        warnings=(*warnings, *judged.warnings(metrics)),
        significance=significance,
        metrics=metrics,
        not_compared=tuple(_one_sided(*values)),
        gate=gate_of(metrics, chosen),
    )


class _Judge:
    """The verdicts on the metrics of two sides, with percentiles interpolated wherever both have histograms."""

    def __init__(self, base: Samples, head: Samples, significance: float, *, paired: bool) -> None:
        self._sides = (base, head)
        self._significance = significance
        self._paired = paired
        self._steps_ns = [[each.clock.step_ns or 0.0 for each in side.reports] for side in self._sides]
        self._clock_ns = max((step_ns for side in self._steps_ns for step_ns in side), default=0.0)
        self._distributions: dict[tuple[str | None, str | None], list[list[OccupiedBuckets]]] = {}

    def verdict(self, metric: Metric, base: Sequence[float], head: Sequence[float], rule: Rule | None) -> Compared:
        resolution = Resolution(floor_ns=floor_ns(metric, self._clock_ns))
        sides = self._of(metric) if is_percentile(metric) else []
        if [len(side) for side in sides] == [len(base), len(head)]:
            step_ns, base, head = compared_percentiles(float(metric.name[1:]), sides[0], sides[1], self._clock_ns)
            resolution = Resolution(step_ns=step_ns)
        return judge(
            metric,
            base,
            head,
            threshold_percent=threshold_of(rule),
            gates=rule is not None,
            resolution=resolution,
            significance=self._significance,
            paired=self._paired and len(base) == len(head) == max(len(side.runs) for side in self._sides),
        )

    def warnings(self, metrics: Iterable[Compared]) -> Iterator[str]:
        """What the clock is too coarse for. Sides are said to differ from a factor of 1.5: a step is measured."""
        base_ns, head_ns = (max(side, default=0.0) for side in self._steps_ns)
        if max(base_ns, head_ns) > _STEPS_DIFFER * min(base_ns, head_ns) > 0:
            yield (
                f"the clock's step differs: base {units.time(base_ns)}, head {units.time(head_ns)}; percentiles of "
                f"both sides are interpolated within {units.time(self._clock_ns)}; measure both with the same clock"
            )
        yield from too_coarse(metrics, self._clock_ns)

    def _of(self, metric: Metric) -> list[list[OccupiedBuckets]]:
        """The latencies of this operation and measure, for each side and run."""
        key = (metric.op, metric.measure)
        if key not in self._distributions:
            self._distributions[key] = [
                [
                    OccupiedBuckets.of(histogram_of(each))
                    for run in side.series
                    for each in run
                    if (each.op, each.measure) == key
                ]
                for side in self._sides
            ]
        return self._distributions[key]


def _compared_summary(report: Report) -> Sequence[Series]:
    """The latencies of all runs that comparisons use."""
    if not any(run.quiet for run in report.runs):
        return report.summary
    return summarize(replace(run, series=run.compared_series) for run in report.runs)


def is_percentile(metric: Metric) -> bool:
    """Whether it is interpolated between the steps of the clock. `page_walks` has no steps."""
    return metric.measure is not None and metric.name.startswith("p")


def floor_ns(metric: Metric, clock_ns: float) -> float:
    """By how much medians may differ by chance of the clock, whose step this is, alone; of a figure as the reports show
    it.
    """
    return clock_ns if metric.name == "max" or is_percentile(metric) else 0.0


def too_coarse(metrics: Iterable[Compared], clock_ns: float) -> Iterator[str]:
    """A warning for each gated median that is below the clock's step."""
    for metric in metrics:
        if metric.gates and metric.name == "p50":
            lowest_ns = min(metric.base.median, metric.head.median)
            if lowest_ns < clock_ns:
                yield (
                    f"{STEP_OF}{units.time(clock_ns)} is larger than {metric} "
                    f"({units.time(lowest_ns)}); percentiles below it are interpolated within one step"
                )


def _sample(report: Report, series: Iterable[Series], runs: Sequence[Run]) -> Sample:
    sample: dict[Metric, float] = {}
    for one in series:
        for percent, value in one.percentiles.items():
            sample[Metric(name=f"p{percent}", measure=one.measure, op=one.op)] = value.value
        sample[Metric(name="max", measure=one.measure, op=one.op)] = one.max
        sample[Metric(name="mean", measure=one.measure, op=one.op)] = one.mean
    if (timed := _timed(report, runs)) is not None:
        sample[_THROUGHPUT] = timed.commands_per_s
    if (cpu_ns := _cpu_ns(report, runs)) is not None:
        sample[_CPU] = cpu_ns
    for name, figure in _counters(runs):
        sample[Metric(name=name, measure=None, op=None)] = figure
    return sample


def _counters(runs: Sequence[Run]) -> Iterator[tuple[str, float]]:
    """The processor's events per command, of each the mean over runs; those that every run counted."""
    for name in HARDWARE_COUNTERS:
        figures = [getattr(run.counters, name) for run in runs if run.counters is not None]
        if figures and len(figures) == len(runs) and None not in figures:
            yield name, sum(figures) / len(figures)


def _cpu_ns(report: Report, runs: Sequence[Run]) -> float | None:
    """CPU time per command of the batched passes, of each run the one that took least; None but in closed loops: others
    spin while they wait. None also if a pass took none: no program does, so it was not measured.
    """
    passes = [(run.throughput, run.least_cpu_ns or run.throughput.cpu_ns) for run in runs if run.throughput]
    times = [cpu_ns for _, cpu_ns in passes if cpu_ns]
    commands = sum(done.commands for done, _ in passes)
    if report.load.model != "closed" or not commands or len(times) < len(passes):
        return None
    return sum(times) / commands


def _timed(report: Report, runs: Sequence[Run]) -> Throughput | None:
    """The passes that count, combined; None at a fixed rate, which says nothing about the engine."""
    passes = [done for run in runs if (done := run.throughput or run.timed)]
    if report.load.target_rate is not None or not passes:
        return None
    return Throughput.of(sum(done.commands for done in passes), sum(done.wall_ns for done in passes), None)


def _by_metric(samples: Sequence[Sample]) -> dict[Metric, list[float]]:
    """The values of all runs. CPU time and the processor's events only if every run has them, so that a broken clock or
    counter cannot choose the runs.
    """
    values: dict[Metric, list[float]] = {}
    for sample in samples:
        for metric, value in sample.items():
            values.setdefault(metric, []).append(value)
    for metric in [_CPU, *(metric for metric in values if metric.name in HARDWARE_COUNTERS)]:
        if len(values.get(metric, ())) < len(samples):
            values.pop(metric, None)
    return values


def _check_counted(rules: Sequence[Rule], metrics: Sequence[Metric], reports: Sequence[Report]) -> None:
    """Raise `UsageError`, which says why, for a gate on events of the processor that a side did not count."""
    counted = {metric.name for metric in metrics}
    for rule in rules:
        if rule.name in HARDWARE_COUNTERS and rule.name not in counted:
            why = next((why for each in reports if (why := each.not_available.get("runs.counters"))), "not counted")
            raise UsageError(f"gate {rule} needs the processor's counters on both sides: {why}")


def _shared(base: Iterable[Metric], head: Container[Metric]) -> list[Metric]:
    return [metric for metric in base if metric in head]


def main_measure(metrics: Iterable[Metric]) -> str | None:
    """What gates by default: response times if there are any, since they include queueing; else service times, else the
    first measure.
    """
    measures = dict.fromkeys(metric.measure for metric in metrics if metric.measure)
    return next((name for name in ("response", "service", *measures) if name in measures), None)


def _one_sided(base: Mapping[Metric, object], head: Mapping[Metric, object]) -> Iterator[str]:
    for name, own, other in (("base", base, head), ("head", head, base)):
        alone = dict.fromkeys(
            f"{metric.measure} {metric.op}" if metric.measure else metric.name for metric in own if metric not in other
        )
        if alone:
            yield f"only {name} has {', '.join(alone)}"


def _side(samples: Samples) -> ComparedSide:
    first = samples.reports[0] if samples.reports else None
    return ComparedSide(
        label=samples.label,
        sources=samples.sources,
        runs=len(samples.runs),
        noisy_runs=samples.noisy_runs,
        tool=first.tool if first else None,
        engine=first.engine if first else None,
        workload=first.workload if first else None,
        load=first.load if first else None,
        host=first.host if first else None,
        clock=first.clock if first else None,
        digest=first.verification.digest if first and first.verification else None,
    )
