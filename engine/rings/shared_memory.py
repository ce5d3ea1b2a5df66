"""The file of a ring: creates, finds and maps it."""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lowlat import units
from lowlat.engine import _core
from lowlat.engine.platform.mapped_file import MappedFile
from lowlat.engine.rings.records import RingFault, RingKind
from lowlat.errors import InputError, OutputPathError, UsageError
from lowlat.private_files import why_not_private

HEADER_BYTES: Final = 2048
LARGE_BYTES: Final = 1 << 30
"""Below this size, available memory is not checked."""


@dataclass(frozen=True, slots=True)
class RingShape:
    """The shape of a ring: `kind` (`RingKind`, or the value in another file), record size in bytes."""

    kind: int
    record_bytes: int

    def __str__(self) -> str:
        known: dict[int, str] = {RingKind.SPSC: "one producer", RingKind.MPSC: "many producers"}
        producers = known.get(self.kind, f"unknown kind {self.kind}")
        return f"a ring of {self.record_bytes}-byte records for {producers}"


@dataclass(frozen=True, slots=True)
class RingMemory:
    """The memory of a ring: an open descriptor of it, its mapping, and the capacity that its size was checked for."""

    descriptor: int
    memory: MappedFile
    capacity: int


def made(shape: RingShape, capacity: int, path: Path | None) -> RingMemory:
    """The memory of a new, empty ring: in the file `path`, which must not exist, or unnamed."""
    bytes_needed = _core.ring_bytes(shape.kind, shape.record_bytes, capacity)
    if path is None:
        _check_memory(bytes_needed)
    try:
        descriptor = _anonymous() if path is None else _exclusive(path)
    except (OSError, ValueError) as error:
        raise OutputPathError(f"cannot create {_name(path)}: {_reason(error, path)}") from error
    try:
        _take_space(descriptor, bytes_needed)
        _seal(descriptor)
        memory = MappedFile(descriptor, bytes_needed, _name(path), writable=True)
        _core.format_ring(memory, shape.kind, shape.record_bytes, capacity)
    except BaseException as error:
        os.close(descriptor)
        if path is not None:
            path.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise OutputPathError(
            f"cannot allocate {units.size(bytes_needed)} for {_name(path)}: {error.strerror}"
        ) from error
    return RingMemory(descriptor, memory, capacity)


def found(shape: RingShape, where: Path | int) -> RingMemory:
    """The memory of the ring in a file or of a descriptor (which is duplicated), after validation."""
    try:
        if isinstance(where, int):
            descriptor = os.dup(where)
        else:
            descriptor = os.open(where, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot open {_name(where)}: {_reason(error, where)}") from error
    try:
        return _validated(shape, descriptor, where)
    except BaseException:
        os.close(descriptor)
        raise


def _validated(shape: RingShape, descriptor: int, where: Path | int) -> RingMemory:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{_name(where)} is not a regular file; give the file of a ring")
    # Memory without a name is only reached by who was given a descriptor of it.
    if status.st_nlink and (reason := why_not_private(status)):
        raise InputError(f"{_name(where)} {reason}; others could change the ring: attach only to files of your own")
    if status.st_size < HEADER_BYTES:
        raise InputError(
            f"{_name(where)} has {units.counted(status.st_size, 'byte')}, too few for a ring header; "
            "it may still be under creation"
        )
    try:
        memory = MappedFile(descriptor, status.st_size, _name(where), writable=True)
    except OSError as error:
        raise InputError(f"cannot map {_name(where)}: {error}") from error
    there = _core.RingIdentity(memory)
    memory.check()
    if fault := there.fault(len(memory), shape.kind, shape.record_bytes):
        raise InputError(f"{_name(where)} {_fault_text(fault, shape, there, len(memory))}")
    return RingMemory(descriptor, memory, there.capacity)


def _fault_text(fault: int, shape: RingShape, there: _core.RingIdentity, file_bytes: int) -> str:
    match fault:
        case RingFault.SIZE:
            return (
                f"is {units.counted(file_bytes, 'byte')} long, not the size of a ring of "
                f"{units.counted(there.capacity, 'record')}; it was truncated or is damaged: create it again"
            )
        case RingFault.NOT_A_RING:
            return "does not start like a ring; it is another file, or still under creation"
        case RingFault.VERSION:
            return (
                f"is a ring of format {there.version}, but this program reads {_core.RING_VERSION}; use the same "
                "version on both sides"
            )
        case RingFault.KIND | RingFault.RECORD_SIZE:
            return f"is {RingShape(there.kind, there.record_bytes)}, not {shape}"
        case RingFault.INDICES:
            return "says that more was taken than pushed, or more pushed than fits; it is damaged: create it again"
        case _:
            capacity = units.counted(there.capacity, "record")
            return f"claims a capacity of {capacity}, which is not a power of two; its header is damaged"


def _anonymous() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("lowlat-ring", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _exclusive(path: Path) -> int:
    # Exclusive creation does not follow a symlink at the end of the path.
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _take_space(descriptor: int, bytes_needed: int) -> None:
    """Allocate the space now if the system can: if the disk filled up later, the first touch would raise SIGBUS."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, bytes_needed)
    else:
        os.ftruncate(descriptor, bytes_needed)


def _check_memory(bytes_needed: int) -> None:
    """Check the size of unnamed memory: it has no limit, and the kernel would kill processes rather than refuse."""
    if bytes_needed < LARGE_BYTES:
        return
    import psutil

    available = psutil.virtual_memory().available
    if bytes_needed > available:
        raise UsageError(
            f"a ring of that capacity takes {bytes_needed / LARGE_BYTES:.0f} GiB, and "
            f"{available / LARGE_BYTES:.0f} GiB are available; create a smaller one"
        )


def _seal(descriptor: int) -> None:
    """Seal unnamed memory, so that nobody can shrink it while it is mapped; files have no seals."""
    import fcntl

    if hasattr(fcntl, "F_ADD_SEALS"):
        try:
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        except OSError:
            return


def _name(where: Path | int | None) -> str:
    if where is None:
        return "memory for a ring"
    return f"descriptor {where}" if isinstance(where, int) else str(where)


def _reason(error: OSError | ValueError, where: Path | int | None) -> str:
    match error:
        case ValueError():
            return "a file name cannot contain NUL"
        case FileExistsError():
            return "it exists; attach to it, or remove it"
        case FileNotFoundError() if isinstance(where, Path) and not where.parent.is_dir():
            return f"the directory {where.parent} does not exist; create it first"
        case FileNotFoundError():
            return "it does not exist; create the ring before attaching"
    return f"{error.strerror}; give another path"
