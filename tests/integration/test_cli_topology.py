"""`lowlat topology`: the table on a terminal and through a pipe, one valid document, a snapshot that gives the same
result, and errors that say what to do.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.probes.cpu.cpulist import format_cpu_list
from tests.effort import effort

Run = Callable[..., subprocess.CompletedProcess[str]]
Document = Callable[..., dict[str, Any]]
Terminal = Callable[..., str]

MEASURE = ("topology", "--measure")
CPU = "sys/devices/system/cpu"
NODE = "sys/devices/system/node"


class Tree:
    """Writes the files of a host; CPU lists only."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def file(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"{text}\n")

    def cpus(self, count: int) -> None:
        for name in ("online", "present", "possible"):
            self.file(f"{CPU}/{name}", f"0-{count - 1}")
        self.file("proc/self/status", f"Cpus_allowed_list:\t0-{count - 1}")

    def cpu(self, cpu: int, core: tuple[int, ...], package: tuple[int, ...], die: tuple[int, ...] = ()) -> None:
        folder = f"{CPU}/cpu{cpu}/topology"
        for name, members in (("core", core), ("package", package), ("die", die)):
            if members:
                self.file(f"{folder}/{name}_cpus_list", format_cpu_list(members))
        self.file(f"{folder}/core_id", str(core[0]))

    def cache(self, cpu: int, index: int, level: int, size: str, shared: tuple[int, ...]) -> None:
        fields = {"level": level, "type": "Unified", "size": size, "coherency_line_size": 64}
        for name, value in (fields | {"shared_cpu_list": format_cpu_list(shared)}).items():
            self.file(f"{CPU}/cpu{cpu}/cache/index{index}/{name}", str(value))

    def node(self, node: int, cpus: tuple[int, ...], distances: str) -> None:
        self.file(f"{NODE}/node{node}/cpulist", format_cpu_list(cpus))
        self.file(f"{NODE}/node{node}/meminfo", f"Node {node} MemTotal: 1048576 kB\nNode {node} MemFree: 524288 kB")
        self.file(f"{NODE}/node{node}/distance", distances)


@pytest.fixture
def two_sockets(tmp_path: Path) -> Path:
    """Two sockets of two cores with two threads each; one node per socket; CPUs 1 and 5 isolated."""
    tree = Tree(tmp_path / "host")
    tree.cpus(8)
    tree.file(f"{CPU}/isolated", "1,5")
    for cpu in range(8):
        socket = (0, 1, 4, 5) if cpu % 4 < 2 else (2, 3, 6, 7)
        tree.cpu(cpu, core=(cpu % 4, cpu % 4 + 4), package=socket)
        tree.cache(cpu, 0, 2, "1024K", (cpu % 4, cpu % 4 + 4))
        tree.cache(cpu, 1, 3, "32M", socket)
    tree.node(0, (0, 1, 4, 5), "10 21")
    tree.node(1, (2, 3, 6, 7), "21 10")
    return tree.root


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sockets of 64 cores with two threads each, eight dies and two nodes per socket: 256 CPUs."""
    tree = Tree(tmp_path_factory.mktemp("large"))
    tree.cpus(256)

    def both(first: int, count: int) -> tuple[int, ...]:
        return (*range(first, first + count), *range(first + 128, first + 128 + count))

    for cpu in range(256):
        core = cpu % 128
        die = both(core // 8 * 8, 8)
        tree.cpu(cpu, (core, core + 128), both(core // 64 * 64, 64), die)
        for index, (level, shared) in enumerate([(1, (core, core + 128)), (2, (core, core + 128)), (3, die)]):
            tree.cache(cpu, index, level, "32K", shared)
    for node in range(4):
        tree.node(node, both(node * 32, 32), " ".join("10" if other == node else "21" for other in range(4)))
    return tree.root


def test_this_host_names_its_virtualization_first(lowlat: Run, document: Document) -> None:
    done = lowlat("topology")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("platform ")
    assert ("guest view" in done.stdout) == document("topology")["guest_view"]
    assert re.search(rf"^allowed +{format_cpu_list(allowed_cpus())}( ·.*)?$", done.stdout, re.MULTILINE)


def test_tree_and_tables_of_two_sockets(lowlat: Run, two_sockets: Path) -> None:
    lines = lowlat("topology", "--root", str(two_sockets), "-v").stdout.splitlines()
    first = lines.index("package, node 0  2 cores, 4 CPUs: 0-1,4-5  L3 32 MiB")
    assert lines[first : first + 6] == [
        "package, node 0  2 cores, 4 CPUs: 0-1,4-5  L3 32 MiB",
        "├── core 0  CPU 0, CPU 4  L2 1 MiB",
        "└── core 1  CPU 1 (isolated), CPU 5 (isolated)  L2 1 MiB",
        "package, node 1  2 cores, 4 CPUs: 2-3,6-7  L3 32 MiB",
        "├── core 2  CPU 2, CPU 6  L2 1 MiB",
        "└── core 3  CPU 3, CPU 7  L2 1 MiB",
    ]
    rows = [line.split() for line in lines]
    assert ["NUMA", "node", "CPUs", "memory", "free"] in rows
    assert ["1", "2-3,6-7", "1", "GiB", "512", "MiB"] in rows
    assert ["distance", "to", "0", "1"] in rows
    assert ["from", "1", "21", "10"] in rows
    assert ["L3", "unified", "32", "MiB", "64", "B", "?", "?", "2", "0-1,4-5", "|", "2-3,6-7"] in rows
    assert ["isolated", "1,5", "read", "from", "/sys/devices/system/cpu/isolated"] in rows
    assert any(row[:5] == ["nohz_full", "-", "not", "available", "here,"] for row in rows)


@pytest.mark.slow
def test_large_host_costs_little_and_has_levels_between_package_and_core(
    cold: Run, document: Document, large: Path, two_sockets: Path
) -> None:
    # 256 CPUs cost little more than 8: most of the time is the start of the program.
    assert effort(lambda: cold("topology", "--root", large), lambda: cold("topology", "--root", two_sockets)) < 2
    text = cold("topology", "--root", large, "-v").stdout
    assert "CPUs          256 online · 2 packages · 128 cores · 2 threads per core" in text
    assert "├── node 0  32 cores, 64 CPUs: 0-31,128-159" in text
    assert "│   ├── die  8 cores, 16 CPUs: 0-7,128-135  L3 32 KiB  cores 0,128 to 7,135" in text
    assert len(document("topology", "--root", str(large))["packages"]) == 2


def test_sub_numa_clusters_stand_beneath_their_die(lowlat: Run, tmp_path: Path) -> None:
    """One die that holds two nodes: the node level then is below the die, or here below the package."""
    tree = Tree(tmp_path)
    tree.cpus(4)
    for cpu in range(4):
        tree.cpu(cpu, core=(cpu,), package=(0, 1, 2, 3), die=(0, 1, 2, 3))
    tree.node(0, (0, 1), "10 12")
    tree.node(1, (2, 3), "12 10")
    text = lowlat("topology", "--root", str(tmp_path), "-v").stdout
    assert "package  4 cores, 4 CPUs: 0-3\n├── node 0  2 cores, 2 CPUs: 0-1\n│   ├── core 0  CPU 0\n" in text
    assert "└── node 1  2 cores, 2 CPUs: 2-3\n    ├── core 2  CPU 2\n" in text


def test_host_without_anything_says_so(lowlat: Run, document: Document, tmp_path: Path) -> None:
    Tree(tmp_path).file(f"{CPU}/online", "0")
    text = lowlat("topology", "--root", str(tmp_path), "-v").stdout
    assert "caches        not available here, because the kernel shows no caches" in text
    assert "NUMA nodes    not available here, because the kernel shows no NUMA nodes" in text
    assert document("topology", "--root", str(tmp_path))["nodes"]["value"] is None


@pytest.mark.parametrize("columns", [80, 120])
def test_terminal_gets_lines_that_fit(on_terminal: Terminal, columns: int, two_sockets: Path) -> None:
    text = on_terminal(columns, "topology", "--root", str(two_sockets))
    assert "package, node 0" in text
    assert max(map(len, text.splitlines())) <= columns
    assert "…" not in text  # wrapped, never cut


def test_color_is_the_terminals_and_the_users_choice(lowlat: Run, on_terminal: Terminal, two_sockets: Path) -> None:
    verb = ("topology", "--root", two_sockets)
    assert "\x1b[" not in lowlat(*verb).stdout
    assert "\x1b[" in lowlat(*verb, "--color", "always").stdout
    assert "\x1b[" in on_terminal(80, *verb, raw=True)
    assert "\x1b[" not in on_terminal(80, *verb, "--color", "never", raw=True)


def test_snapshot_gives_the_same_answer(lowlat: Run, tmp_path: Path) -> None:
    snapshot = str(tmp_path / "host.tar.xz")
    captured = lowlat("topology", "--capture", snapshot, "--json")
    assert re.fullmatch(r"lowlat: wrote .*host\.tar\.xz: \d+ files\n", captured.stderr)
    assert lowlat("topology", "--root", snapshot, "--json").stdout == captured.stdout
    assert lowlat("topology", "--root", snapshot).stdout == lowlat("topology", "--root", snapshot).stdout
    unpacked = tmp_path / "unpacked"
    subprocess.run(["tar", "-xf", snapshot, "--one-top-level=unpacked", "-C", tmp_path], check=True)
    assert lowlat("topology", "--root", str(unpacked), "--json").stdout == captured.stdout


def test_snapshot_is_of_this_host(lowlat: Run, document: Document, tmp_path: Path) -> None:
    """Everything that does not change from moment to moment equals the live host's values."""

    def steady(found: dict[str, Any]) -> dict[str, Any]:
        for node in found["nodes"]["value"] or ():
            del node["memory_free_bytes"]
        return found

    lowlat("topology", "--capture", str(tmp_path / "host.tar.xz"))
    assert steady(document("topology", "--root", str(tmp_path / "host.tar.xz"))) == steady(document("topology"))


def test_cache_line_is_measured_beside_what_is_reported(lowlat: Run, document: Document) -> None:
    whole = document("topology", "--measure")
    levels = whole["level_latencies"]
    assert (levels["value"] is None) == bool(levels.get("reason"))
    for level in levels["value"] or ():
        assert 0 < level["min_ns"] <= level["median_ns"]
        assert level["reported_bytes"] in (None, 2 * level["loaded_bytes"])
    found = whole["cache_line"]
    assert found["line_bytes"] in (32, 64, 128, 256)
    assert {report["name"] for report in found["reported"]} == {
        "sysfs",
        "cpuid-clflush",
        "cpuid-cache",
        "ctr_el0",
        "getconf",
    }
    text = lowlat("topology", "--measure").stdout
    assert re.search(r"^verdict +\d+ bytes", text, re.MULTILINE)
    assert re.search(r"^level +reported +loads from|^latency +not available", text, re.MULTILINE)
    assert re.search(r"^false sharing +(\d+ +measured|- +not available here)", text, re.MULTILINE)
    for label in ("adjacent line", "next line"):
        assert re.search(rf"^{label} +(yes|no)|^prefetch +not available", text, re.MULTILINE)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this platform does not pin")
def test_one_cpu_cannot_share_falsely(lowlat: Run) -> None:
    cpu = allowed_cpus()[0]
    pinned = lowlat(
        "affinity", "run", "--cpus", cpu, "--", sys.executable, "-P", "-m", "lowlat_cli.main", *MEASURE
    ).stdout
    assert "not available here, because only one CPU is available to this process; false sharing needs two" in pinned


def test_file_is_written_whole_and_a_table_is_still_printed(
    lowlat: Run, document: Document, tmp_path: Path, two_sockets: Path
) -> None:
    target = tmp_path / "topology.json"
    done = lowlat("topology", "--root", str(two_sockets), "-o", str(target))
    assert done.stdout.startswith("platform")
    assert json.loads(target.read_text()) == document("topology", "--root", str(two_sockets))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--root", "/nope"], "/nope does not exist; give a directory or a .tar.xz that contains sys/ and proc/"),
        (["--root", "EMPTY"], "has no readable sys/; give the directory that contains sys/ and proc/"),
        (["--root", "TEXT"], "is not a readable snapshot: it ends before its end mark: it is cut short, or"),
        (["--measure", "--root", "EMPTY"], "--measure needs the running host"),
        (["--capture", "EMPTY/host.zip"], "use a name that ends in .tar.xz"),
        (["--capture", "/nope/host.tar.xz"], "/nope/host.tar.xz cannot be written: No such file or directory; choose"),
        (["-o", "/nope/file"], "there is no directory /nope; create it first"),
        (["--format", "xml"], "'xml' is not one of 'table', 'json'"),
        (["extra"], "unexpected extra argument"),
        (["--roof", "x"], "no such option: --roof"),
    ],
)
def test_bad_input_is_one_line_with_what_to_do(lowlat: Run, tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "text").write_text("no archive")
    named = [a.replace("EMPTY", str(tmp_path)).replace("TEXT", str(tmp_path / "text")) for a in arguments]
    done = lowlat("topology", *named)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lowlat: error: ") and done.stderr.count("\n") == 1
    assert words in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_root_names_the_right(lowlat: Run, tmp_path: Path) -> None:
    tmp_path.chmod(0)
    done = lowlat("topology", "--root", str(tmp_path / "x"))
    assert done.returncode == 2
    assert "permission denied; read access is needed" in done.stderr


def test_unreadable_file_is_unknown_with_the_missing_right(
    document: Document, tmp_path: Path, two_sockets: Path
) -> None:
    """A folder in place of a file cannot be read, even by root: the rest is shown, with the reason for this one."""
    (two_sockets / "sys/devices/system/cpu/smt/control").mkdir(parents=True)
    found = document("topology", "--root", str(two_sockets))
    assert (found["smt"]["status"], found["smt"]["value"]) == ("unknown", None)
    assert "it is a directory" in found["smt"]["reason"]


def test_help_opens_with_purpose_and_examples(lowlat: Run) -> None:
    text = lowlat("topology", "--help").stdout
    assert text.index("Examples:") < text.index("Usage:")
    for option in ("--root", "--measure", "--capture", "--format", "--output"):
        assert option in text


def test_settings_come_from_the_environment(lowlat: Run, two_sockets: Path) -> None:
    done = lowlat("topology", "--json", env={"LOWLAT_ROOT": str(two_sockets)})
    assert json.loads(done.stdout)["cpu_sets"]["isolated"]["value"] == [1, 5]
