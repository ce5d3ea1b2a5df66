"""Threads are pinned to the right CPU, and a failure is never silent: otherwise every figure of a run is wrong."""

from __future__ import annotations

import dataclasses
import errno
import os
import threading

import pytest

from lowlat.probes.cpu import affinity
from lowlat.probes.cpu.affinity import check_cpus, pin, pinned, requested_cpus
from lowlat.probes.cpu.cpu_sets import CpuSets
from lowlat.probes.errors import AffinityError
from lowlat.probes.reading import known, not_applicable

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this platform does not pin")

ABSENT = not_applicable("read from /sys", "absent")


def sets(
    present: tuple[int, ...] = tuple(range(8)),
    online: tuple[int, ...] = tuple(range(7)),
    own: tuple[int, ...] = tuple(range(7)),
    cpuset: tuple[int, ...] = tuple(range(6)),
) -> CpuSets:
    return CpuSets(
        possible=known(present, "possible"),
        present=known(present, "present"),
        online=known(online, "online"),
        isolated=ABSENT,
        nohz_full=ABSENT,
        affinity=known(own, "own"),
        cpuset=known(cpuset, "cpuset"),
    )


def test_allowed_is_what_all_limits_leave() -> None:
    assert sets(own=(1, 2, 6)).allowed == (1, 2)
    nothing = CpuSets(ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT)
    assert nothing.allowed == ()
    assert dataclasses.replace(nothing, affinity=known((0, 1), "own")).allowed == (0, 1)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("8", AffinityError, "CPU 8 does not exist on this host; it has CPUs 0-7"),
        ("0,7-9", AffinityError, "CPUs 8-9 do not exist"),
        ("7", AffinityError, "CPU 7 is offline; online are CPUs 0-6"),
        ("6", AffinityError, "CPU 6 is outside this process's cgroup cpuset, CPUs 0-5"),
    ],
)
def test_each_refusal_has_its_own_error(text: str, error: type[AffinityError], message: str) -> None:
    with pytest.raises(error) as caught:
        requested_cpus(text, sets())
    assert message in str(caught.value)


def test_inherited_affinity_is_respected() -> None:
    with pytest.raises(AffinityError, match="CPU 3 is outside the affinity this process was started with"):
        check_cpus([3], sets(own=(0, 1)))


def test_isolated_cpus_may_be_used_though_nobody_inherits_them() -> None:
    host = dataclasses.replace(sets(own=(0, 1)), isolated=known((4, 5, 6), "isolated"))
    assert host.allowed == (0, 1, 4, 5)  # 6 is outside the cpuset
    check_cpus([4], host)
    with pytest.raises(AffinityError, match="CPU 3 is outside the affinity"):
        check_cpus([3], host)


def test_requests_are_read_for_this_host() -> None:
    assert requested_cpus("all", sets()) == (0, 1, 2, 3, 4, 5)
    assert requested_cpus("0-1,4", sets()) == (0, 1, 4)
    assert requested_cpus("N", sets(online=(0, 7), own=(0, 7), cpuset=(0, 7))) == (7,)
    with pytest.raises(AffinityError, match="name at least one"):
        check_cpus([], sets())


def test_pin_reads_back_and_restores() -> None:
    before = os.sched_getaffinity(0)
    cpu = max(before)
    with pinned([cpu]) as got:
        assert got == (cpu,)
        assert os.sched_getaffinity(0) == {cpu}
    assert os.sched_getaffinity(0) == before


def test_affinity_is_restored_after_an_error() -> None:
    before = os.sched_getaffinity(0)
    with pytest.raises(ZeroDivisionError), pinned([min(before)]):
        raise ZeroDivisionError
    assert os.sched_getaffinity(0) == before


def test_only_the_thread_named_is_pinned() -> None:
    started, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: (started.set(), done.wait()))
    thread.start()
    started.wait()
    before = os.sched_getaffinity(0)
    try:
        assert thread.native_id is not None
        assert pin([min(before)], tid=thread.native_id) == (min(before),)
        assert os.sched_getaffinity(0) == before
    finally:
        done.set()
        thread.join()


def test_kernel_that_keeps_fewer_cpus_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_setaffinity", lambda tid, cpus: None)
    monkeypatch.setattr(os, "sched_getaffinity", lambda tid: {0})
    with pytest.raises(AffinityError, match="requested CPU 0-1, the kernel allowed 0"):
        pin([0, 1])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (errno.EPERM, "belongs to another user; run as that user or with CAP_SYS_NICE"),
        (errno.EINVAL, "none of them is online"),
        (errno.ESRCH, "no such thread; it has ended"),
    ],
)
def test_refusal_names_the_cause(monkeypatch: pytest.MonkeyPatch, code: int, message: str) -> None:
    def refuse(tid: int, cpus: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    with pytest.raises(AffinityError, match=message):
        pin([0])


def test_thread_that_ended() -> None:
    with pytest.raises(AffinityError, match="affinity of thread 4194999 cannot be read: no such thread"):
        affinity.affinity_of(4_194_999)  # above the highest pid_max
