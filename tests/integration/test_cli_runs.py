"""Whole runs of the installed command: only data on stdout, whole files or none, correct exit codes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lowlat.errors import ExitCode
from lowlat.reports.io.json_codec import from_text

Run = Callable[..., subprocess.CompletedProcess[str]]

SHORT = ("bench", "--commands", "2k", "--runs", "1")
RECORDED = """\
34200.1,1,11,50,5850100,-1
34200.2,1,12,70,5850100,-1
34200.3,1,13,30,5849900,1
34200.4,4,11,50,5850100,-1
34200.4,4,12,20,5850100,-1
34200.5,3,13,30,5849900,1
"""
"""Two asks and a bid; one buyer takes the first ask whole and 20 of the second; the bid goes."""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "day_message.csv"
    path.write_text(RECORDED)
    return path


@pytest.mark.parametrize("flags", [("--json",), ("--format", "json")])
def test_json_is_one_valid_document_and_nothing_else(lowlat: Run, flags: tuple[str, ...]) -> None:
    done = lowlat(*SHORT, "--seed", "7", *flags, env={"LOWLAT_NO_KERNEL_PATH": ""})
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    report = from_text(done.stdout)
    assert (report.status, report.workload.seed, report.workload.commands, len(report.runs)) == ("ok", 7, 2_000, 1)
    assert report.command == ("lowlat", *SHORT, "--seed", "7", *flags)
    assert done.stdout.isascii()


def test_a_table_off_a_terminal_is_plain_and_uncut(lowlat: Run) -> None:
    done = lowlat(*SHORT)
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    assert "equity" in done.stdout and "p99.99" in done.stdout and "…" not in done.stdout
    assert "\x1b" not in done.stdout


def test_verbose_reports_progress_on_stderr_only(lowlat: Run) -> None:
    done = lowlat(*SHORT, "--json", "-v")
    assert json.loads(done.stdout)["status"] == "ok"
    assert "lowlat: run 1 of 1 (0%)\n" in done.stderr and "\x1b" not in done.stderr


def test_equal_seeds_give_equal_work_on_both_engines(lowlat: Run) -> None:
    native, reference, other = (
        from_text(lowlat(*SHORT, "--json", *more).stdout) for more in ([], ["--engine", "reference"], ["--seed", "2"])
    )
    assert native.workload.hash == reference.workload.hash != other.workload.hash
    digests = [report.verification and report.verification.digest for report in (native, reference, other)]
    assert digests[0] is not None and digests[0] == digests[1] != digests[2]


def test_a_file_named_json_takes_the_document_and_stdout_the_table(lowlat: Run, tmp_path: Path) -> None:
    done = lowlat(*SHORT, "-o", "report.json")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "lowlat: wrote report.json\n")
    assert from_text((tmp_path / "report.json").read_text()).status == "ok"
    assert "p99.99" in done.stdout
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


def test_another_file_takes_what_would_be_printed(lowlat: Run, tmp_path: Path) -> None:
    done = lowlat(*SHORT, "-o", "report.txt", env={"FORCE_COLOR": "1"})
    assert (done.returncode, done.stdout) == (ExitCode.OK, "")
    assert "p99.99" in (tmp_path / "report.txt").read_text() and "\x1b" not in (tmp_path / "report.txt").read_text()
    done = lowlat(*SHORT, "--json", "-o", "report")
    assert done.stdout == "" and from_text((tmp_path / "report").read_text()).status == "ok"


def test_an_unwritable_file_is_found_before_anything_runs(patched: Run, tmp_path: Path) -> None:
    """Also for root, who ignores permissions: a folder is in the place of the file."""
    (tmp_path / "taken").mkdir()
    unreachable = (
        "from lowlat.engine.bench import run\ndef measure(*_):\n    raise AssertionError\nrun.measure = measure"
    )
    done = patched(unreachable, *SHORT, "-o", "taken")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr == "lowlat: error: cannot write taken: it is a directory; name a file in it\n"


def test_a_run_that_is_not_valid_is_printed_and_ends_with_3(patched: Run) -> None:
    code = """
import dataclasses, lowlat.engine.bench.run
real = lowlat.engine.bench.run.measure
def measure(*arguments):
    return dataclasses.replace(real(*arguments), status="invalid", status_reasons=("planted",))
lowlat.engine.bench.run.measure = measure
"""
    done = patched(code, *SHORT, "--json")
    assert (done.returncode, done.stderr) == (ExitCode.NOT_VALID, "lowlat: invalid run: planted\n")
    assert from_text(done.stdout).status_reasons == ("planted",)


def test_a_reader_that_goes_away_is_no_error(lowlat: Run) -> None:
    read, write = os.pipe()
    os.close(read)
    for arguments in ((*SHORT, "--json"), SHORT, ("--help",)):
        done = lowlat(*arguments, stdout=write)
        assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    os.close(write)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_an_error(lowlat: Run) -> None:
    with Path("/dev/full").open("w") as full:
        done = lowlat(*SHORT, "--json", stdout=full)
    assert done.returncode == ExitCode.USAGE
    assert done.stderr.startswith("lowlat: error: cannot write to stdout: No space left on device; ")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_what_was_written_before_stdout_failed_is_whole_and_told(lowlat: Run, recording: Path, tmp_path: Path) -> None:
    table, project = tmp_path / "day.parquet", tmp_path / "engine"
    for arguments in (("convert", recording, table), ("init-engine", project)):
        with Path("/dev/full").open("w") as full:
            done = lowlat(*arguments, stdout=full)
        assert done.returncode == ExitCode.USAGE and done.stderr.count("\n") == 1
        assert done.stderr.endswith(f"No space left on device; {arguments[-1]} is complete\n")
    assert lowlat("convert", table, tmp_path / "again.csv").returncode == ExitCode.OK
    assert (project / "README.md").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stderr_does_not_change_the_exit_code(cold: Run) -> None:
    """In an interpreter of its own: it is one that ends which fails to write the rest."""
    with Path("/dev/full").open("w") as full:
        done = cold("report", "none.json", "--debug", stderr=full, env={"PYTHONUNBUFFERED": ""})
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")


@pytest.mark.parametrize("module", ["dataclasses", "platform"])
def test_a_module_of_another_that_fails_is_never_a_regression(cold: Run, tmp_path: Path, module: str) -> None:
    """Its name hides one of the standard library, which errors are put into words with, or the parser needs."""
    (tmp_path / f"{module}.py").write_text("raise RuntimeError('mine')")
    done = cold("report", "none.json", env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == ExitCode.INTERNAL
    assert done.stderr.startswith("lowlat: internal error: RuntimeError: mine; ") and done.stderr.count("\n") == 1


def test_a_terminal_without_unicode_gets_a_table(lowlat: Run) -> None:
    done = lowlat(*SHORT, env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (ExitCode.OK, "") and "p99.99" in done.stdout


def test_replay_is_checked_against_the_venues_fills(lowlat: Run, recording: Path) -> None:
    done = lowlat("replay", recording, "--format", "lobster", "--json", "--runs", "1")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    verification = json.loads(done.stdout)["verification"]
    assert (verification["matched"], verification["bursts"], verification["quotes"]) == (1, 1, None)


def test_replay_compares_quotes_and_lists_what_differs(lowlat: Run, recording: Path, tmp_path: Path) -> None:
    (tmp_path / "book.csv").write_text(
        "5850100,50,0,0\n5850100,120,0,0\n5850100,120,5849900,30\n"
        "5850100,70,5849900,30\n5850100,50,5849900,30\n5850100,51,0,0\n"  # the last ask is wrong by a share
    )
    done = lowlat("replay", recording, "--expect", "book.csv", "--runs", "1", "-v")
    assert done.returncode == ExitCode.OK
    assert "1 of 1 recorded bursts filled as on the venue (100.000%)" in " ".join(done.stdout.split())
    assert "4 of 5 best bids and asks match the vendor's file (80.000%)" in " ".join(done.stdout.split())
    assert "row 6: this best bid and ask is not in the vendor's file" in done.stdout.splitlines()


def test_replay_of_a_file_of_one_level_says_so_and_counts_ghosts(lowlat: Run, tmp_path: Path) -> None:
    """Of the first ask, no row tells that it went while a better one was there; an execution behind it does."""
    (tmp_path / "XYZ_day_message_1.csv").write_text(
        "34200.1,1,11,50,5850100,-1\n34200.2,1,12,70,5850000,-1\n34200.3,4,12,70,5850000,-1\n"
        "34200.4,1,13,10,5850100,-1\n34200.5,4,13,10,5850100,-1\n"
    )
    done = lowlat("replay", "XYZ_day_message_1.csv", "--runs", "1")
    assert done.returncode == ExitCode.OK
    assert done.stdout.startswith("XYZ_day_message_1.csv, 1 level  native engine")
    words = " ".join(done.stdout.split())
    assert "ghosts removed: executions pass over them, and no later row names them: 1" in words
    assert "2 of 2 recorded bursts filled as on the venue (100.000%)" in words


def test_a_recording_of_hidden_executions_has_nothing_to_replay(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text("34200.0,5,0,10,5850000,1\n34201.0,5,0,10,5850000,-1\n")
    done = lowlat("replay", "day.csv")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr == "lowlat: error: day.csv: nothing to replay: 2 hidden executions\n"


@pytest.mark.parametrize(
    ("row", "message"),
    [("34200.6,1,14,50,58501", "row 7"), ("34200.6,1,14,fifty,5850100,-1", "row 7, column size: 'fifty'")],
)
def test_a_garbled_recording_is_named_by_row(lowlat: Run, recording: Path, row: str, message: str) -> None:
    recording.write_text(RECORDED + row + "\n")
    done = lowlat("replay", recording, "--json")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert message in done.stderr and done.stderr.count("\n") == 1
