"""Memory is on the pages and the node that the figures claim, or there is none, and a reason."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from lowlat.probes import _core
from lowlat.probes.errors import NumaError
from lowlat.probes.host.host_tree import FolderTree
from lowlat.probes.memory import region
from lowlat.probes.memory.numa_memory import PagePlacement
from lowlat.probes.memory.region import PageChoice, open_region
from lowlat.probes.memory.smaps import huge_page_bytes
from lowlat.probes.reading import known

MIB = 1 << 20
ENABLED = "sys/kernel/mm/transparent_hugepage/enabled"
RESERVED = "sys/kernel/mm/hugepages"


class Given:
    """A region as the kernel gives it in these tests, and its smaps."""

    def __init__(self, error: int = 0, populate: int = 0, huge_share: float = 1.0, reserved_error: int = 0) -> None:
        self.error, self.populate_error, self.huge_share = error, populate, huge_share
        self.reserved_error = reserved_error
        self.asked: list[tuple[int, int, int]] = []

    def __call__(self, size_bytes: int, pages: int, page_bytes: int) -> SimpleNamespace:
        self.asked.append((size_bytes, pages, page_bytes))
        error = self.reserved_error if pages == PageChoice.RESERVED else self.error
        length = 0 if error else size_bytes
        return SimpleNamespace(error=error, address=1 << 30, bytes=length, populate=lambda *_: self.populate_error)

    def smaps(self, *_: object) -> object:
        return known(int(self.asked[-1][0] * self.huge_share), "read from /proc/self/smaps")


@pytest.fixture
def kernel(tmp_path: Path) -> FolderTree:
    (tmp_path / ENABLED).parent.mkdir(parents=True)
    (tmp_path / ENABLED).write_text("always [madvise] never\n")
    (tmp_path / ENABLED).with_name("hpage_pmd_size").write_text(f"{4 * MIB}\n")
    return FolderTree(tmp_path)


def gives(patch: pytest.MonkeyPatch, given: Given) -> Given:
    patch.setattr(_core, "MemoryRegion", given)
    patch.setattr(region, "huge_page_bytes", given.smaps)
    return given


def reserve(root: Path, size_kb: int, free: int) -> None:
    folder = root / RESERVED / f"hugepages-{size_kb}kB"
    folder.mkdir(parents=True)
    (folder / "free_hugepages").write_text(f"{free}\n")


def test_base_pages_are_really_small() -> None:
    found = open_region(3 * MIB, "base", None)
    assert found.value is not None
    assert found.value.page_bytes == os.sysconf("SC_PAGESIZE")
    assert found.value.native.bytes >= 3 * MIB
    assert huge_page_bytes((found.value.native.address,)).value == 0


def test_huge_pages_are_huge_or_have_a_reason() -> None:
    found = open_region(8 * MIB, "huge", None)
    if found.value is None:
        assert found.reason
        return
    assert found.value.native.address % found.value.page_bytes == 0
    huge = huge_page_bytes((found.value.native.address,)).value
    assert huge is not None
    assert huge >= 0.95 * 8 * MIB


def test_transparent_pages_have_the_kernel_s_size(monkeypatch: pytest.MonkeyPatch, kernel: FolderTree) -> None:
    given = gives(monkeypatch, Given())
    found = open_region(8 * MIB, "huge", None, kernel)
    assert found.value is not None
    assert found.value.choice is PageChoice.TRANSPARENT
    assert given.asked == [(8 * MIB, PageChoice.TRANSPARENT, 4 * MIB)]


def test_reserved_pages_come_first_if_enough_are_free(
    monkeypatch: pytest.MonkeyPatch, kernel: FolderTree, tmp_path: Path
) -> None:
    reserve(tmp_path, 2048, 3)  # 6 MiB
    reserve(tmp_path, 1048576, 1)
    given = gives(monkeypatch, Given())
    found = open_region(8 * MIB, "huge", None, kernel)
    assert found.value is not None
    assert (found.value.choice, found.value.page_bytes) == (PageChoice.RESERVED, 1 << 30)
    assert given.asked == [(8 * MIB, PageChoice.RESERVED, 1 << 30)]


def test_a_refused_reservation_leaves_transparent_pages(
    monkeypatch: pytest.MonkeyPatch, kernel: FolderTree, tmp_path: Path
) -> None:
    reserve(tmp_path, 2048, 100)
    gives(monkeypatch, Given(reserved_error=errno.ENOMEM))
    found = open_region(8 * MIB, "huge", None, kernel)
    assert found.value is not None
    assert found.value.choice is PageChoice.TRANSPARENT


@pytest.mark.parametrize(
    ("pages", "given", "reason"),
    [
        ("huge", Given(huge_share=0.5), "the kernel put only 50.0% of 8.00 MiB on huge pages"),
        ("base", Given(huge_share=0.5), "the kernel put only 50.0% of 8.00 MiB on base pages"),
        ("base", Given(error=errno.ENOMEM), "refuses 8.00 MiB of memory: Cannot allocate memory"),
        ("base", Given(populate=errno.EFAULT, huge_share=0.0), "refuses 8.00 MiB of memory: Bad address"),
    ],
)
def test_other_memory_than_asked_for_is_none(
    monkeypatch: pytest.MonkeyPatch, kernel: FolderTree, pages: region.Pages, given: Given, reason: str
) -> None:
    gives(monkeypatch, given)
    found = open_region(8 * MIB, pages, None, kernel)
    assert found.value is None
    assert reason in str(found.reason)


@pytest.mark.parametrize(
    ("enabled", "reason"),
    [
        ("always madvise [never]", "transparent huge pages are off"),
        (None, "this kernel has no transparent huge pages"),
    ],
)
def test_a_kernel_without_huge_pages_says_so(
    tmp_path: Path, kernel: FolderTree, enabled: str | None, reason: str
) -> None:
    (tmp_path / ENABLED).unlink()
    if enabled is not None:
        (tmp_path / ENABLED).write_text(enabled)
    found = open_region(8 * MIB, "huge", None, kernel)
    assert found.value is None
    assert reason in str(found.reason)


def test_smaps_that_cannot_be_read_verify_nothing(kernel: FolderTree) -> None:
    found = open_region(MIB, "base", None, kernel)
    assert found.value is None
    assert "cannot be verified" in str(found.reason)


def test_memory_is_bound_before_and_looked_for_after(monkeypatch: pytest.MonkeyPatch, kernel: FolderTree) -> None:
    gives(monkeypatch, Given(huge_share=0.0))
    bound: list[int] = []
    monkeypatch.setattr(region, "bind_memory", lambda _address, _size, node: bound.append(node))
    placed = {0: 1, 1: 2047}
    monkeypatch.setattr(region, "page_placement", lambda *_: known(PagePlacement(placed, 0, 0), "move_pages"))
    found = open_region(8 * MIB, "base", 1, kernel)
    assert (found.value, bound) == (None, [1])
    assert "not all on node 1, but on nodes 0, 1" in str(found.reason)
    del placed[0]
    assert open_region(8 * MIB, "base", 1, kernel).value is not None


def test_a_node_that_is_refused_is_a_reason(monkeypatch: pytest.MonkeyPatch, kernel: FolderTree) -> None:
    def refuse(*_: object) -> None:
        raise NumaError("the container forbids it")

    gives(monkeypatch, Given(huge_share=0.0))
    monkeypatch.setattr(region, "bind_memory", refuse)
    assert open_region(8 * MIB, "base", 1, kernel).reason == "the container forbids it"
