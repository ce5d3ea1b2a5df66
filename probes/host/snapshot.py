"""Snapshots of a host: the files that probes read, in an archive that probes read back to the same answer."""

from __future__ import annotations

import contextlib
import io
import json
import lzma
import os
import re
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lowlat.probes.cpu.cpu_sets import CPU_FOLDER, cpu_folders
from lowlat.probes.host.facts import host_facts
from lowlat.probes.host.host_tree import LIVE, TEXT_BYTES_MAX, ArchiveTree, FolderTree, HostTree, HostTreeError
from lowlat.probes.host.runtime_facts import FACT_NAMES, FACTS_FILE
from lowlat.probes.topology import read_topology

ARCHIVE_BYTES_MAX = 256 << 20
ARCHIVE_FILES_MAX = 200_000
"""Limits on what an archive may unpack to: a 4,096-CPU host holds about 170,000 files of a few bytes."""

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


class RecordingTree(HostTree):
    """Passes every question on to another tree and keeps the answers."""

    def __init__(self, tree: HostTree) -> None:
        self._tree = tree
        self.root = tree.root
        self.files: dict[str, bytes] = {}
        self.folders: set[str] = set()

    @property
    def is_live(self) -> bool:
        """False: what only a live host tells would not be in the record."""
        return False

    def fact(self, name: str) -> str | None:
        """A fact of the recorded host."""
        return self._tree.fact(name)

    def read_bytes(self, path: str) -> bytes:
        """Content of a file, now in the record."""
        self.files[path] = self._tree.read_bytes(path)
        return self.files[path]

    def names(self, path: str) -> tuple[str, ...]:
        """Names in a folder; the folders among them are in the record, even if nothing in them is read."""
        names = self._tree.names(path)
        self.folders.update(f"{path}/{name}" for name in names if self._tree.names(f"{path}/{name}"))
        return names

    def exists(self, path: str) -> bool:
        """Whether it is there; if so, it is in the record: as a folder, or an empty file until it is read."""
        found = self._tree.exists(path)
        if found and self._tree.names(path):
            self.folders.add(path)
        elif found:
            self.files.setdefault(path, b"")
        return found

    def link_target(self, path: str) -> str | None:
        """Where a link points. Links are recorded as what they lead to."""
        return self._tree.link_target(path)


def capture(path: Path, tree: HostTree = LIVE) -> int:
    """Write a snapshot of a host as a `.tar.xz`, whole or not at all; return the number of files in it.

    Holds what the topology and the facts of a host are read from, and for other tools each CPU's topology,
    cache, cpufreq and cpuidle folders. Raises `HostTreeError` when the file cannot be written.
    """
    if not path.name.endswith(".tar.xz"):
        raise HostTreeError(f"{path} cannot hold a snapshot; give it a name that ends with .tar.xz")
    record = RecordingTree(tree)
    read_topology(record)
    host_facts(record)
    _read_extras(record)
    facts = {name: fact for name in FACT_NAMES if (fact := tree.fact(name)) is not None}
    if facts:
        record.files[FACTS_FILE] = json.dumps(facts, indent=1, sort_keys=True).encode()
    try:
        _write_archive(path, record)
    except OSError as error:
        why = error.strerror or str(error)
        raise HostTreeError(f"{path} cannot be written: {why}; choose another file") from error
    return len(record.files)


def _read_extras(record: RecordingTree) -> None:
    for path in _EXTRA_FILES:
        record.text(path)
    for cpu in cpu_folders(record):
        for folder in _EXTRA_CPU_FOLDERS:
            _read_folder(record, f"{CPU_FOLDER}/cpu{cpu}/{folder}", _EXTRA_DEPTH)


def _read_folder(record: RecordingTree, folder: str, depth: int) -> None:
    for name in record.names(folder):
        path = f"{folder}/{name}"
        # What is read is kept; a folder refuses to be read.
        if record.text(path) is None and depth > 1 and record.link_target(path) is None:
            _read_folder(record, path, depth - 1)


def _write_archive(path: Path, record: RecordingTree) -> None:
    files = record.files
    parents = {parent for name in files for parent in _parents(name)}
    with (
        _replacing(path) as target,
        tarfile.open(fileobj=target, mode="w:xz", format=tarfile.PAX_FORMAT) as archive,
    ):
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


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[io.BufferedIOBase]:
    """Open a file that takes the place of `path` only once it is whole."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as target:
            yield target
        os.chmod(name, 0o644)  # noqa: PTH101  (mkstemp makes files that only their owner may read)
        os.replace(name, path)  # noqa: PTH105
    except BaseException:
        os.unlink(name)  # noqa: PTH108
        raise


def open_root(path: str | Path) -> HostTree:
    """Open a host to look at: `/`, a folder that holds `sys/`, or an archive of one (`.tar.xz`, `.tar.gz`).

    Raises `HostTreeError` when there is nothing, no `sys/` in it, or the archive is damaged or far too large.
    """
    path = Path(path)
    try:
        if path.is_dir():
            tree: HostTree = FolderTree(path)
        elif path.exists():
            tree = _open_archive(path)
        else:
            raise HostTreeError(f"{path} does not exist; give a folder or a .tar.xz that holds sys/ and proc/")
    except PermissionError as error:
        raise HostTreeError(f"{path}: permission denied; read access is needed") from error
    if not tree.names("sys"):
        raise HostTreeError(f"{path} holds no sys/ that can be read; give the folder that holds sys/ and proc/")
    return tree


def _open_archive(path: Path) -> ArchiveTree:
    files: dict[str, bytes] = {}
    links: dict[str, str] = {}
    total = 0
    try:
        with tarfile.open(path, mode="r:*") as archive:
            for entry in archive:
                name = re.sub(r"^(\./)+", "", entry.name).strip("/")
                if entry.issym():
                    links[name] = entry.linkname
                elif entry.isdir() and name:
                    files[f"{name}/"] = b""
                elif entry.isfile():
                    total += entry.size
                    if total > ARCHIVE_BYTES_MAX or entry.size > TEXT_BYTES_MAX or len(files) > ARCHIVE_FILES_MAX:
                        raise HostTreeError(f"{path} unpacks to more than any snapshot of a host; it is not read")
                    content = archive.extractfile(entry)
                    files[name] = content.read() if content is not None else b""
    except (tarfile.TarError, lzma.LZMAError, EOFError, OSError) as error:
        if isinstance(error, PermissionError):
            raise
        # Of a file that is no archive at all, tarfile tells what each compression thinks of it, line by line.
        why = str(error).partition(":\n")[0]
        raise HostTreeError(f"{path} is no readable archive of a host: {why}; give a folder or a .tar.xz") from error
    return _without_prefix(path, files, links)


def _without_prefix(path: Path, files: dict[str, bytes], links: dict[str, str]) -> ArchiveTree:
    """Drop folders above `sys/`, as archives have that were made of a named folder."""
    prefixes = {match[1] for name in files if (match := re.match(r"((?:[^/]+/)*?)sys/", name))}
    prefix = min(prefixes, key=len, default="")

    def below(name: str) -> str:
        return name.removeprefix(prefix).rstrip("/")

    folders = {below(name) for name in files if name.endswith("/")}
    kept = {below(name): content for name, content in files.items() if not name.endswith("/")}
    return ArchiveTree(str(path), kept, {below(name): target for name, target in links.items()}, folders)
