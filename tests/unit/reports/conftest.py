"""A report like one from `lowlat bench`, for tests that process reports."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.model.budget import Measured, budget, budget_class
from lowlat.reports.model.context import Build, Clock, Extent, Host, Load, MeasuredEngine, Tool, Workload
from lowlat.reports.model.objective import Objective
from lowlat.reports.model.report import Report
from lowlat.reports.model.results import HotPath, OsNoise, Run, Series, Throughput, Verification
from lowlat.reports.model.series import series_of, summarize
from lowlat.reports.model.sweep import Sweep, sweep_of

COMMANDS = 20_000
MIX = {"add": 0.5, "cancel": 0.4, "market": 0.1}


def _series(seed: int) -> tuple[Series, ...]:
    random = np.random.default_rng(seed)
    made = []
    for op, share in {"all": 1.0, **MIX}.items():
        recorder = Recorder()
        latencies = random.lognormal(np.log(45), 0.6, int(COMMANDS * share))
        latencies[::5000] *= 30_000
        recorder.record_many(latencies.astype(np.int64))
        made.append(series_of(op, "service", Histogram.from_native(recorder)))
    return tuple(made)


def _run(index: int) -> Run:
    noisy = index == 2
    return Run(
        number=index + 1,
        started=f"2026-11-23T10:00:0{index}Z",
        duration_s=0.5,
        throughput=Throughput.of(COMMANDS, (24 + index) * COMMANDS, 24 * COMMANDS),
        timed=Throughput.of(COMMANDS, (61 + index) * COMMANDS, None),
        os_noise=OsNoise(
            wall_ns=(85 + 2 * index) * COMMANDS,
            involuntary_switches=index,
            voluntary_switches=0,
            migrations=0,
            minor_faults=0,
            major_faults=0,
            timer_interrupts=250,
            steal_ns=10_000_000 * index,
            largest_gap_ns=1_200_000 + index,
            noisy=noisy,
            reasons=("2 involuntary context switches",) if noisy else (),
        ),
        series=_series(index),
    )


@pytest.fixture(scope="session")
def javascript(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run a script with arguments and the package hdr-histogram-js; return its output. Skips without node or npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("not available here: node and npm")
    folder = tmp_path_factory.mktemp("javascript")
    options = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--prefer-offline"]
    command = [npm, "install", *options, "--fetch-retries=0", "--fetch-timeout=10000", "hdr-histogram-js@3.0.1"]
    (folder / "package.json").write_text("{}")
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=30)
    except subprocess.TimeoutExpired:
        pytest.skip("not available here: npm has no answer from its registry")
    if done.returncode != 0:
        pytest.skip("not available here: npm cannot install hdr-histogram-js")

    def run(script: str, *arguments: object) -> str:
        (folder / "script.js").write_text(script)
        command = [node, "script.js", *map(str, arguments)]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout

    return run


@pytest.fixture(scope="session")
def report() -> Report:
    """Three valid runs of 20,000 commands."""
    runs = tuple(_run(index) for index in range(3))
    summary = summarize(runs)
    p99 = summary[0].percentiles["99"].value
    stages = budget({"application": Measured(p99, "p99 of service time, all operations")})
    return Report(
        status="ok",
        status_reasons=(),
        tool=Tool(version="0.1.0", git="abc1234", build=Build(compiler="GCC 12.2.0", flags="-O3", isa="x86-64-v2")),
        command=("lowlat", "bench", "--profile", "steady"),
        engine=MeasuredEngine(name="native", settings={"order_pool": 50_000, "trade_pool": 100_000}),
        workload=Workload(
            profile="steady",
            seed=42,
            commands=COMMANDS,
            mix={op: int(COMMANDS * share) for op, share in MIX.items()},
            live_orders=Extent(mean=10_012.4, peak=10_480),
            levels=Extent(mean=212.0, peak=240),
            depth_touched=Extent(mean=1.4, peak=3),
            trades=2_913,
            hash="5f3c9a1e77d0b2c4",
        ),
        load=Load(
            model="closed",
            target_rate=None,
            achieved_rate=None,
            sent=6 * COMMANDS,
            acked=6 * COMMANDS - 12,
            rejected=12,
            out_of_range=0,
        ),
        host=Host(
            cpu="AMD EPYC 7763 64-Core Processor",
            cores=2,
            measured_cpus="1",
            kernel="Linux 6.1.0-28-amd64",
            cmdline="ro quiet",
            governor=None,
            turbo=None,
            isolated="",
            clocksource="tsc",
            virtualization="kvm",
            steal_percent=0.4,
            load_average=(0.62, 0.5, 0.4),
        ),
        clock=Clock(source="rdtscp", frequency_hz=2.5959e9, uncertainty_ppm=0.4, read_cost_ns=15.2, step_ns=10.0),
        runs=runs,
        summary=summary,
        budget=stages,
        budget_class=budget_class(stages),
        hot_path=HotPath(
            allocations=0,
            page_faults=0,
            involuntary_switches=3,
            memory={"orders": 1_600_000, "trades": 3_200_000, "ids": 1_048_576, "levels": 2_097_152},
            huge_page_bytes=6_291_456,
            locked=True,
            numa_node=0,
        ),
        verification=Verification(
            digest="9f86d081884c7d65",
            events=23_512,
            reference_commands=20_000,
            reference_stretches=1,
            equal=True,
            bursts=None,
            matched=None,
            quotes=None,
            quotes_matched=None,
            mismatches=(),
        ),
        gate=None,
        not_available={
            "host.governor": "no /sys/devices/system/cpu/cpu0/cpufreq here",
            "host.turbo": "no MSR",
        },
    )


def _at_rate(report: Report, asked: float, reached: float) -> Report:
    """The report as of an open loop, with its latencies as response times; a missed rate makes it invalid."""
    late_ns = 0 if reached == asked else 1_000_000_000
    runs = tuple(
        replace(run, late_ns=late_ns, series=tuple(replace(series, measure="response") for series in run.series))
        for run in report.runs
    )
    missed = () if reached == asked else (f"reached {reached:,.0f}/s of {asked:,.0f}/s",)
    load = replace(report.load, model="open", target_rate=asked, achieved_rate=reached, missed=missed)
    status = "invalid" if missed else "ok"
    return replace(report, status=status, status_reasons=missed, load=load, runs=runs, summary=summarize(runs))


@pytest.fixture(scope="session")
def swept(report: Report) -> Sweep:
    """Three rates; the last one was missed, so the answer is between the second and the third."""
    points = [_at_rate(report, 1e6, 1e6), _at_rate(report, 2e6, 2e6), _at_rate(report, 4e6, 3e6)]
    return sweep_of(points, objectives=[Objective(percentile="99", limit_ns=1_000_000)])


@pytest.fixture(scope="session")
def undecided(report: Report) -> Sweep:
    """Three rates; at the second one, the runs ended 6 ms late, but had no CPU for 18 ms of 20."""
    noise = replace(report.runs[0].os_noise, wall_ns=20_000_000, off_cpu_ns=18_000_000)
    stolen = _at_rate(report, 2e6, 1.9e6)
    runs = tuple(replace(run, late_ns=6_000_000, os_noise=noise) for run in stolen.runs)
    points = [_at_rate(report, 1e6, 1e6), replace(stolen, runs=runs), _at_rate(report, 4e6, 3e6)]
    return sweep_of(points, objectives=[Objective(percentile="99", limit_ns=1_000_000)])


@pytest.fixture(scope="session")
def with_both_passes(report: Report) -> Report:
    """The report, with passes of 40 ns per command, one at a time."""
    single = Throughput.of(COMMANDS, 40 * COMMANDS, COMMANDS * 79 // 2)
    return dataclasses.replace(
        report, runs=tuple(dataclasses.replace(run, one_at_a_time=single) for run in report.runs)
    )
