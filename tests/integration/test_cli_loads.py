"""Loads on the command line: rates, sweeps, pipelines, logs, and combinations that conflict.

Whether a busy machine keeps up with a rate is not tested, only that a run that did not is reported as such.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from lowlat.engine.bench.loop_ceiling import open_loop_ceiling
from lowlat.errors import ExitCode
from lowlat.reports.io.json_codec import from_text, sweep_from_text
from lowlat.reports.model.report import Report

Run = Callable[..., subprocess.CompletedProcess[str]]

AT_A_RATE = ("bench", "--rate", "20k", "-n", "4k", "--runs", "2", "--json")


def report_of(done: subprocess.CompletedProcess[str]) -> Report:
    """The printed report, which is valid, or says that the rate was missed, with the matching exit code."""
    report = from_text(done.stdout)
    assert report.status_reasons == report.load.missed
    assert done.returncode == (ExitCode.NOT_VALID if report.load.missed else ExitCode.OK), done.stderr
    return report


def whole(report: Report) -> dict[str, int]:
    return {series.measure: series.count for series in report.summary if series.op == "all"}


def test_a_rate_gives_response_service_and_slip(once: Run) -> None:
    report = report_of(once(*AT_A_RATE))
    assert (report.load.model, report.load.target_rate, report.load.arrivals) == ("open", 20_000, "constant")
    assert whole(report) == {"response": 8_000, "service": 8_000, "scheduling_delay": 8_000}
    assert {series.op for series in report.summary} >= {"add", "cancel", "take", "all"}


@pytest.mark.slow
def test_without_a_number_of_commands_a_rate_takes_two_seconds(lowlat: Run) -> None:
    report = report_of(lowlat("bench", "--rate", "500/s", "--runs", "1", "--json"))
    assert report.workload.commands == 1_000


def half_the_ceiling() -> int:
    """A rate that the empty loop reaches even when its CPU is busier than now, but not with an engine."""
    return int(open_loop_ceiling().commands_per_s * 0.5)


def test_a_rate_that_cannot_be_met_is_not_valid_and_says_what_was_reached(lowlat: Run) -> None:
    done = lowlat("bench", "-p", "all-kinds", "--rate", str(half_the_ceiling()), "-n", "200k", "--runs", "1")
    assert done.returncode == ExitCode.NOT_VALID
    assert "invalid run: run 1 achieved" in done.stderr and "(loop ceiling " in done.stderr
    assert "INVALID" in done.stdout and "loop ceiling" in done.stdout


def test_a_rate_above_the_ceiling_of_the_loop_is_refused_before_the_first_run(lowlat: Run) -> None:
    """An hour of commands is not run to find that no engine could keep up."""
    done = lowlat("bench", "--rate", "900M", "-n", "50k", "--runs", "1000")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert "a rate of 900 M/s is above the ceiling of the open loop: around an engine" in done.stderr
    assert "use a lower rate, or measure throughput in a closed loop" in done.stderr


def test_the_ceiling_of_the_loop_is_in_the_report(once: Run) -> None:
    report = report_of(once(*AT_A_RATE))
    assert report.load.loop_ceiling is not None and 1e6 < report.load.loop_ceiling < 1e9
    assert report.hot_path.memory["timestamps"] >= 4_000 * 16
    assert report.runs[0].os_noise.largest_gap_ns is not None


def test_the_profile_burst_is_an_open_loop_of_its_own(lowlat: Run) -> None:
    report = report_of(lowlat("bench", "-p", "burst", "--rate", "20k", "-n", "4k", "--runs", "1", "--json"))
    assert (report.load.model, report.load.arrivals, report.load.target_rate) == ("open", "burst", 20_000)


def test_arrivals_may_be_other_than_the_profiles(lowlat: Run) -> None:
    report = report_of(
        lowlat("bench", "-p", "burst", "--arrivals", "poisson", "--rate", "20k", "-n", "2k", "--runs", "1", "--json")
    )
    assert report.load.arrivals == "poisson"


def test_a_sweep_is_a_document_of_reports_at_rising_rates(lowlat: Run) -> None:
    done = lowlat("bench", "--sweep", "5k:80k:3", "-n", "2k", "--runs", "1", "--json")
    sweep = sweep_from_text(done.stdout)
    rates = [point.load.target_rate for point in sweep.points]
    assert set(rates) >= {5_000, 20_000, 80_000} and rates == sorted(rates)
    assert len(sweep.order) == sum(len(point.runs) for point in sweep.points)
    assert sweep.objective_rule.startswith("p99 at most 1,000 times the median service time")
    codes = {"ok": ExitCode.OK, "inconclusive": ExitCode.INCONCLUSIVE, "invalid": ExitCode.NOT_VALID}
    assert done.returncode == codes[sweep.status]
    assert all(run.waited_ns is not None for point in sweep.points for run in point.runs), "it leaves waits out"


@pytest.mark.slow
def test_rates_above_the_loops_own_ceiling_end_a_sweep(lowlat: Run) -> None:
    """No loop sends a command each nanosecond."""
    done = lowlat("bench", "--sweep", "5k:1G:2", "-n", "2k", "--runs", "1", "--objective", "p99=1h", "--json")
    sweep = sweep_from_text(done.stdout)
    assert [point.load.target_rate for point in sweep.points] == [5_000]
    assert sweep.loop_ceiling is not None and 5_000 < sweep.loop_ceiling < 1e9
    done = lowlat("bench", "--sweep", "999M:1G:2", "-n", "2k", "--runs", "1")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert "above the ceiling of the open loop" in done.stderr


def test_objectives_are_those_asked_for(lowlat: Run) -> None:
    options = "--objective p99.9=50us --objective p50=1us,p99=10us"
    done = lowlat("bench", "--sweep", "50k:100k:2", "-n", "10k", "--runs", "1", *options.split(), "--json")
    sweep = sweep_from_text(done.stdout)
    assert [(each.percentile, each.limit_ns) for each in sweep.objectives] == [
        ("99.9", 50_000),
        ("50", 1_000),
        ("99", 10_000),
    ]
    assert sweep.objective_rule == "requested"


def test_a_sweep_as_a_table_has_a_row_for_each_rate(lowlat: Run) -> None:
    done = lowlat("bench", "--sweep", "5k:10k:2", "-n", "1k", "--runs", "1")
    assert "5.00 k/s" in done.stdout and "10.0 k/s" in done.stdout and "highest rate" in done.stdout


@pytest.mark.slow
def test_a_pipeline_with_two_producers(lowlat: Run, tmp_path: Path) -> None:
    books = tmp_path / "books"
    done = lowlat("bench", "--pipeline", "--producers", "2", "--dir", books, "-n", "5k", "--runs", "2", "--json", "-v")
    assert done.returncode == ExitCode.OK, done.stderr
    assert f"lowlat book EQUITY --dir {books} --watch" in done.stderr, "-v says how to watch the book"
    load = from_text(done.stdout).load
    assert load.sent == load.acked + load.rejected == 10_000
    assert [path.name for path in books.iterdir()] == ["EQUITY.book"]


@pytest.mark.slow
def test_a_pipeline_without_a_runtime_folder(lowlat: Run, tmp_path: Path) -> None:
    """Its books are in a private folder among the temporary files, where `lowlat book` finds them too."""
    env = {"XDG_RUNTIME_DIR": "", "TMPDIR": str(tmp_path)}
    done = lowlat("bench", "--pipeline", "-n", "2k", "--runs", "1", "-v", env=env)
    assert done.returncode == ExitCode.OK, done.stderr
    assert "lowlat book EQUITY --watch" in done.stderr
    assert "pipeline · 1 producer: 2,000 sent = " in done.stdout
    assert "EQUITY" in lowlat("book", env=env).stdout


@pytest.mark.parametrize(
    ("load", "measure"),
    [((), "service"), (("--rate", "20k"), "response"), (("--pipeline", "--dir", "books"), "service")],
)
def test_the_log_holds_every_sample_of_the_report(
    lowlat: Run, tmp_path: Path, load: tuple[str, ...], measure: str
) -> None:
    report = report_of(lowlat("bench", *load, "-n", "4k", "--runs", "2", "--log", "run.hlog", "--json"))
    reader = HistogramLogReader(str(tmp_path / "run.hlog"), HdrHistogram(1, 2**42, 3))
    counts: dict[str, int] = {}
    while (interval := reader.get_next_interval_histogram()) is not None:
        counts[interval.get_tag()] = counts.get(interval.get_tag(), 0) + interval.get_total_count()
    expected = {f"{measure}/{s.op}": s.count for s in report.summary if s.measure == measure and s.op != "all"}
    reader.close()
    assert counts == expected


def test_a_replay_takes_the_same_loads(lowlat: Run, tmp_path: Path) -> None:
    rows = [f"{34200 + n / 10:.1f},1,{n + 1},50,{5850100 + n * 100},-1" for n in range(40)]
    (tmp_path / "day.csv").write_text("\n".join(rows) + "\n")
    paced = report_of(lowlat("replay", "day.csv", "--rate", "1k", "--runs", "1", "--json"))
    assert (paced.load.model, paced.load.target_rate) == ("open", 1_000)
    done = lowlat("replay", "day.csv", "--pipeline", "--dir", tmp_path / "b", "--runs", "1", "--json")
    assert json.loads(done.stdout)["load"]["model"] == "pipeline"
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["DAY.CSV.book"]


def test_a_log_that_is_no_file_is_refused_before_the_run(lowlat: Run) -> None:
    done = lowlat("bench", "-n", "2k", "--runs", "1", "--log", "/dev/full", "--json")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert "cannot write /dev/full: it is not a regular file" in done.stderr


@pytest.mark.slow
def test_a_thousand_books_fit_into_the_usual_limit_of_open_files(lowlat: Run, tmp_path: Path) -> None:
    code = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(7)[1]))"
    done = lowlat(
        *["bench", "-p", "many-symbols", "--pipeline", "--dir", tmp_path / "b", "-n", "2k", "--runs", "1", "--json"],
        code=code,
    )
    assert done.returncode == ExitCode.OK, done.stderr


@pytest.mark.slow
def test_settings_for_other_invocations_go_unused(lowlat: Run) -> None:
    env = {"LOWLAT_PRODUCERS": "2", "LOWLAT_DIR": "books", "LOWLAT_OBJECTIVE": "p99=1us"}
    assert lowlat("bench", "-n", "1k", "--runs", "1", env=env).returncode == ExitCode.OK
    env = {"LOWLAT_RATE": "1k", "LOWLAT_PIPELINE": "1", "LOWLAT_LOG": "x.hlog"}
    sweep = sweep_from_text(lowlat("bench", "--sweep", "5k:10k:2", "-n", "1k", "--runs", "1", "--json", env=env).stdout)
    assert {point.load.target_rate for point in sweep.points} >= {5_000, 10_000}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--log x.json -o x.json", "--log and -o both name x.json"),
        ("--engine reference --log x.hlog", "the reference engine keeps no interval log"),
        ("--producers 2", "--producers needs a pipeline; add --pipeline"),
        ("--dir books", "--dir needs a pipeline; add --pipeline"),
        ("--arrivals poisson", "--arrivals needs a rate; add --rate, such as --rate 1M"),
        ("--rate 0", "--rate 0 is outside 1..1000000000 commands per second"),
        ("--rate 2G", "--rate 2000000000 is outside 1..1000000000 commands per second"),
        ("--rate fast", "'fast' is not a rate; write 500k/s"),
        ("--rate 1 -n 100k", "take more than a day"),
        ("--arrivals weekly --rate 1k", "'weekly' is not one of 'constant', 'poisson', 'burst'"),
        ("--sweep 1M", "FROM:TO:STEPS"),
        ("--sweep 1k:2k:2 --pipeline", "--sweep sets the open-loop rates itself"),
        ("--objective p99=10us", "--objective needs a sweep; add --sweep, such as --sweep 100k:20M:8"),
        ("--sweep 1k:2k:2 --objective p99", "'p99' is not an objective; write a percentile and a time, such as p99"),
        ("--sweep 1k:2k:2 --objective p99=0us", "'p99=0us' is not an objective (no response takes 0 ns)"),
        ("--sweep 1k:2k:2 --objective p99=nan", "'p99=nan' is not an objective ('nan' is not a duration"),
        ("--sweep 1k:2k:2 --objective p98=1us", "p98 is not a percentile of a report; use one of p50"),
        ("--sweep 1k:2k:2 --objective p99=1us,p99=2us", "p99 has two objectives; keep one"),
        ("--sweep 1k:2k:2 --objective p99=9us,p99.9=8us", "p99 ≤ 9.00 µs and p99.9 ≤ 8.00 µs contradict each other"),
        ("--sweep 1k:2k:2 --objective p99.9=8us", "--commands 1000 is too few for an objective on p99.9"),
        ("--pipeline --producers 0", "0 is outside 1..64"),
        ("--engine reference --rate 1k", "the reference engine runs in a closed loop only"),
        ("--engine reference --pipeline", "the reference engine runs in a closed loop only"),
        ("--log /nowhere/run.hlog", "/nowhere"),
        ("--pipeline --dir /dev/null", "/dev/null is not a directory"),
    ],
)
def test_what_does_not_fit_is_one_line_and_exit_code_2(lowlat: Run, options: str, message: str) -> None:
    done = lowlat("bench", "-n", "1k", "--runs", "1", *options.split())
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert message in done.stderr and done.stderr.count("\n") == 1
