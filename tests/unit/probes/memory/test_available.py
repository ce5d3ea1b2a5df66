"""How much memory a measurement may take: the tightest limit counts, whoever sets it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from lowlat.errors import UsageError
from lowlat.probes.host.host_tree import FolderTree
from lowlat.probes.memory.available import available_memory
from lowlat.probes.memory.sites import LIMIT_DEFAULT_MAX_BYTES, choose_limit
from lowlat.probes.reading import known
from tests.synthetic_hosts import host, singles

MIB = 1 << 20
V2 = "sys/fs/cgroup"
V1 = "sys/fs/cgroup/memory"


def tree(root: Path, files: dict[str, str], available_mib: int = 1000) -> FolderTree:
    everything = {"proc/meminfo": f"MemTotal: 99999999 kB\nMemAvailable: {available_mib * 1024} kB\n"} | files
    for name, text in everything.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return FolderTree(root)


def test_without_control_groups_the_host_counts(tmp_path: Path) -> None:
    found = available_memory(tree(tmp_path, {}))
    assert (found.value, found.source) == (1000 * MIB, "read from /proc/meminfo: MemAvailable")


def test_version_2_counts_what_it_can_drop(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/a/b\n",
        f"{V2}/a/memory.max": f"{400 * MIB}",
        f"{V2}/a/memory.current": f"{300 * MIB}",
        f"{V2}/a/memory.stat": f"anon 1\ninactive_file {50 * MIB}\nactive_file 3\n",
        f"{V2}/a/b/memory.max": "max",
        f"{V2}/a/b/memory.current": "0",
    }
    found = available_memory(tree(tmp_path, files))
    assert (found.value, found.source) == (150 * MIB, f"read from /{V2}/a/memory.max")


def test_a_soft_limit_counts_too(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/\n",
        f"{V2}/memory.max": "max",
        f"{V2}/memory.high": f"{100 * MIB}",
        f"{V2}/memory.current": f"{30 * MIB}",
    }
    assert available_memory(tree(tmp_path, files)).value == 70 * MIB


def test_version_1_without_a_limit_is_none(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "8:memory:/x\n",
        f"{V1}/x/memory.limit_in_bytes": "9223372036854771712",
        f"{V1}/x/memory.usage_in_bytes": "1",
        f"{V1}/memory.limit_in_bytes": f"{64 * MIB}",
        f"{V1}/memory.usage_in_bytes": f"{80 * MIB}",  # over its limit: what it can drop is not known
    }
    found = available_memory(tree(tmp_path, files))
    assert (found.value, found.source) == (0, f"read from /{V1}/memory.limit_in_bytes")


def test_without_a_figure_it_is_not_available(tmp_path: Path) -> None:
    found = available_memory(tree(tmp_path, {"proc/meminfo": "MemTotal: 1 kB\n"}))
    assert found.value is None
    assert found.reason == "/proc/meminfo has no MemAvailable"


ONE_L3 = host(singles(2), last_level=[(0, 1)])  # of 32 MiB


@pytest.mark.parametrize(
    ("available_mib", "asked", "size_mib", "reason"),
    [
        (1000, None, 128, "4 times the L3 as reported"),
        (100, None, 50, "half of the memory that is available"),
        (1000, 3 * MIB + 5, 3, "as asked for"),
        (1000, 500 * MIB, 500, "as asked for"),
    ],
)
def test_the_limit_says_why(tmp_path: Path, available_mib: int, asked: int | None, size_mib: int, reason: str) -> None:
    found = choose_limit(ONE_L3, 0, asked, tree(tmp_path, {}, available_mib))
    assert (found.size_bytes, found.reason) == (size_mib * MIB, reason)


def test_a_large_cache_does_not_take_minutes(tmp_path: Path) -> None:
    (cache,) = ONE_L3.caches.value or ()
    large = dataclasses.replace(ONE_L3, caches=known((dataclasses.replace(cache, size_bytes=4 << 30),), "x"))
    found = choose_limit(large, 0, None, tree(tmp_path, {}, 1 << 20))
    assert found.size_bytes == LIMIT_DEFAULT_MAX_BYTES
    assert "--limit" in found.reason


def test_no_cache_has_a_limit_too(tmp_path: Path) -> None:
    assert choose_limit(host(singles(2)), 0, None, tree(tmp_path, {})).reason == "no cache is reported"


@pytest.mark.parametrize(
    ("available_mib", "asked", "said"),
    [
        (1000, MIB - 1, "is too small; the smallest is 1 MiB"),
        (1000, 501 * MIB, "--limit 501 MiB is more than 500 MiB, half of the memory that is available"),
        (1000, 1 << 62, "choose less"),
        (1, None, "only 1.00 MiB of memory are available"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(tmp_path: Path, available_mib: int, asked: int | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        choose_limit(ONE_L3, 0, asked, tree(tmp_path, {}, available_mib))
