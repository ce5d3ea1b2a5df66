"""Archives of a host's files (`lowlat topology --root`)."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from unittest import mock

from lowlat.probes.host import snapshot, tar_reader
from lowlat.probes.host.facts import host_facts
from lowlat.probes.topology import read_topology
from lowlat.probes.topology.document import TopologyDocument
from tests.fuzz.parsers.target import Target, written

FILES = {
    "proc/cpuinfo": "model name : Some CPU\n",
    "sys/devices/system/cpu/online": "0-1\n",
    "sys/devices/system/cpu/cpu0/topology/core_cpus": "3\n",
    "sys/devices/system/cpu/cpu0/cache/index0/level": "1\n",
    "sys/devices/system/node/node0/cpumap": "3\n",
    "lowlat/facts.json": '{"hypervisor": "KVMKVMKVM"}\n',
}


def _read_archive(data: bytes, folder: Path) -> None:
    tree = snapshot.open_root(written(folder, "host.tar", data))
    TopologyDocument.of(read_topology(tree))
    host_facts(tree)


def _archive_seeds() -> list[bytes]:
    seeds = []
    for mode in ("w", "w:gz", "w:xz"):
        target = io.BytesIO()
        with tarfile.open(fileobj=target, mode=mode) as archive:  # type: ignore[call-overload]
            for name, text in FILES.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(text)
                archive.addfile(entry, io.BytesIO(text.encode()))
            link = tarfile.TarInfo("sys/bus/cpu")
            link.type, link.linkname = tarfile.SYMTYPE, "../devices/system/cpu"
            archive.addfile(link)
        seeds.append(target.getvalue())
    return seeds


def _plant_archive() -> None:
    """A reader that takes a number for a number."""
    mock.patch.object(tar_reader, "_number", lambda field: int(field.strip(b" \0") or b"0", 8)).start()


ARCHIVE = Target(
    "archive",
    _read_archive,
    _archive_seeds,
    _plant_archive,
    (
        "probes/host/snapshot.py",
        "probes/host/tar_reader.py",
        "probes/host/host_tree.py",
        "probes/host/runtime_facts.py",
        "probes/topology/caches.py",
    ),
)
