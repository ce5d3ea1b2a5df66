"""Snapshots of a host: an archive of the files that probes read. Probes of the archive give the same results."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lowlat import units
from lowlat.compression import Bound, chunks, compression_of
from lowlat.errors import FormatError, InputError, OutputPathError
from lowlat.files import written_atomically
from lowlat.inputs import opened
from lowlat.limits import ARCHIVE_BYTES_MAX, TREE_BYTES_MAX
from lowlat.probes.cpu.cpu_sets import CPU_FOLDER, cpu_folders
from lowlat.probes.host.facts import host_facts
from lowlat.probes.host.host_tree import LIVE, ArchiveTree, FolderTree, HostTree
from lowlat.probes.host.noting_tree import NotingTree
from lowlat.probes.host.runtime_facts import DENIED_FACT, FACT_NAMES, FACTS_FILE
from lowlat.probes.host.tar_reader import entries
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
        self.files[path] = self.noted(path)
        return self.files[path]

    def names(self, path: str) -> tuple[str, ...]:
        """Names in a folder; its subfolders are recorded even if nothing in them is read."""
        names = super().names(path)
        self.folders.update(f"{path}/{name}" for name in names if self._tree.names(f"{path}/{name}"))
        return names

    def exists(self, path: str) -> bool:
        """Whether the path exists; if so, it is recorded as a folder, or as an empty file until it is read."""
        found = super().exists(path)
        if found and self._tree.names(path):
            self.folders.add(path)
        elif found:
            self.files.setdefault(path, b"")
        return found


def capture(path: str | Path, tree: HostTree = LIVE) -> int:
    """Write a snapshot of a host as a `.tar.xz`, atomically; return the number of files in it.

    Contains the sources of the host's topology and facts, what `lowlat doctor` reads (without names of processes), and,
    for other tools, the topology, cache, cpufreq and cpuidle folders of each CPU. Raises `OutputPathError` when the
    file cannot be written.
    """
    path = Path(path)
    if not path.name.endswith(".tar.xz"):
        raise OutputPathError(f"{path} is not a snapshot name; use a name that ends in .tar.xz")
    record = RecordingTree(tree)
    read_topology(record)
    host_facts(record)
    _read_extras(record)
    _read_for_doctor(record)
    for name, keep in _KEPT_LINES.items():
        if name in record.files:
            kept = keep(record.files[name].replace(b"\0", b"\n").decode("utf-8", "replace"))
            record.files[name] = kept.encode()
    facts = {name: fact for name in FACT_NAMES if (fact := tree.fact(name)) is not None}
    if record.denied:
        facts[DENIED_FACT] = "\n".join(record.denied)
    if facts:
        record.files[FACTS_FILE] = json.dumps(facts, indent=1, sort_keys=True).encode()
    try:
        path.parent.stat()  # reports a missing folder with the system's message
    except OSError as error:
        raise OutputPathError(f"{path} cannot be written: {error.strerror}; choose another file") from error
    with written_atomically(path) as target:
        _write_archive(target, record)
    return len(record.files)


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


def _write_archive(target: BinaryIO, record: RecordingTree) -> None:
    files = record.files
    parents = {parent for name in files for parent in _parents(name)}
    with tarfile.open(fileobj=target, mode="w:xz", format=tarfile.PAX_FORMAT) as archive:
        for folder in sorted((record.folders | parents) - files.keys()):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(files[name]), 0o644
            archive.addfile(entry, io.BytesIO(files[name]))


def _parents(name: str) -> Iterator[str]:
    parent = name.rpartition("/")[0]
    while parent:
        yield parent
        parent = parent.rpartition("/")[0]


def open_root(path: str | Path) -> HostTree:
    """Open a host to inspect: `/`, a folder that contains `sys/`, or an archive of one (`.tar.xz`, `.tar.gz`).

    Raises `InputError` if the path does not exist or has no `sys/`, or the archive is damaged or far too large.
    """
    path = Path(path)
    try:
        if path.is_dir():
            tree: HostTree = FolderTree(path)
        elif path.exists():
            tree = _open_archive(path)
        else:
            raise InputError(f"{path} does not exist; give a directory or a .tar.xz that contains sys/ and proc/")
    except PermissionError as error:
        raise InputError(f"{path}: permission denied; read access is needed") from error
    if not tree.names("sys"):
        raise InputError(f"{path} has no readable sys/; give the directory that contains sys/ and proc/")
    return tree


def _open_archive(path: Path) -> ArchiveTree:
    files: dict[str, bytes] = {}
    links: dict[str, str] = {}
    total = 0
    try:
        with opened(path) as stream:
            compression = compression_of(stream.peek(8))
            for entry in entries(chunks(path, stream, compression, Bound(ARCHIVE_BYTES_MAX))):
                name = re.sub(r"^(\./)+", "", entry.name).strip("/")
                if entry.target is not None:
                    links[name] = entry.target
                elif entry.content is not None:
                    total += len(entry.content)
                    if total > TREE_BYTES_MAX:
                        raise FormatError(f"its files have more than {units.whole_size(TREE_BYTES_MAX)}, the limit")
                    files[name] = entry.content
                elif name:
                    files[f"{name}/"] = b""
    except (FormatError, InputError) as error:
        why = str(error).removeprefix(f"{path}: ")
        raise InputError(f"{path} is not a readable snapshot: {why}; give a directory or a .tar.xz") from error
    return _without_prefix(path, files, links)


def _without_prefix(path: Path, files: dict[str, bytes], links: dict[str, str]) -> ArchiveTree:
    """Drop folders above `sys/`, which archives made from a named folder contain."""
    prefixes = {match[1] for name in files if (match := re.match(r"((?:[^/]+/)*?)sys/", name))}
    prefix = min(prefixes, key=len, default="")

    def below(name: str) -> str:
        return name.removeprefix(prefix).rstrip("/")

    folders = {below(name) for name in files if name.endswith("/")}
    kept = {below(name): content for name, content in files.items() if not name.endswith("/")}
    return ArchiveTree(str(path), kept, {below(name): target for name, target in links.items()}, folders)
