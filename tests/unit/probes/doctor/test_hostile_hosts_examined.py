"""A tree that no kernel printed ends in an examination, at a cost that grows with its size only, and harmless text."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from lowlat.documents import text
from lowlat.limits import TREE_FILE_BYTES_MAX
from lowlat.probes.doctor.examination import Examination, examine_tree
from lowlat.probes.host.snapshot import capture, open_root
from lowlat_cli.views.doctor import doctor_view
from tests.effort import effort, start_interpreter
from tests.hostile import HOSTILE, assert_harmless
from tests.unit.probes.doctor.hosts import CONTAINER, CPU, GUEST, TUNED, UNTUNED, examined, tree_of

EVERY_FILE = {**UNTUNED, **GUEST, **CONTAINER, **TUNED}
NAMES_CPUS = {f"{CPU}/online", f"{CPU}/isolated"}
JUNK = [
    "9" * 5_000,
    "-5",
    "²",
    "0x" + "f" * 5_000,
    "nan",
    "",
    "[" * 500,
    "1e5 " * 50,
    "\0" * 500,
    "max max",
    "a b c d\n" * 99,
]


def screen(found: Examination, *, verbose: bool) -> str:
    stream = io.StringIO()
    on = Console(file=stream, width=2_000, color_system=None, markup=False, emoji=False)
    on.print(*doctor_view(found, verbose=verbose, width=2_000), sep="\n", highlight=False)
    return stream.getvalue()


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_junk_in_every_file_is_never_a_crash_nor_a_pass_of_its_check(tmp_path: Path, junk: str) -> None:
    files = {path: junk for path in EVERY_FILE if path not in NAMES_CPUS}
    tree = tree_of(tmp_path, {**files, f"{CPU}/online": "0-3", f"{CPU}/isolated": "2-3"})
    found = examined(tree, later=dict.fromkeys(["proc/interrupts", "proc/stat", "proc/vmstat"], junk))
    assert text(found)
    statuses = {finding.id: finding.status for finding in found.findings}
    numbers = {"rt-throttling", "vmstat-interval", "numa-balancing", "zone-reclaim", "compaction", "nohz-full"}
    assert not {name for name in numbers if statuses[name] == "pass"}


@pytest.mark.parametrize("form", ["{}", "1{}", "[{}]", "x ({}) y"])
def test_no_text_of_a_host_controls_the_terminal(tmp_path: Path, form: str) -> None:
    files = {path: form.format(HOSTILE) for path in EVERY_FILE if path not in NAMES_CPUS}
    tree = tree_of(tmp_path, {**files, f"{CPU}/online": "0-3", f"{CPU}/isolated": "2-3"})
    found = examined(tree, cpuinfo={"brand_raw": HOSTILE, "flags": [HOSTILE]}, log=("Linux version", HOSTILE))
    for verbose in (False, True):
        assert_harmless(screen(found, verbose=verbose))
    assert_harmless(text(found))


def test_pipes_and_devices_do_not_block(tmp_path: Path) -> None:
    for path in EVERY_FILE:
        if path not in NAMES_CPUS:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            if len(path) % 2:
                os.mkfifo(tmp_path / path)
            else:
                (tmp_path / path).symlink_to("/dev/zero")
    tree = tree_of(tmp_path, {f"{CPU}/online": "0-3", f"{CPU}/isolated": "2-3"})
    found = examine_tree(tree)
    judged = {each.id for each in found.findings if each.status in ("pass", "fail", "warn")}
    assert judged == {"isolated-cpus", "node-locality"}  # by the files of `NAMES_CPUS`, and names of folders


def huge(root: Path, kind: str) -> Any:
    files: dict[str, str] = {f"{CPU}/online": "0-8191", f"{CPU}/isolated": "1-8191"}
    if kind == "columns":
        heading = " ".join(f"CPU{cpu}" for cpu in range(8_192))
        row = "24: " + " ".join(["7"] * 8_192) + " dev\n"
        files["proc/interrupts"] = heading + "\n" + row * 200
    elif kind == "masks":
        files |= {f"sys/devices/virtual/workqueue/w{n}/cpumask": "f" * TREE_FILE_BYTES_MAX for n in range(8)}
        files["sys/devices/virtual/workqueue/cpumask"] = "f" * TREE_FILE_BYTES_MAX
    elif kind == "tasks":
        files["proc/1/task/1/stat"] = "1 (a) S " + " ".join(["0"] * 35) + " 1"
        for pid in range(1_500):
            files[f"proc/{pid}/task/{pid}/stat"] = f"{pid} (a) S " + " ".join(["0"] * 35) + " 1"
    elif kind == "groups":
        files["sys/fs/cgroup/cgroup.controllers"] = ""
        files |= {f"sys/fs/cgroup/{n}/{m}/cgroup.procs": "" for n in range(40) for m in range(40)}
        files |= {f"sys/fs/cgroup/{n}/cgroup.procs": "" for n in range(40)}
    elif kind == "depth":
        files["proc/self/cgroup"] = "0::/" + "a/" * 20_000 + "\n"
        files["sys/fs/cgroup/cpu.max"] = "max 100000"
    return tree_of(root, files)


@pytest.mark.parametrize("kind", ["cpus", "columns", "masks", "tasks", "groups", "depth"])
def test_a_huge_host_has_a_bounded_cost(tmp_path: Path, kind: str) -> None:
    """In starts of an interpreter, each some 20 ms of CPU time."""
    tree = huge(tmp_path, kind)
    assert effort(lambda: examine_tree(tree), start_interpreter, repeats=1) < 400


def test_a_capture_of_a_host_is_examined_as_its_files_were(tmp_path: Path) -> None:
    """But for processes, whose names a snapshot does not tell."""
    tree = tree_of(tmp_path / "host", TUNED)
    capture(tmp_path / "host.tar.xz", tree)
    snapshot = open_root(tmp_path / "host.tar.xz")
    before, after = ({each.id: each.status for each in examine_tree(host).findings} for host in (tree, snapshot))
    differing = {name: after[name] for name in before if before[name] != after[name]}
    assert differing == {"irqbalance": "unknown", "other-tasks": "unknown"}
    assert not [name for name in snapshot.names("proc") if name.isdigit()]
