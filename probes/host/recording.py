"""Recording of a host: the files that probes read, so that probes of the record give the same results."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from lowlat.probes.cpu.cpu_sets import CPU_FOLDER, cpu_folders
from lowlat.probes.host.facts import host_facts
from lowlat.probes.host.host_tree import HostTree, normal_path
from lowlat.probes.host.noting_tree import NotingTree
from lowlat.probes.host.redaction import Redaction
from lowlat.probes.host.runtime_facts import DENIED_FACT, FACT_NAMES, FACTS_FILE, FILES_FACT
from lowlat.probes.host.virtualization import container_environment, container_mounts
from lowlat.probes.topology import read_topology

_EXTRA_FILES = (
    "proc/cpuinfo",
    "proc/interrupts",
    "proc/softirqs",
    "proc/version",
    "proc/swaps",
    "proc/sys/kernel/osrelease",
)
_EXTRA_CPU_FOLDERS = ("topology", "cache", "cpufreq", "cpuidle")
_EXTRA_DEPTH = 2  # cpuN/cache/indexM, cpuN/cpuidle/stateM

_KEPT_LINES = {"proc/1/environ": container_environment, "proc/self/mountinfo": container_mounts}
"""Files that hold much else, secrets among it: a snapshot has only the lines that probes read."""
_PROCESS = re.compile(r"proc/[0-9]+(/|$)")
"""Files of processes, which name what runs on the host."""


class RecordingTree(NotingTree):
    """Forwards every read to another tree and records the result."""

    def __init__(self, tree: HostTree) -> None:
        super().__init__(tree)
        self.files: dict[str, bytes] = {}
        self.folders: set[str] = set()

    @property
    def is_live(self) -> bool:
        """False: facts that only a live host has would not be in the record."""
        return False

    def read_bytes(self, path: str) -> bytes:
        """Content of a file, which is added to the record."""
        content = self.noted(path)
        self.files[normal_path(path)] = content
        return content

    def names(self, path: str) -> tuple[str, ...]:
        """Names in a folder; its subfolders are recorded even if nothing in them is read."""
        names = super().names(path)
        folder = normal_path(path)
        self.folders.update(f"{folder}/{name}" for name in names if self._tree.names(f"{path}/{name}"))
        return names

    def exists(self, path: str) -> bool:
        """Whether the path exists; if so, it is recorded as a folder, or as an empty file until it is read."""
        found = super().exists(path)
        if found and self._tree.names(path):
            self.folders.add(normal_path(path))
        elif found:
            self.files.setdefault(normal_path(path), b"")
        return found


def record_host(tree: HostTree, redaction: Redaction | None) -> RecordingTree:
    """Record the sources of a host's topology and facts and what `lowlat doctor` reads, without names of processes.

    For other tools, also the topology, cache, cpufreq and cpuidle folders of each CPU. With `redaction`, without what
    says whose host it is.
    """
    record = RecordingTree(tree)
    read_topology(record)
    host_facts(record)
    _read_extras(record)
    _read_for_doctor(record)
    for name, keep in _KEPT_LINES.items():
        if name in record.files:
            kept = keep(record.files[name].replace(b"\0", b"\n").decode("utf-8", "replace"))
            record.files[name] = kept.encode()
    lost = {normal_path(path) for path in record.lost}
    denied = list(record.denied)
    if redaction is not None:
        lost |= _redact(record, redaction)
        denied = [redaction.path(path) for path in denied]
    facts = {name: fact for name in FACT_NAMES if (fact := tree.fact(name)) is not None}
    if denied:
        facts[DENIED_FACT] = "\n".join(denied)
    facts[FILES_FACT] = "\n".join(sorted(record.files.keys() | lost))
    record.files[FACTS_FILE] = json.dumps(facts, indent=1, sort_keys=True).encode()
    return record


def _redact(record: RecordingTree, redaction: Redaction) -> set[str]:
    """Redact the record in place; return the paths of files that cannot be, which are left out."""
    files: dict[str, bytes] = {}
    lost = set()
    for path, content in record.files.items():
        redacted = redaction.content(path, content)
        if redacted is None:
            lost.add(redaction.path(path))
        else:
            files[redaction.path(path)] = redacted
    record.files = files
    record.folders = {redaction.path(path) for path in record.folders}
    return lost


def _read_extras(record: RecordingTree) -> None:
    for path in _EXTRA_FILES:
        record.text(path)
    for cpu in cpu_folders(record):
        for folder in _EXTRA_CPU_FOLDERS:
            _read_folder(record, f"{CPU_FOLDER}/cpu{cpu}/{folder}", _EXTRA_DEPTH)


def _read_for_doctor(record: RecordingTree) -> None:
    """Record what the checks read, so that what is absent in a snapshot is absent on its host."""
    from lowlat.probes.doctor.examination import examine
    from lowlat.probes.doctor.examined_host import ExaminedHost
    from lowlat.probes.doctor.registry import all_checks

    examine(ExaminedHost(record), all_checks())
    for path in [path for path in record.files if _PROCESS.match(path) and path not in _KEPT_LINES]:
        del record.files[path]
    record.folders = {path for path in record.folders if not _PROCESS.match(path)}


def _read_folder(record: RecordingTree, folder: str, depth: int) -> None:
    for name in record.names(folder):
        path = f"{folder}/{name}"
        # Reading records the file; reading a folder fails.
        if record.text(path) is None and depth > 1 and record.link_target(path) is None:
            _read_folder(record, path, depth - 1)


def folders_of(record: RecordingTree) -> list[str]:
    """The folders of a record, each after the one that it is in."""
    parents = {parent for name in record.files for parent in _parents(name)}
    return sorted((record.folders | parents) - record.files.keys())


def _parents(name: str) -> Iterator[str]:
    parent = name.rpartition("/")[0]
    while parent:
        yield parent
        parent = parent.rpartition("/")[0]
