"""What the system refused, in words. Memory, threads and calls that are not to be had are no defects of lowlat."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path
from typing import Final

_SPACE: Final = "free some space, or use another disk"
_MEMORY: Final = "free some memory, or raise the limit (ulimit -v)"
_THREADS: Final = "raise the limit of processes and threads (ulimit -u, or pids.max of the container)"
NO_THREAD: Final = f"no thread can be started; {_THREADS}"
_NO_THREAD_SAID: Final = ("start new thread", "start watchdog thread")
"""How all ends that CPython says, in `threading` and `faulthandler`."""
_RIGHTS: Final = "run it with this right, or outside the sandbox"
_CHECK: Final = "check memory, disk and limits (ulimit -a)"
_HINTS: Final = {
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "close other programs: the whole host has too many files open",
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: "raise the limit of file sizes (ulimit -f)",
    errno.ENOMEM: _MEMORY,
    errno.EAGAIN: _THREADS,
    errno.EPERM: _RIGHTS,
    errno.EACCES: _RIGHTS,
    errno.ENOSYS: _RIGHTS,
    errno.EROFS: "use another folder",
    errno.EIO: "check the disk; the kernel's log (dmesg) may say more",
}


def refusal(error: BaseException) -> str | None:
    """What the system refused and what to do, if that is what an exception of Python or a library is about.

    None for anything else, such as a defect.
    """
    if isinstance(error, SystemError) and "without exception set" in str(error):
        error = MemoryError()  # CPython 3.11, without memory for the frame of a call
    if isinstance(error, MemoryError):
        return f"not enough memory: {error}".removesuffix(": ") + "; use fewer commands or smaller pools"
    if isinstance(error, ImportError):
        return _of_import(error)
    if isinstance(error, OSError) and (not isinstance(error, io.UnsupportedOperation) or _is_seek(error)):
        return _of_call(error)
    if isinstance(error, RuntimeError) and str(error).endswith(_NO_THREAD_SAID):
        return NO_THREAD
    return None


def _is_seek(error: OSError) -> bool:
    """Whether a call to seek failed while a file was opened, of which CPython keeps no errno; a defect otherwise."""
    return "File or stream is not seekable" in str(error)


def _of_call(error: OSError) -> str:
    if error.errno is None:  # some libraries raise it with a text only
        return f"the system refused a call: {str(error).rstrip('.')}; {_CHECK}"
    if error.errno == errno.ENOENT and error.filename is None and _is_folder_gone():
        return "the current folder was removed; change to another"
    about = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
    return f"{about}{error.strerror or os.strerror(error.errno)}; {_HINTS.get(error.errno, _CHECK)}"


def _is_folder_gone() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _of_import(error: ImportError) -> str:
    """The first cause: libraries explain a failed import of theirs at length."""
    first: BaseException = error
    while isinstance(cause := first.__cause__ or first.__context__, ImportError | OSError):
        first = cause
    why = f"{first}".strip().splitlines() or [type(first).__name__]
    return f"a module cannot be loaded: {why[0]}; {_CHECK}, or install lowlat again"
