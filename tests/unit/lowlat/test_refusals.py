"""What the system refuses is told from defects, and says what to do."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from lowlat.refusals import refusal


def imported() -> ImportError:
    """As numpy raises it: the cause, then a page of advice."""
    try:
        try:
            raise ImportError("libx.so: failed to map segment from shared object")
        except ImportError as error:
            raise ImportError("\n\nIMPORTANT: PLEASE READ THIS\n\nadvice") from error
    except ImportError as error:
        return error


def not_seekable() -> OSError:
    """As CPython raises it when it cannot seek in a file that it opens."""
    reader, writer = os.pipe()
    try:
        with pytest.raises(io.UnsupportedOperation) as raised:
            os.fdopen(reader, "r+b", closefd=False)
        return raised.value
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SystemError("error return without exception set"), "not enough memory; use fewer commands or smaller pools"),
        (MemoryError(), "not enough memory; use fewer commands or smaller pools"),
        (MemoryError("std::bad_alloc"), "not enough memory: std::bad_alloc; use fewer commands or smaller pools"),
        (
            OSError(errno.EMFILE, "Too many open files"),
            "Too many open files; raise the limit of open files (ulimit -n)",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "a.json"),
            "a.json: No space left on device; free some space",
        ),
        (OSError(errno.EIO, "Input/output error", b"a"), "a: Input/output error; check the disk"),
        (PermissionError(errno.EPERM, "Operation not permitted"), "Operation not permitted; run it with this right"),
        (OSError(errno.ENOENT, "No usable temporary directory found in [/tmp]"), "No usable temporary directory found"),
        (OSError(errno.EXDEV, "Invalid cross-device link"), "Invalid cross-device link; check memory, disk and limits"),
        (OSError("4096 requested and 512 written"), "the system refused a call: 4096 requested and 512 written; check"),
        (not_seekable(), "the system refused a call: File or stream is not seekable; check memory, disk and limits"),
        (RuntimeError("can't start new thread"), "no thread can be started; raise the limit of processes and threads"),
        (RuntimeError("unable to start watchdog thread"), "no thread can be started; raise the limit of processes"),
        (imported(), "a module cannot be loaded: libx.so: failed to map segment from shared object; check memory"),
        (ImportError(), "a module cannot be loaded: ImportError; check memory, disk and limits"),
    ],
)
def test_a_refusal_says_what_and_what_to_do(error: BaseException, words: str) -> None:
    found = refusal(error)
    assert found is not None and found.startswith(words) and "\n" not in found


def test_a_removed_current_folder_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(FileNotFoundError) as raised:
        Path.cwd()
    assert refusal(raised.value) == "the current folder was removed; change to another"


@pytest.mark.parametrize(
    "error",
    [
        KeyError("x"),
        RuntimeError("x"),
        SystemError("bad argument"),
        AssertionError(),
        io.UnsupportedOperation("seek"),
        ValueError(),
    ],
)
def test_a_defect_is_none(error: BaseException) -> None:
    assert refusal(error) is None
