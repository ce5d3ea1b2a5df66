"""This process's memory in `/proc/self/smaps`: bytes on huge pages."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lowlat.probes.host.host_tree import LIVE, HostTree
from lowlat.probes.reading import Reading, known

_HEADER = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) ")
_FIELD = re.compile(r"^(\w+):\s+([0-9]{1,15}) kB$")


def huge_page_bytes(starts: Iterable[int], tree: HostTree = LIVE) -> Reading[int]:
    """Bytes on huge pages, over the mappings of this process that contain one of the addresses `starts`.

    The kernel may have merged a mapping with its neighbors; its count then covers all of them.
    """
    source = "read from /proc/self/smaps"
    text = tree.text("proc/self/smaps")
    if text is None:
        return tree.absence(source, "there is no /proc/self/smaps", "proc/self/smaps")
    addresses = sorted(starts)
    huge = 0
    wanted = False
    for line in text.splitlines():
        if header := _HEADER.match(line):
            first, end = int(header[1], 16), int(header[2], 16)
            wanted = any(first <= address < end for address in addresses)
        elif wanted and (field := _FIELD.match(line)) and field[1] in ("AnonHugePages", "Private_Hugetlb"):
            huge += int(field[2]) * 1024
    return known(huge, source)
