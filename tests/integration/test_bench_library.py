"""`lowlat bench --engine ./lib.so` measures right engines, and shows no wrong one as valid."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from lowlat.errors import ExitCode
from tests.foreign import libraries

Lowlat = Callable[..., CompletedProcess[str]]
SHORT = ("-n", "2k", "--runs", "2", "-p", "steady", "--no-lock")


def test_right_engine_is_measured_and_every_event_compared(lowlat: Lowlat, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.json", tmp_path / "theirs.json"
    assert lowlat("bench", *SHORT, "-o", ours).returncode == ExitCode.OK
    done = lowlat("bench", *SHORT, "-o", theirs, "--engine", libraries.simple_book())
    assert done.returncode == ExitCode.OK, done.stderr
    report, native = json.loads(theirs.read_text()), json.loads(ours.read_text())
    told, check = report["engine"]["library"], report["verification"]["native"]
    assert report["engine"]["name"] == "simple book" and told["events"] == "callback"
    assert told["call_ns"] > 0 and told["batched_call_ns"] > 0
    assert check["events"] == report["verification"]["events"] and check["difference"] is None
    assert check["commands"] == report["workload"]["seeded"] + report["workload"]["commands"]
    assert report["verification"]["digest"] == native["verification"]["digest"]
    assert native["engine"]["library"] is None and native["verification"]["native"] is None
    assert lowlat("report", theirs).returncode == ExitCode.OK


def test_engine_that_fills_a_buffer_is_measured(lowlat: Lowlat) -> None:
    done = lowlat("bench", *SHORT, "--json", "--engine", libraries.simple_book_in_c())
    assert done.returncode == ExitCode.OK, done.stderr
    report = json.loads(done.stdout)
    assert report["engine"]["library"]["events"] == "buffer"
    assert report["verification"]["native"]["not_compared"] == ["reason", "trade_id"]


@pytest.mark.parametrize("load", [("--rate", "50k"), pytest.param(("--sweep", "20k:80k:2"), marks=pytest.mark.slow)])
def test_engine_is_measured_under_other_loads(lowlat: Lowlat, load: tuple[str, ...]) -> None:
    done = lowlat("bench", *SHORT, *load, "--json", "--engine", libraries.simple_book())
    assert done.returncode in (ExitCode.OK, ExitCode.NOT_VALID), done.stderr  # a busy host misses rates
    document = json.loads(done.stdout)
    for report in document.get("points", [document]):
        assert (report["engine"]["name"], report["load"]["model"]) == ("simple book", "open")
        assert set(report["status_reasons"]) <= set(report["load"]["missed"])
        check = report["verification"]["native"]
        assert check["difference"] is None and check["events"] == report["verification"]["events"] > 0


@pytest.mark.parametrize(
    "fault", [pytest.param("last-in-first-out", marks=pytest.mark.slow), "partial-fill-loses-its-place"]
)
def test_wrong_engine_is_invalid_in_the_first_line(lowlat: Lowlat, fault: str) -> None:
    done = lowlat("bench", *SHORT, "--engine", libraries.broken(fault))
    assert done.returncode == ExitCode.NOT_VALID
    assert "simple book executes other trades than the native engine from event" in done.stdout.splitlines()[0]


def test_leak_is_shown_and_no_leak_is_not(lowlat: Lowlat) -> None:
    leaking = lowlat("bench", *SHORT, "--json", "--engine", libraries.bad("leaks"))
    tight = lowlat("bench", *SHORT, "--json", "--engine", libraries.simple_book())
    growths = [json.loads(done.stdout)["engine"]["library"]["heap_growth_bytes"] for done in (leaking, tight)]
    assert growths[0] >= 64 * 2_000 > growths[1]


@pytest.mark.parametrize("name", [pytest.param("prints", marks=pytest.mark.slow), "prints_errors"])
def test_library_that_prints_spoils_nothing(lowlat: Lowlat, name: str) -> None:
    done = lowlat("bench", *SHORT, "--json", "--engine", libraries.bad(name))
    assert done.returncode == ExitCode.OK, done.stderr
    assert json.loads(done.stdout)["status"] == "ok"


@pytest.mark.parametrize("name", ["crashes", "overflows_stack", "exits", "exits_with_70", "crashes_in_destroy"])
def test_library_that_ends_its_process_is_named(lowlat: Lowlat, name: str) -> None:
    library = libraries.bad(name)
    done = lowlat("bench", *SHORT, "--engine", library)
    assert (done.returncode, done.stdout) == (ExitCode.NOT_VALID, "")
    assert str(library) in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def test_commands_that_the_engine_does_not_take_are_named(lowlat: Lowlat) -> None:
    done = lowlat("bench", "-n", "2k", "-p", "all-kinds", "--engine", libraries.simple_book())
    assert done.returncode == ExitCode.USAGE
    assert "simple book does not take what all-kinds has: STOPS (" in done.stderr


@pytest.mark.parametrize("options", [("--pipeline",), ("--journal", "x.journal")])
def test_what_only_the_native_engine_has_is_refused(lowlat: Lowlat, options: tuple[str, ...]) -> None:
    done = lowlat("bench", *SHORT, *options, "--engine", libraries.simple_book())
    assert done.returncode == ExitCode.USAGE and "native engine" in done.stderr
