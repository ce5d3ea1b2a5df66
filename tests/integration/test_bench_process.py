"""`lowlat bench` and `lowlat league` measure an engine that runs as a process, and show no wrong one as valid."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import jsonschema
import pytest

from lowlat.documents import published
from lowlat.errors import ExitCode
from tests.foreign import processes

Lowlat = Callable[..., CompletedProcess[str]]
FLOW = "live_orders = 100\n[mix]\nadd = 50\ncancel = 40\ntake = 10\n"
SHORT = ("-n", "300", "-p", "mine.toml", "--no-lock", "--runs")


@pytest.fixture(autouse=True)
def flow(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(FLOW)


def test_right_engine_is_measured_beside_its_transport(lowlat: Lowlat, tmp_path: Path) -> None:
    done = lowlat("bench", *SHORT, "1", "--engine", processes.simple_book(), "-o", "mine.json")
    assert done.returncode == ExitCode.OK, done.stderr
    assert "an echo takes" in done.stdout and "simple book in Python engine" in done.stdout
    report = json.loads((tmp_path / "mine.json").read_text())
    jsonschema.Draft202012Validator(published("lowlat.report/1")).validate(report)
    told, check, (run,) = report["engine"]["process"], report["verification"]["native"], report["runs"]
    assert (told["command"], told["language"]) == (processes.simple_book(), "Python")
    assert min(told[name] for name in ("echo_ns", "batched_echo_ns", "echo_cpu_ns", "batched_echo_cpu_ns")) > 0
    assert check["difference"] is None and check["events"] == report["verification"]["events"] > 400
    assert run["throughput"]["cpu_ns"] > 0 and run["one_at_a_time"]["cpu_ns"] > 0
    assert run["one_at_a_time"]["wall_ns"] > run["throughput"]["wall_ns"]
    assert sum(series["count"] for series in report["summary"] if series["op"] == "all") == 300
    assert run["os_noise"]["voluntary_switches"] is None
    assert "waits for the engine's process" in report["not_available"]["runs.os_noise.voluntary_switches"]
    assert lowlat("report", "mine.json").returncode == ExitCode.OK
    for form in ("md", "html"):
        assert lowlat("report", "mine.json", "-o", f"mine.{form}").returncode == ExitCode.OK
        assert "an echo takes" in (tmp_path / f"mine.{form}").read_text()


@pytest.mark.parametrize("load", [(), pytest.param(("--rate", "2k"), marks=pytest.mark.slow)])
def test_engine_behind_rings_is_measured(lowlat: Lowlat, load: tuple[str, ...]) -> None:
    done = lowlat("bench", *SHORT, "1", "--engine", processes.ring_book(), "--json", *load)
    assert done.returncode in (ExitCode.OK, ExitCode.NOT_VALID), done.stderr  # a busy host misses rates
    report = json.loads(done.stdout)
    told, check = report["engine"]["process"], report["verification"]["native"]
    assert set(report["status_reasons"]) <= set(report["load"]["missed"])
    assert (told["transport"], told["language"]) == ("ring", "C++")
    assert min(told["echo_ns"], told["batched_echo_ns"], told["echo_cpu_ns"]) > 0
    assert check["difference"] is None and check["events"] == report["verification"]["events"] > 400
    assert report["runs"][0]["throughput"]["cpu_ns"] > 0


def test_wrong_engine_is_invalid_in_the_first_line(lowlat: Lowlat, tmp_path: Path) -> None:
    done = lowlat("bench", *SHORT, "1", "--engine", processes.broken("last-in-first-out", tmp_path))
    assert done.returncode == ExitCode.NOT_VALID
    assert "simple book in Python executes other trades than the native engine from" in done.stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("engine", "more", "code", "said"),
    [
        (lambda: processes.bad("crashes"), (), ExitCode.NOT_VALID, "was killed by SIGSEGV at command 5"),
        (lambda: processes.bad("garbage"), (), ExitCode.NOT_VALID, "gives no answer but"),
        (lambda: processes.ring_book("crashes"), (), ExitCode.NOT_VALID, "was killed by SIGSEGV at command 5"),
        (processes.ring_book, ("--pipeline",), ExitCode.USAGE, "a pipeline is of the native engine"),
        (processes.simple_book, ("--rate", "1k"), ExitCode.USAGE, "runs in a closed loop only"),
        (processes.simple_book, ("--pipeline",), ExitCode.USAGE, "runs in a closed loop only"),
        (lambda: "ndjson:./nothing", (), ExitCode.USAGE, "there is no such program"),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    lowlat: Lowlat, engine: Callable[[], str], more: tuple[str, ...], code: int, said: str
) -> None:
    done = lowlat("bench", *SHORT, "1", "--engine", engine(), *more)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_a_league_has_processes_too(lowlat: Lowlat) -> None:
    engines = ("native", processes.simple_book(), processes.ring_book(), processes.bad("crashes"))
    done = lowlat("league", *engines, *SHORT, "1", "--json")
    assert done.returncode == ExitCode.NOT_VALID, done.stderr
    league = json.loads(done.stdout)
    jsonschema.Draft202012Validator(published("lowlat.league/1")).validate(league)
    assert [engine["kind"] for engine in league["engines"]] == ["compiled", "process", "process", "process"]
    assert league["engines"][1]["memory_growth_bytes"] > 0
    native, right, rings, crashing = league["tables"][0]["entries"]
    assert right["outcome"] == "verified" and right["figures"]["batched_cpu_ns"] > native["figures"]["batched_cpu_ns"]
    assert rings["outcome"] == "verified" and right["figures"]["call_ns"] > rings["figures"]["call_ns"] > 0
    assert crashing["outcome"] == "failed" and "SIGSEGV" in crashing["reason"]
