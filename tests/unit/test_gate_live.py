"""The live measurement of the gate: its trials share no runs, its spins are calibrated, its counts are right."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import re
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from lowlat.reports.histogram import buckets
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.io.json_codec import from_text
from lowlat.reports.io.validation import checked_sums
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import Throughput
from lowlat.reports.model.series import histogram_of, series_of, summarize
from tests.scaled_reports import scaled

MEASURE = Path(__file__).parents[2] / "tools/measure"
UNITS = {"base": 0, "A/A": 0, "cpu+30": 28}


@pytest.fixture(scope="module")
def gate_live() -> Iterator[ModuleType]:
    sys.path.insert(0, str(MEASURE))
    spec = importlib.util.spec_from_file_location("gate_live", MEASURE / "gate_live.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gate_live"] = module  # its dataclass looks itself up
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(MEASURE))


@pytest.fixture(scope="module")
def one_run() -> Report:
    """With a hundred latencies from 500 to 599 ns."""
    report = from_text((Path(__file__).parent / "reports/report-1.json").read_text())
    counts = np.zeros(buckets.COUNTS_LENGTH, dtype=np.uint64)
    counts[[buckets.index_of(value_ns) for value_ns in range(500, 600)]] = 1
    series = (series_of("all", "service", Histogram.from_counts(counts, 500, 599)),)
    run = dataclasses.replace(report.runs[0], throughput=Throughput.of(1_000, 50_000, 40_000), series=series)
    return dataclasses.replace(report, runs=(run,), summary=summarize((run,)))


def plan_of(gate_live: ModuleType, trials: int, rounds: int) -> Any:
    spins = {name: gate_live.Spin(units) for name, units in UNITS.items()}
    return gate_live.Plan("equity", 100, trials, rounds, 1, spins)


def test_every_round_runs_each_variant_once_in_an_order_of_its_own(gate_live: ModuleType) -> None:
    plan = plan_of(gate_live, trials=34, rounds=10)
    orders = [plan.order(trial) for trial in range(34)]
    assert all(sorted(order[at : at + 3]) == sorted(UNITS) for order in orders for at in range(0, 30, 3))
    assert len({tuple(order[at : at + 3]) for order in orders for at in range(0, 30, 3)}) == 6
    assert len({tuple(order) for order in orders}) == 34 and orders[3] == plan.order(3)


def test_runs_are_sorted_by_variant(gate_live: ModuleType, one_run: Report) -> None:
    plan = plan_of(gate_live, trials=1, rounds=4)
    runs = [
        dataclasses.replace(one_run, runs=(dataclasses.replace(one_run.runs[0], number=at),)) for at in range(1, 13)
    ]
    found = gate_live.by_variant(plan, 0, runs)
    assert {name: [report.runs[0].number - 1 for report in reports] for name, reports in found.items()} == {
        name: [at for at, each in enumerate(plan.order(0)) if each == name] for name in UNITS
    }
    with pytest.raises(SystemExit, match="trial 0 has 11 runs, its plan 12"):
        gate_live.by_variant(plan, 0, runs[1:])


def spun(report: Report, spins: Sequence[Any]) -> list[Report]:
    """Runs one by one, on a machine that drifts by 1% a run. CPU time grows by half a nanosecond per iteration beyond
    the fourth.
    """
    (run,) = report.runs
    least = [round((40_000 + 500 * max(0, spin.units - 4)) * 1.01**at) for at, spin in enumerate(spins)]
    runs = [dataclasses.replace(run, least_cpu_ns=cpu_ns) for cpu_ns in least]
    return [dataclasses.replace(report, runs=(each,), summary=summarize((each,))) for each in runs]


def test_spins_are_calibrated_between_the_steps_of_the_ladder(gate_live: ModuleType, one_run: Report) -> None:
    """The median of ten rounds: their order is random, so drift within a round leaves an iteration or two."""
    slowdowns = sys.modules["planted_slowdowns"]
    wanted = gate_live.slowdowns_of("cpu+5,cpu+20")
    units = slowdowns.calibrated(wanted, lambda spins: spun(one_run, spins))
    assert {name: spin.every for name, spin in units.items()} == {"cpu+5": 1, "cpu+20": 1}
    assert (units["cpu+5"].units, units["cpu+20"].units) == (pytest.approx(8, abs=2), pytest.approx(20, abs=2))
    with pytest.raises(SystemExit, match=r"cpu\+900: a spin of 96 slows cpu by less"):
        slowdowns.calibrated(gate_live.slowdowns_of("cpu+900"), lambda spins: spun(one_run, spins))
    (tail,) = gate_live.slowdowns_of("p99+20")
    assert tail.every == 50 and str(gate_live.Spin(126, tail.every)) == "126, each 50th"


def test_slowdowns_that_cannot_be_read_are_named(gate_live: ModuleType) -> None:
    assert gate_live.slowdowns_of("none") == []
    for wrong in ("p42+5", "cpu=5", "cpu+", "", "cpu+5,"):
        with pytest.raises(ArgumentTypeError, match=r"is not METRIC.PERCENT,.* with metrics cpu, p50, p99, mean"):
            gate_live.slowdowns_of(wrong)


def test_a_coarser_clock_reads_a_latency_as_the_step_below_or_above_in_proportion(
    gate_live: ModuleType, one_run: Report
) -> None:
    """A sample at each of 500 to 599 ns, in steps of 100: 50 and a half on average at either; the sum stays."""
    coarse = gate_live.read_coarsely(one_run, 100)
    (series,) = coarse.runs[0].series
    assert (series.count, series.mean, coarse.clock.step_ns) == (100, pytest.approx(549.5, abs=1), 100)
    assert set(histogram_of(series).recorded) == {buckets.index_of(500), buckets.index_of(600)}
    list(checked_sums(coarse))


def trial(report: Report, **factors: Fraction) -> Any:
    """Ten runs of each variant, slower by these factors."""
    return {name: [slower(report, factors.get(name, Fraction(1)))] * 10 for name in ("base", "equal", "slow")}


def slower(report: Report, factor: Fraction) -> Report:
    """Also by CPU time."""
    (run,) = scaled(report, factor).runs
    done = Throughput.of(1_000, int(80_000 * factor), int(40_000 * factor))
    run = dataclasses.replace(run, throughput=done, least_cpu_ns=done.cpu_ns)
    return dataclasses.replace(report, runs=(run,), summary=summarize((run,)))


def row_of(text: str, gate: str) -> list[str]:
    (line,) = re.findall(rf"^\| {re.escape(gate)} \|.*$", text, re.MULTILINE)
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_counts_are_those_of_the_shipped_gate(gate_live: ModuleType, one_run: Report) -> None:
    slow = Fraction(2)
    trials = [trial(one_run, slow=slow), trial(one_run, slow=slow), trial(one_run, equal=slow)]
    text = gate_live.tables(trials, {"base": "0", "equal": "0", "slow": "9"})
    by_rule = [f"`{name}=10%` alone" for name in ("p50", "p99", "cpu", "mean", "throughput")]
    for gate in (
        "default gate",
        "default gate, test over all runs instead",
        "default metrics, rank test alone",
        "default metrics, ratio alone",
        *by_rule,
    ):
        alarms, _, found = row_of(text, gate)
        assert (alarms, found) == ("1/3 (6%-79%)", "2/3 (21%-94%)")
    assert "3 trials of 10 runs a side" in text and "CPU times of equal programs differ by 0.0%" in text
    assert row_of(text, "slow")[0] == "9"


def test_shares_have_wilson_intervals(gate_live: ModuleType) -> None:
    wilson = sys.modules["gate_trials"].wilson
    for found, of in ((0, 34), (1, 34), (17, 34), (34, 34)):
        expected = binomtest(found, of).proportion_ci(0.95, method="wilson")
        assert wilson(found, of) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_a_folder_without_trials_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gate_live: ModuleType
) -> None:
    monkeypatch.setattr(sys, "argv", ["gate_live.py", "--from", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"has no plan.json; collect into it with -o"):
        gate_live.main()
    spins = {name: {"units": units, "every": 1} for name, units in UNITS.items()}
    plan = {"profile": "equity", "commands": 1, "trials": 1, "rounds": 1, "seed": 1, "spins": spins}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(SystemExit, match="holds no whole trial; collect some with -o"):
        gate_live.main()
