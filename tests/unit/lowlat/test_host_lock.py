"""Two measurements never hold the lock at once; one that waits knows for whom, and is let in however the other ends."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lowlat import file_lock, host_lock
from lowlat.errors import UsageError
from lowlat.host_lock import lock_file, measuring_alone
from tests.waiting import PATIENCE_S

HOLDING = """
import os, sys
from pathlib import Path
from lowlat import host_lock
host_lock.FOLDERS = (Path(sys.argv[1]),)
os.setuid(int(sys.argv[3]))
with host_lock.measuring_alone(sys.argv[2], 0, print):
    print("held", flush=True)
    sys.stdin.read()
"""
TAKING_TURNS = """
import sys
from pathlib import Path
from lowlat import host_lock
folder = Path(sys.argv[1])
host_lock.FOLDERS, host_lock.POLL_S = (folder,), 0.001
for _ in range(20):
    with host_lock.measuring_alone("many", float(sys.argv[2]), lambda line: None):
        (folder / "inside").touch(exist_ok=False)
        (folder / "inside").unlink()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o1777)
    monkeypatch.setattr(host_lock, "FOLDERS", (tmp_path,))
    return tmp_path


@contextmanager
def another(folder: Path, user: int = os.getuid()) -> Iterator[subprocess.Popen[str]]:
    """Another process, which holds the lock until its stdin is closed."""
    command = [sys.executable, "-P", "-c", HOLDING, str(folder), "lowlat bench", str(user)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def refused(wait_s: float = 0) -> str:
    told: list[str] = []
    with pytest.raises(UsageError) as refusal, measuring_alone("lowlat calibrate", wait_s, told.append):
        pass
    assert told == []
    return str(refusal.value)


def test_who_waits_is_told_for_whom_and_goes_on_when_the_other_ends(folder: Path) -> None:
    with another(folder) as holder:
        assert line_of(holder) == "held"
        told: list[str] = []
        ended = threading.Event()

        def tell(line: str) -> None:
            told.append(line)
            assert holder.poll() is None
            assert holder.stdin is not None
            holder.stdin.close()  # it ends
            ended.set()

        with measuring_alone("lowlat calibrate", PATIENCE_S, tell):
            assert ended.is_set() and holder.wait(PATIENCE_S) == 0
            assert "calibrate" in lock_file().read_text()
        assert len(told) == 1
        assert told[0].startswith(f"waiting for lowlat bench (process {holder.pid}, since 20")
        assert told[0].endswith("), which measures on this host; --no-lock measures beside it")


def test_a_wait_ends_at_its_limit(folder: Path) -> None:
    with another(folder) as holder:
        assert line_of(holder) == "held"
        assert refused().startswith(f"lowlat bench (process {holder.pid}, since ")
        assert refused().endswith(") still measures on this host; --wait longer, or measure beside it with --no-lock")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_lock_is_left_by_a_holder_that_is_killed(folder: Path, number: int) -> None:
    with another(folder) as holder:
        assert line_of(holder) == "held"
        holder.send_signal(number)
        holder.wait(PATIENCE_S)
    assert lock_file().read_text().startswith(f"{holder.pid}\t")
    with measuring_alone("lowlat bench", 0, pytest.fail):
        pass


def test_of_many_only_one_holds_it(folder: Path) -> None:
    command = [sys.executable, "-P", "-c", TAKING_TURNS, str(folder), str(PATIENCE_S)]
    several = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    assert [process.communicate(timeout=PATIENCE_S)[1] for process in several] == [b""] * 4


def test_a_measurement_inside_of_the_holder_does_not_wait_for_it(folder: Path) -> None:
    """As those that `lowlat ab` starts, also through a shell."""
    inner = f"{sys.executable} -P -c '{HOLDING}' {folder} inner {os.getuid()} < /dev/null; exit $?"
    with measuring_alone("lowlat ab", 0, pytest.fail):
        done = subprocess.run(["sh", "-c", inner], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert (done.stdout, done.stderr) == ("held\n", "")


def test_a_process_with_the_id_of_an_ancestor_is_none_if_it_started_at_another_time(folder: Path) -> None:
    with another(folder) as holder:
        assert line_of(holder) == "held"
        lock_file().write_text(lock_file().read_text().replace(str(holder.pid), str(os.getppid()), 1))
        assert refused().startswith(f"lowlat bench (process {os.getppid()}, since ")


@pytest.mark.parametrize("text", ["", "12", "1\t2\t3\t\x1b[2J\n4", "9" * 300, "1\t2\t99999999999999\tx\n", "\x00" * 99])
def test_a_file_that_does_not_name_its_holder_is_a_lock_all_the_same(folder: Path, text: str) -> None:
    with another(folder) as holder:
        assert line_of(holder) == "held"
        lock_file().write_text(text)
        assert refused().startswith("another measurement still measures on this host; ")


def test_who_has_released_it_is_not_taken_for_the_next_holder() -> None:
    with measuring_alone("lowlat bench", 0, pytest.fail):
        pass
    with lock_file().open("r+") as next_one:  # which has not named itself
        assert file_lock.lock(next_one.fileno())
        assert refused().startswith("another measurement still measures on this host; ")


def test_who_removes_the_file_does_not_break_the_next_lock(folder: Path) -> None:
    with measuring_alone("lowlat bench", 0, pytest.fail):
        lock_file().unlink()
    with measuring_alone("lowlat bench", 0, pytest.fail), another(folder) as other:
        # Its ancestor is the holder: this one.
        assert line_of(other) == "held"
    with another(folder) as other:
        assert line_of(other) == "held"
        assert refused().startswith("lowlat bench")


def test_every_user_can_take_it(folder: Path) -> None:
    before = os.umask(0o077)
    try:
        with measuring_alone("lowlat bench", 0, pytest.fail):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE(lock_file().stat().st_mode) == 0o666


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_users_wait_for_each_other() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o1777)
        host_lock.FOLDERS = (folder,)  # type: ignore[misc]
        with another(folder, user=65_534) as holder:
            assert line_of(holder) == "held"
            assert refused().startswith(f"lowlat bench (process {holder.pid}, since ")
        lock_file().unlink()
        with another(folder) as holder:
            assert line_of(holder) == "held"
            with another(folder, user=65_534) as other:
                assert other.stderr is not None
                assert f"lowlat bench (process {holder.pid}, since " in other.stderr.read()


@pytest.mark.parametrize("plant", ["link", "folder", "pipe", "no folder"])
def test_where_there_can_be_no_lock_it_measures_and_says_so(folder: Path, plant: str) -> None:
    victim = folder / "victim"
    victim.write_text("precious")
    match plant:
        case "link":
            lock_file().symlink_to(victim)
        case "folder":
            lock_file().mkdir()
        case "pipe":
            os.mkfifo(lock_file())
        case _:
            host_lock.FOLDERS = (folder / "missing",)  # type: ignore[misc]
    told: list[str] = []
    with measuring_alone("lowlat bench", 0, told.append):
        pass
    assert len(told) == 1
    assert told[0].startswith(f"measuring without the lock that keeps others from the same CPU: {lock_file()}: ")
    assert victim.read_text() == "precious"


def test_the_place_is_the_same_for_all_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It follows from what a folder allows everybody, not from what it allows this user."""
    ours, everybodys = tmp_path / "lock", tmp_path / "tmp"
    ours.mkdir(mode=0o755)
    everybodys.mkdir()
    everybodys.chmod(0o1777)
    monkeypatch.setattr(host_lock, "FOLDERS", (tmp_path / "missing", ours, everybodys))
    assert lock_file().parent == everybodys
    ours.chmod(0o777)  # without the sticky bit, anybody could remove the file
    assert lock_file().parent == everybodys
    ours.chmod(0o1777)
    assert lock_file().parent == ours
