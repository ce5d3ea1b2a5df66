"""Detects memory on huge pages in an artificial list of mappings."""

from __future__ import annotations

from pathlib import Path

from lowlat.probes.host.host_tree import FolderTree
from lowlat.probes.memory.smaps import huge_page_bytes

SMAPS = """\
1000-3000 rw-p 00000000 00:00 0
Size:                  8 kB
AnonHugePages:         4 kB
Private_Hugetlb:       2 kB
Locked:                8 kB
3000-4000 rw-p 00000000 00:00 0
AnonHugePages:        16 kB
"""


def test_only_mappings_that_hold_an_address_count(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/smaps").write_text(SMAPS)
    tree = FolderTree(tmp_path)
    assert huge_page_bytes([0x1000, 0x2FFF], tree).value == 6 * 1024
    assert huge_page_bytes([0x3000], tree).value == 16 * 1024
    assert huge_page_bytes([0x4000], tree).value == 0


def test_without_the_list_it_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    assert huge_page_bytes([0x1000], FolderTree(tmp_path)).value is None
