"""Verbs that measure wait for one another on a host; Ctrl-C, --wait and --no-lock end or avoid the wait."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lowlat import host_lock
from lowlat.errors import ExitCode
from lowlat_cli.app import run
from lowlat_cli.errors import Outcome
from lowlat_cli.session import Session
from tests.waiting import PATIENCE_S

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]

DAY = "34200.1,1,11,50,5850100,-1\n34200.2,1,12,70,5850100,-1\n34200.3,4,11,50,5850100,-1\n"
MEASURING = (
    "bench -n 500 --runs 1",
    "bench --sweep 1k:2k:2 --runs 2",
    "replay day.csv --runs 1",
    "ab --a=-n500 --b=-n500 --runs 2",
    "calibrate --duration 10ms",
    "topology --measure",
)
HOLDING = """
import sys
with measuring_alone("lowlat bench", 0, print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lock"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@pytest.fixture
def using(lock_folder: Path) -> str:
    """Code by which a process uses a lock of our own."""
    return (
        f"from pathlib import Path\nfrom lowlat import host_lock\nhost_lock.FOLDERS = (Path({str(lock_folder)!r}),)\n"
        "from lowlat.host_lock import measuring_alone\n"
    )


@pytest.fixture
def holder(using: str) -> Iterator[subprocess.Popen[str]]:
    """A process that measures until its stdin is closed."""
    command = [sys.executable, "-P", "-c", using + HOLDING]
    with subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture
def here(
    lock_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], tuple[int, str]]:
    """Run the command line in this process; return its exit code and stderr."""
    (tmp_path / "day.csv").write_text(DAY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOWLAT_NO_LOCK")
    monkeypatch.setattr(host_lock, "FOLDERS", (lock_folder,))

    def ended(line: str) -> tuple[int, str]:
        session = Session()
        with Outcome(session) as outcome:
            outcome.exit_code = run(line.split(), session)
        return outcome.exit_code, capsys.readouterr().err

    return ended


@pytest.mark.parametrize("line", MEASURING)
def test_each_verb_that_measures_waits(
    holder: subprocess.Popen[str], here: Callable[[str], tuple[int, str]], line: str
) -> None:
    code, told = here(f"{line} --wait 0s")
    assert code == ExitCode.USAGE
    assert told.startswith(f"lowlat: error: lowlat bench (process {holder.pid}, since 20")
    assert told.endswith("still measures on this host; --wait longer, or measure beside it with --no-lock\n")


@pytest.mark.usefixtures("holder")
@pytest.mark.parametrize("line", ["calibrate --duration 10ms --no-lock", "topology", "profile list", "bench --help"])
def test_who_does_not_measure_alone_does_not_wait(here: Callable[[str], tuple[int, str]], line: str) -> None:
    assert here(line) == (0, "")


@pytest.mark.usefixtures("holder")
@pytest.mark.parametrize("line", ["ablate --engine ndjson:./mine", "ablate -p steady --engine ndjson:./mine"])
def test_who_cannot_be_measured_does_not_wait(here: Callable[[str], tuple[int, str]], line: str) -> None:
    code, told = here(f"{line} --wait 0s")
    assert (code, told.count("is a process, whose memory, priority")) == (ExitCode.USAGE, 1)


@pytest.mark.usefixtures("holder")
@pytest.mark.parametrize("options", ["", " --mode rebuild", " bad.csv"])
def test_a_bad_recording_is_told_without_a_wait(
    here: Callable[[str], tuple[int, str]], tmp_path: Path, options: str
) -> None:
    (tmp_path / "bad.csv").write_text(DAY + "34200.4,9,11,50,5850100,-1\n")
    code, told = here(f"replay bad.csv --wait 0s{options}")
    assert (code, told.count("bad.csv, row 4, column type: '9' is not a type")) == (
        ExitCode.USAGE,
        1 + told.count("; "),
    )


@pytest.mark.usefixtures("holder")
@pytest.mark.parametrize("verb", ["bench", "replay day.csv", "ablate"])
def test_an_engine_that_cannot_be_loaded_is_told_without_a_wait(
    here: Callable[[str], tuple[int, str]], tmp_path: Path, verb: str
) -> None:
    (tmp_path / "bad.so").write_bytes(b"no library")
    code, told = here(f"{verb} --engine ./bad.so --wait 0s")
    assert code == ExitCode.USAGE and "bad.so" in told and "still measures" not in told


@pytest.mark.usefixtures("holder")
def test_the_environment_can_do_without(
    here: Callable[[str], tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOWLAT_WAIT", "0s")
    assert here("calibrate --duration 10ms")[0] == ExitCode.USAGE
    monkeypatch.setenv("LOWLAT_NO_LOCK", "1")
    assert here("calibrate --duration 10ms") == (0, "")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)]
)
def test_a_signal_ends_the_wait(
    start: Start, holder: subprocess.Popen[str], using: str, number: signal.Signals, code: ExitCode
) -> None:
    with start("bench", "-n", "500", code=using, env={"LOWLAT_NO_LOCK": ""}) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(f"lowlat: waiting for lowlat bench (process {holder.pid}, since ")
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, err) == (code, "", "lowlat: interrupted before any result\n")


def test_it_measures_when_the_other_has_ended(start: Start, holder: subprocess.Popen[str], using: str) -> None:
    with start("calibrate", "--duration", "10ms", code=using, env={"LOWLAT_NO_LOCK": ""}) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("lowlat: waiting for lowlat bench ")
        assert holder.stdin is not None
        holder.stdin.close()
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (0, "") and "frequency" in out


@pytest.mark.slow
def test_the_runs_of_ab_do_not_wait_for_ab(lowlat: Run, using: str) -> None:
    """Each side measures with the same lock, as the runs of --a and --b do, and finds that `ab` holds it."""
    program = f"import sys\n{using}\nfrom lowlat_cli.main import main\nsys.exit(main())"
    side = shlex.join([sys.executable, "-P", "-c", program, "calibrate", "--duration", "10ms", "--wait", "0s"])
    sides = ("--", "sh", "-c", f"{side} && :") * 2
    done = lowlat(
        "ab", "--metric", "wall", "--runs", "2", "-q", "--json", *sides, code=using, env={"LOWLAT_NO_LOCK": ""}
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout[-500:]
