"""Pinning a process pins all its threads; a command that replaces us keeps its exit code and signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lowlat.errors import CommandStartError, ExitCode
from lowlat.probes.cpu import threads
from lowlat.probes.cpu.threads import become, pin_process, set_realtime, threads_of
from lowlat.probes.errors import AffinityError
from lowlat.probes.host.host_tree import FolderTree

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this platform does not pin")


def test_threads_of_this_process() -> None:
    started, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: (started.set(), done.wait()))
    thread.start()
    started.wait()
    try:
        found = {entry.tid: entry for entry in threads_of(os.getpid())}
    finally:
        done.set()
        thread.join()
    assert {os.getpid(), thread.native_id} <= set(found)
    own = found[threading.get_native_id()]
    assert set(own.cpus) == os.sched_getaffinity(0)
    assert own.last_cpu in range(os.cpu_count() or 1)
    assert own.scheduler == "other"


def test_name_with_blanks_and_parentheses(tmp_path: Path) -> None:
    folder = tmp_path / "proc/7/task/7"
    folder.mkdir(parents=True)
    # Fields 3 to 41: each is its own number, the policy (41) is 1.
    stat = "7 (a) (b c) " + " ".join(str(field) for field in range(3, 41)) + " 1 0\n"
    for path in (folder / "stat", tmp_path / "proc/7/stat"):
        path.write_text(stat)
    (folder / "status").write_text("Name:\ta\nCpus_allowed_list:\t0-2\nMems_allowed_list:\t0,8\n")
    (entry,) = threads_of(7, FolderTree(tmp_path))
    assert entry.name == "a) (b c"
    assert (entry.cpus, entry.memory_nodes) == ((0, 1, 2), (0, 8))
    assert (entry.last_cpu, entry.realtime_priority, entry.scheduler) == (39, 40, "fifo")


def test_process_that_ended() -> None:
    with pytest.raises(AffinityError, match="process 4194999 does not exist; check the process ID"):
        threads_of(4_194_999)


def test_every_thread_of_a_process_is_pinned() -> None:
    cpu = min(os.sched_getaffinity(0))
    program = (
        "import sys, threading\n"
        "done = threading.Event()\n"
        "for _ in range(3): threading.Thread(target=done.wait).start()\n"
        "print('ready', flush=True); sys.stdin.read(); done.set()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        child.stdout.readline()
        found = pin_process(child.pid, [cpu])
        child.stdin.close()
    assert len(found) == 4
    assert all(entry.cpus == (cpu,) for entry in found)


def test_process_that_breeds_threads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    count = iter(range(1_000, 2_000))
    entry = threads_of(os.getpid())[0]
    monkeypatch.setattr(threads, "threads_of", lambda pid: (type(entry)(next(count), "x", (), None, None, None, ()),))
    monkeypatch.setattr(threads, "pin", lambda cpus, tid: cpus)
    with pytest.raises(AffinityError, match="faster than they can be pinned"):
        pin_process(os.getpid(), [0])


def in_child(code: str) -> subprocess.CompletedProcess[str]:
    """Run code that replaces its process."""
    program = f"from lowlat.probes.cpu.threads import become\n{code}"
    return subprocess.run([sys.executable, "-P", "-c", program], check=False, capture_output=True, text=True)


def test_command_takes_over_with_its_cpus_and_exit_code() -> None:
    cpu = max(os.sched_getaffinity(0))
    show = f"{sys.executable!r}, '-c', 'import os; print(*os.sched_getaffinity(0)); raise SystemExit(7)'"
    done = in_child(f"become([{show}], cpus=[{cpu}])")
    assert done.stdout == f"{cpu}\n"
    assert done.returncode == 7


def test_signal_of_the_command_is_seen_by_the_caller() -> None:
    assert in_child("become(['/bin/sh', '-c', 'kill -TERM $$'])").returncode == -signal.SIGTERM


@pytest.fixture
def signals() -> Iterator[None]:
    """`become` resets the interpreter's handlers; a later test that expects an error would be killed by SIGXFSZ."""
    before = {number: signal.getsignal(number) for number in (signal.SIGPIPE, signal.SIGXFSZ)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
def test_command_that_cannot_be_started() -> None:
    with pytest.raises(CommandStartError, match=r"'/nothing/here' cannot be started: No such file") as missing:
        become(["/nothing/here"])
    with pytest.raises(CommandStartError, match=r"'/dev/null' cannot be started: Permission denied$") as refused:
        become(["/dev/null"])
    assert (missing.value.exit_code, refused.value.exit_code) == (ExitCode.COMMAND_MISSING, ExitCode.COMMAND_REFUSED)
    with pytest.raises(AffinityError, match="no command given"):
        become([])


def test_realtime_priority_limits_and_missing_right(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AffinityError, match=r"real-time priority 100 is outside 1\.\.99"):
        set_realtime(100)

    def refuse(pid: int, policy: int, param: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with pytest.raises(AffinityError, match="it needs CAP_SYS_NICE"):
        set_realtime(10)
