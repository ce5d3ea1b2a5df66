"""Data on stdout, everything else on stderr; a reader that goes away is no error."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterable

from lowlat.errors import OutputPathError
from lowlat.text import printable


def prepare() -> None:
    """Give a process started without stdout or stderr a place to write, and let no character be unprintable."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller, as in `lowlat bench >&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 (lives as long as the process)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def emit(text: str) -> None:
    """Write data to stdout, now. Raises `OutputPathError`, but not for a reader that has gone."""
    emit_parts((text,))


def emit_parts(parts: Iterable[str]) -> bool:
    """Write data to stdout as it comes; whether there was a reader to the end. Raises `OutputPathError`."""
    try:
        for part in parts:
            sys.stdout.write(part)
        sys.stdout.flush()
        return True
    except BrokenPipeError:
        discard_stdout()
        return False
    except OSError as error:
        discard_stdout()
        raise OutputPathError(
            f"cannot write to stdout: {error.strerror}; redirect it elsewhere, or name a file with -o"
        ) from error


def say(line: str) -> None:
    """Write one line to stderr, if anyone reads it. What a terminal would not print is shown escaped."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"lowlat: {printable(line)}\n")
        sys.stderr.flush()


def discard_stdout() -> None:
    """Send what is still buffered nowhere: else the interpreter fails on it when it ends, with a code of its own."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)
