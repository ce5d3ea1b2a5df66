"""A run makes its passes several times: what it reports of them, and what comparisons take."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from lowlat.engine.bench.passes import Pass, WatchedPasses
from lowlat.engine.bench.run_setup import QUIET_PASSES, added_recorders, quiet_recorders
from lowlat.errors import FormatError, NotValidError
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.compare.compare import samples_of, samples_of_each
from lowlat.reports.io.json_codec import from_text
from lowlat.reports.io.validation import checked_sums
from lowlat.reports.model.comparison import Metric
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Run
from tests.scaled_reports import scaled

P50 = Metric(name="p50", measure="service", op="all")
CPU = Metric(name="cpu", measure=None, op=None)


def made(wall_ns: int, cpu_ns: int | None) -> Pass:
    return Pass(
        commands=10,
        events=10,
        wall_ns=wall_ns,
        cpu_ns=cpu_ns,
        off_cpu_ns=None,
        allocations=0,
        minor_faults=0,
        major_faults=0,
        voluntary_switches=0,
        involuntary_switches=0,
    )


def passes(times: Sequence[tuple[int, int | None]]) -> WatchedPasses:
    found = WatchedPasses(0)
    found.done["batched"] = [made(*each) for each in times]
    return found


def test_the_pass_of_median_duration_is_reported_and_the_least_cpu_time_beside_it() -> None:
    found = passes([(50, 30), (90, 25), (40, 31), (70, 60), (60, 26)])
    assert found.typical("batched") == made(60, 26) and found.least_cpu_ns("batched") == 25
    assert passes([(50, 30), (90, 25)]).typical("batched") == made(50, 30)
    assert len(found.all) == 5


def test_without_passes_or_with_an_unknown_cpu_time_there_is_none() -> None:
    found = passes([(50, 30), (90, None)])
    assert found.least_cpu_ns("batched") is None
    assert found.typical("timed") is None and found.least_cpu_ns("timed") is None


def recorded(value_ns: int) -> dict[tuple[str, str], Recorder]:
    recorder = Recorder()
    recorder.record(value_ns)
    return {("service", "add"): recorder}


def values(recorders: dict[tuple[str, str], Recorder]) -> tuple[int, int | None, int | None]:
    recorder = recorders["service", "add"]
    return recorder.total, recorder.min, recorder.max


@pytest.mark.parametrize("cpu_known", [True, False])
def test_the_quiet_passes_are_those_of_least_cpu_time_or_of_least_time(cpu_known: bool) -> None:
    """The third pass waited for a CPU, which costs no CPU time."""
    times = [(50, 50), (40, 40), (90, 30), (80, 80)]
    parts = [(made(wall, cpu if cpu_known else None), recorded(wall)) for wall, cpu in times]
    quiet, whole = quiet_recorders(parts), added_recorders([each for _, each in parts])
    assert values(dict(quiet)) == (QUIET_PASSES, 40, 90 if cpu_known else 50)
    assert values(dict(whole)) == (4, 40, 90)


@pytest.fixture
def report() -> Report:
    return from_text((Path(__file__).parents[2] / "reports/report-1.json").read_text())


def with_quiet(report: Report, run: Run) -> Report:
    """The report with the latencies of `run` as the quiet ones of its first."""
    first, *others = report.runs
    return dataclasses.replace(report, runs=(dataclasses.replace(first, quiet=run.series), *others))


def test_comparisons_take_the_quiet_latencies_and_the_least_cpu_time(report: Report) -> None:
    """Of a run by itself, and of a report as a whole. Here, the quiet latencies are twice as long."""
    (first,), (twice,) = report.runs, scaled(report, Fraction(2)).runs
    for samples in (samples_of, samples_of_each):
        (plain,), (quiet,) = samples([report], "", ()).runs, samples([with_quiet(report, twice)], "", ()).runs
        assert quiet[P50] == pytest.approx(2 * plain[P50], rel=0.01)
    assert first.throughput is not None
    lone = dataclasses.replace(report, runs=(dataclasses.replace(first, least_cpu_ns=first.throughput.commands * 7),))
    assert samples_of([lone], "", ()).runs[0][CPU] == 7


def test_quiet_latencies_are_some_of_the_run(report: Report) -> None:
    list(checked_sums(with_quiet(report, report.runs[0])))
    (series, *others) = report.runs[0].series
    more = dataclasses.replace(report.runs[0], series=(dataclasses.replace(series, op="reject"), *others))
    with pytest.raises(FormatError, match=r"runs\[0\]\.quiet\[0\] \(reject, .*more than the run"):
        list(checked_sums(with_quiet(report, more)))
    wrong = dataclasses.replace(report.runs[0], series=(dataclasses.replace(series, count=series.count + 1), *others))
    with pytest.raises(NotValidError, match=r"runs\[0\]\.quiet\[0\] .*count is"):
        list(checked_sums(with_quiet(report, wrong)))
