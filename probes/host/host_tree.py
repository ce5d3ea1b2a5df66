"""A host's `/proc` and `/sys`: the live ones, a copy in a folder, or a captured archive.

Probes read through a `HostTree`, so the snapshot of any machine can be inspected on any other. Reading never raises for
missing files: absent or unreadable text is None, and `why` tells the two apart.
"""

from __future__ import annotations

import errno
import functools
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from lowlat import units
from lowlat.errors import InputError
from lowlat.inputs import open_regular
from lowlat.limits import NUMBER_DIGITS_MAX, TREE_BYTES_MAX, TREE_FILE_BYTES_MAX
from lowlat.probes.host.runtime_facts import DENIED_FACT, FACTS_FILE, FILES_FACT, live_fact, parse_facts
from lowlat.probes.reading import Reading, known, not_applicable, unknown

if TYPE_CHECKING:
    from pathlib import Path

_NUMBER = re.compile(rf"-?[0-9]{{1,{NUMBER_DIGITS_MAX}}}|0[xX][0-9a-fA-F]{{1,{NUMBER_DIGITS_MAX}}}", re.ASCII)
_SYSFS_TEXT_BYTES = 4096  # one page, the maximum of a sysfs attribute; binary ones may be longer

PERMISSION_DENIED = "permission denied (needs root, or the container forbids it)"
LOST = "missing from the capture"


class HostTree(ABC):
    """Files below one root. Paths are relative to it, like `proc/cpuinfo`."""

    root: str

    @property
    def is_live(self) -> bool:
        """True for the running host; only there do this process's own affinity and cgroup count."""
        return False

    @abstractmethod
    def read_bytes(self, path: str) -> bytes:
        """Content of a file; `OSError` when absent or unreadable."""

    @abstractmethod
    def names(self, path: str) -> tuple[str, ...]:
        """Sorted names in a folder, including links and dangling links; empty if the folder is absent."""

    @abstractmethod
    def exists(self, path: str) -> bool:
        """Whether a file or folder exists; false for a dangling link."""

    def is_denied(self, path: str) -> bool:
        """Whether a file or folder is there and may not be read, which is not the same as absent."""
        try:
            self.read_bytes(path)
        except PermissionError:
            return True
        except OSError:
            pass
        return False

    @functools.cached_property
    def _denied_at_capture(self) -> frozenset[str]:
        return frozenset((self.fact(DENIED_FACT) or "").split("\n"))

    @functools.cached_property
    def _captured(self) -> dict[str, set[str]]:
        """The names in each folder that were captured; empty for a tree that does not say so."""
        found: dict[str, set[str]] = {}
        for path in filter(None, (self.fact(FILES_FACT) or "").split("\n")):
            name, folder = path, path
            while folder:
                folder, _, name = folder.rpartition("/")
                found.setdefault(folder, set()).add(name)
        return found

    def is_lost(self, path: str) -> bool:
        """Whether the capture had a file here, and has it no longer."""
        if self.is_live or path == FACTS_FILE:
            return False
        folder, _, name = path.rpartition("/")
        return name in self._captured.get(folder, ()) and path not in self._captured

    def _missing(self, path: str) -> OSError:
        """The error for a file that a captured tree lacks: denied where it was captured, lost since, or absent."""
        if path != FACTS_FILE and path in self._denied_at_capture:
            return PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        if self.is_lost(path):
            return OSError(errno.ESTALE, LOST, path)
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    def _with_lost(self, folder: str, names: Iterable[str]) -> tuple[str, ...]:
        """The names in a folder of a captured tree, and those that were captured in it."""
        captured: Iterable[str] = () if self.is_live else self._captured.get(folder, ())
        return tuple(sorted({*names, *captured}))

    @abstractmethod
    def link_target(self, path: str) -> str | None:
        """The target of a symbolic link, as written; None if the path is not a link."""

    def fact(self, name: str) -> str | None:
        """A fact that is not in any kernel file, as captured; see `lowlat.probes.host.runtime_facts`."""
        return parse_facts(self.text(FACTS_FILE) or "{}").get(name)

    def text(self, path: str) -> str | None:
        """Content without NUL bytes and outer blanks, `(null)` as empty; None if absent or unreadable."""
        try:
            return clean_text(self.read_bytes(path))
        except OSError:
            return None

    def absence(self, source: str, reason: str, *paths: str) -> Reading[Any]:
        """A reading without value: not applicable for this reason, unless one of the paths may not be read."""
        for path in paths:
            if self.is_denied(path):
                return unknown(source, f"/{path}: {PERMISSION_DENIED}")
            if not self.exists(path) and self.is_lost(path):
                return unknown(source, f"/{path}: {LOST}")
        return not_applicable(source, reason)

    def zero_separated(self, path: str) -> str:
        """Content whose parts end with NUL, as of `/proc/PID/environ`, a line each; empty if absent or unreadable."""
        try:
            return clean_text(self.read_bytes(path).replace(b"\0", b"\n"))
        except OSError:
            return ""

    def integer(self, path: str) -> int | None:
        """Content as a decimal or 0x number; None if absent, empty or not a number."""
        return parse_integer(self.text(path) or "")

    def reading(self, path: str) -> Reading[str]:
        """Content as a reading that names the path: not applicable if absent, unknown if unreadable or empty."""
        source = f"read from /{path}"
        try:
            text = clean_text(self.read_bytes(path))
        except FileNotFoundError:
            return not_applicable(source, f"/{path} does not exist")
        except OSError as error:
            return unknown(source, explain_os_error(error, f"/{path}"))
        return known(text, source) if text else unknown(source, f"/{path} is empty")


def clean_text(content: bytes) -> str:
    """Text of a kernel file without outer blanks and NUL bytes, which end some files."""
    text = content.replace(b"\0", b"").decode("utf-8", "replace").strip()
    return "" if text == "(null)" else text


def parse_integer(text: str) -> int | None:
    """Parse a decimal or 0x number; None if the text is not a number."""
    if not _NUMBER.fullmatch(text):
        return None
    return int(text, 16 if text[:2].lower() == "0x" else 10)


def explain_os_error(error: OSError, what: str) -> str:
    """Explain why `what` could not be read or done, and which permission is missing."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{what}: {PERMISSION_DENIED}"
    return f"{what}: {error.strerror or error}"


class FolderTree(HostTree):
    """A folder that contains `sys/` and `proc/`; `/` is the running host."""

    def __init__(self, root: str | Path) -> None:
        self.root = str(root)
        self._prefix = self.root.rstrip("/") + "/"
        self._left = TREE_BYTES_MAX

    @property
    def is_live(self) -> bool:
        """True for `/` itself."""
        return self._prefix == "/"

    def fact(self, name: str) -> str | None:
        """A fact of the running host, or of the copy."""
        return live_fact(name) if self.is_live else super().fact(name)

    def read_bytes(self, path: str) -> bytes:
        """Content of a regular file. Raises `OSError` also for another, or a longer one than `TREE_FILE_BYTES_MAX`."""
        try:
            file = open_regular(self._prefix + path)
        except FileNotFoundError as error:
            raise (error if self.is_live else self._missing(path)) from None
        try:
            content = os.read(file, 1 << 16)
            # /proc returns about a page per read, then nothing; sysfs returns a whole text in one read.
            whole = path.startswith("sys/") and len(content) < _SYSFS_TEXT_BYTES
            while not whole and len(content) <= TREE_FILE_BYTES_MAX and (more := os.read(file, 1 << 16)):
                content += more
        finally:
            os.close(file)
        if not self.is_live:
            self._count(len(content))
        if len(content) > TREE_FILE_BYTES_MAX:
            raise OSError(errno.EFBIG, f"it has more than {units.whole_size(TREE_FILE_BYTES_MAX)}, the limit", path)
        return content

    def _count(self, read_bytes: int) -> None:
        """Limit what a copy may cost. Raises `InputError`."""
        self._left -= read_bytes
        if self._left < 0:
            raise InputError(
                f"{self.root}: the files read from it have more than {units.whole_size(TREE_BYTES_MAX)}, the limit"
            )

    def names(self, path: str) -> tuple[str, ...]:
        """Sorted names in a folder; empty when it is absent or unreadable."""
        try:
            names = os.listdir(self._prefix + path)  # noqa: PTH208
        except OSError:
            names = []
        return tuple(sorted(names)) if self.is_live else self._with_lost(path, names)

    def is_denied(self, path: str) -> bool:
        """Whether a file or folder is there and may not be read."""
        if not os.path.isdir(self._prefix + path):  # noqa: PTH112
            return super().is_denied(path)
        try:
            os.listdir(self._prefix + path)  # noqa: PTH208
        except PermissionError:
            return True
        except OSError:
            pass
        return False

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        return os.path.exists(self._prefix + path)  # noqa: PTH110  (Path costs 5 us more, 10,000 times)

    def link_target(self, path: str) -> str | None:
        """Where a symbolic link points; None when it is not a link."""
        try:
            return os.readlink(self._prefix + path)  # noqa: PTH115
        except OSError:
            return None


class ArchiveTree(HostTree):
    """A captured host in memory: files by path, and links by path."""

    def __init__(self, root: str, files: dict[str, bytes], links: dict[str, str], folders: Iterable[str] = ()) -> None:
        self.root = root
        self._files = files
        self._links = links
        self._folders: dict[str, set[str]] = {folder: set() for folder in folders}
        for path in (*files, *links, *self._folders.copy()):
            self._add_to_folders(path)

    def _add_to_folders(self, path: str) -> None:
        while path:
            parent, _, name = path.rpartition("/")
            known_names = self._folders.setdefault(parent, set())
            if name in known_names:
                return
            known_names.add(name)
            path = parent

    def _resolve(self, path: str) -> str:
        """Follow links in every part of the path, at most 40 as the kernel does."""
        for _ in range(40):
            parts = path.split("/")
            for count in range(1, len(parts) + 1):
                target = self._links.get("/".join(parts[:count]))
                if target is not None:
                    folder = "" if target.startswith("/") else "/".join(parts[: count - 1])
                    path = normal_path(f"{folder}/{target}/{'/'.join(parts[count:])}")
                    break
            else:
                return path
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)

    def read_bytes(self, path: str) -> bytes:
        """Content of a file; `FileNotFoundError` when the archive has none."""
        try:
            return self._files[self._resolve(normal_path(path))]
        except KeyError:
            raise self._missing(path) from None

    def names(self, path: str) -> tuple[str, ...]:
        """Sorted names in a folder; empty when it is absent."""
        try:
            resolved = self._resolve(normal_path(path))
        except OSError:
            return ()
        return self._with_lost(resolved, self._folders.get(resolved, ()))

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        try:
            resolved = self._resolve(normal_path(path))
        except OSError:
            return False
        return resolved in self._files or resolved in self._folders

    def link_target(self, path: str) -> str | None:
        """Where a symbolic link points; None when it is not a link."""
        return self._links.get(normal_path(path))


def normal_path(path: str) -> str:
    """The path without `.`, `..` and empty parts; it cannot leave the root."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


LIVE = FolderTree("/")
"""The running host."""
