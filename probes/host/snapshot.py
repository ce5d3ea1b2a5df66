"""Snapshots of a host: an archive of the files that probes read. Probes of the archive give the same results."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path
from typing import BinaryIO

from lowlat import units
from lowlat.compression import Bound, chunks, compression_of
from lowlat.errors import FormatError, InputError, OutputPathError
from lowlat.files import written_atomically
from lowlat.inputs import opened
from lowlat.limits import ARCHIVE_BYTES_MAX, TREE_BYTES_MAX
from lowlat.probes.host.host_tree import LIVE, ArchiveTree, FolderTree, HostTree
from lowlat.probes.host.recording import RecordingTree, folders_of, record_host
from lowlat.probes.host.redaction import Redaction
from lowlat.probes.host.runtime_facts import FACTS_FILE
from lowlat.probes.host.tar_reader import entries

BUNDLE_FILE = "capture.json"
"""In a folder that `lowlat capture` wrote, beside `sys/`: the parts of the bundle."""


def capture(path: str | Path, tree: HostTree = LIVE, *, with_identity: bool = False) -> int:
    """Write a snapshot of a host as a `.tar.xz`, atomically; return the number of files in it.

    Contains what `record_host` records, without names, addresses and serial numbers unless `with_identity`. Raises
    `OutputPathError` when the file cannot be written.
    """
    path = Path(path)
    if not path.name.endswith(".tar.xz"):
        raise OutputPathError(f"{path} is not a snapshot name; use a name that ends in .tar.xz")
    record = record_host(tree, None if with_identity else Redaction(tree))
    try:
        path.parent.stat()  # reports a missing folder with the system's message
    except OSError as error:
        raise OutputPathError(f"{path} cannot be written: {error.strerror}; choose another file") from error
    with written_atomically(path) as target:
        _write_archive(target, record)
    return len(record.files)


def _write_archive(target: BinaryIO, record: RecordingTree) -> None:
    files = record.files
    with tarfile.open(fileobj=target, mode="w:xz", format=tarfile.PAX_FORMAT) as archive:
        for folder in folders_of(record):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(files[name]), 0o644
            archive.addfile(entry, io.BytesIO(files[name]))


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
    if tree.exists(BUNDLE_FILE) and not tree.exists(FACTS_FILE):
        raise InputError(f"{path} is a capture whose {FACTS_FILE} is gone; capture the host again")
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
