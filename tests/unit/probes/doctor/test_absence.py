"""No check passes or fails on what it could not read. The oracle is shown to reject checks that do.

Other tools print OK for a governor that does not exist, or fail on a virtual machine for a switch that it has not.
"""

from __future__ import annotations

import dataclasses
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lowlat.probes.doctor.check import Check, judge
from lowlat.probes.doctor.cpu_power import FrequencyGovernor
from lowlat.probes.doctor.examined_host import ExaminedHost, PerCpu
from lowlat.probes.doctor.judgment import Judgment, bad, good
from lowlat.probes.doctor.memory import NumaBalancing, Thp
from lowlat.probes.doctor.registry import all_checks
from lowlat.probes.host.host_tree import FolderTree, HostTree
from lowlat.probes.host.snapshot import RecordingTree
from lowlat.probes.reading import Reading, known
from tests.unit.probes.doctor.hosts import CPU, TUNED, UNTUNED, SyntheticLive, counters, tree_of

CHECKS = [check for checks in all_checks().values() for check in checks]
NEEDED = {f"{CPU}/online", f"{CPU}/isolated", f"{CPU}/present", f"{CPU}/possible", "proc/self/cgroup"}
"""What says which CPUs there are, and not how they are set."""


class Hidden(HostTree):
    """A host without some of its files; or with files that cannot be read."""

    def __init__(self, tree: FolderTree, hidden: set[str], number: int) -> None:
        self._tree, self._hidden, self._number = tree, hidden, number
        self.root = tree.root

    def read_bytes(self, path: str) -> bytes:
        if path in self._hidden:
            raise OSError(self._number, os.strerror(self._number), path)
        return self._tree.read_bytes(path)

    def names(self, path: str) -> tuple[str, ...]:
        names = self._tree.names(path)
        if self._number == errno.ENOENT:
            return tuple(name for name in names if not self._is_gone(f"{path}/{name}"))
        return names

    def _is_gone(self, path: str) -> bool:
        """Whether nothing is left of a file or folder."""
        files = [each for each in Path(self.root, path).rglob("*") if each.is_file()] or [Path(self.root, path)]
        return all(str(each.relative_to(self.root)) in self._hidden for each in files)

    def exists(self, path: str) -> bool:
        return self._tree.exists(path) and not (self._number == errno.ENOENT and self._is_gone(path))

    def link_target(self, path: str) -> str | None:
        return self._tree.link_target(path)


def judged(check: Check[Any], tree: HostTree) -> str:
    host = ExaminedHost(tree, live=SyntheticLive())
    host.counters = counters(tree, names=(check.id,))
    return judge(check, "", host).status


def dishonest(check: Check[Any], tree: FolderTree) -> Iterator[str]:
    """Where a check passes or fails, and does so too without the files that it reads."""
    if judged(check, tree) not in ("pass", "fail", "warn"):
        return
    for number in (errno.ENOENT, errno.EACCES):
        hidden: set[str] = set()
        while more := _files_read(check, Hidden(tree, hidden, number)) - hidden:
            hidden |= more  # without its first source, a check may turn to another
        status = judged(check, Hidden(tree, hidden, number))
        if hidden and status in ("pass", "fail", "warn"):
            yield f"{check.id}: {status} with {errno.errorcode[number]} for {sorted(hidden)}"


def _files_read(check: Check[Any], tree: HostTree) -> set[str]:
    record = RecordingTree(tree)
    judged(check, record)
    return set(record.files) - NEEDED


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> list[FolderTree]:
    return [tree_of(tmp_path_factory.mktemp("host"), files) for files in (TUNED, UNTUNED)]


ASKS_THE_KERNEL = {
    "c-states",
    "smi",
    "allowed-cpus",
    "real-frequency",
    "latency-request",
    "memory-lock-limit",
    "clock-read-cost",
}
ASKS_THE_KERNEL |= {
    "tsc-synchronization",
    "kernel-clock-verdict",
    "time-synchronization",
    "interrupt-coalescing",
    "receive-offload",
    "real-time-priority",
    "affinity-right",
}
ASKS_THE_KERNEL |= {"processor-identity"}
"""Their value comes from a call or a measurement; files only add to it."""
ITS_FILES_STAY = {"isolated-cpus", "node-locality"}
"""They read `NEEDED`, and names of folders."""


@pytest.mark.parametrize(
    "check", [each for each in CHECKS if each.id not in ASKS_THE_KERNEL | ITS_FILES_STAY], ids=lambda check: check.id
)
def test_no_check_judges_what_it_cannot_read(hosts: list[FolderTree], check: Check[Any]) -> None:
    assert [line for tree in hosts for line in dishonest(check, tree)] == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_no_check_of_an_empty_capture_passes_or_fails(tmp_path: Path, check: Check[Any]) -> None:
    (tmp_path / "sys").mkdir()
    finding = judge(check, "", ExaminedHost(FolderTree(tmp_path)))
    assert finding.status in ("not applicable", "unknown", "info"), finding


class PassesByDefault(FrequencyGovernor):
    """As rtcqs 0.6.4: no file says powersave, so all is well."""

    def read(self, host: ExaminedHost) -> Reading[PerCpu]:
        found = super().read(host)
        return found if found.value else known(PerCpu({}, {}), "nothing")


class FailsByDefault(NumaBalancing):
    """As tuned-adm verify: what is not 0 is wrong, and what is not there is not 0."""

    def read(self, host: ExaminedHost) -> Reading[str]:
        return known(host.tree.text(self.path) or "-1", "somewhere")


class TakesRefusalForAbsence(Thp):
    """Swallows the error of a file that cannot be read."""

    def read(self, host: ExaminedHost) -> Reading[str]:
        return known(host.tree.text(self.path) or "[never]", self.path)

    def advise(self, value: str, host: ExaminedHost) -> Judgment:
        return good(value) if "[always]" not in value else bad(value)


@pytest.mark.parametrize("broken", [PassesByDefault(), FailsByDefault(), TakesRefusalForAbsence()])
def test_broken_checks_are_rejected(hosts: list[FolderTree], broken: Check[Any]) -> None:
    assert [line for tree in hosts for line in dishonest(broken, tree)]


def test_a_finding_says_which_file_is_missing(hosts: list[FolderTree]) -> None:
    path = f"{CPU}/cpu0/cpufreq/scaling_governor"
    hidden = {path.replace("cpu0", f"cpu{cpu}") for cpu in range(4)}
    tree = Hidden(hosts[0], hidden, errno.EACCES)
    finding = judge(FrequencyGovernor(), "cpu", ExaminedHost(tree))
    assert (
        dataclasses.asdict(finding)["reason"] == f"/{path}: permission denied (needs root, or the container forbids it)"
    )
