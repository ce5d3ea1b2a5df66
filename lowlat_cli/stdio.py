"""Data on stdout, everything else on stderr; a reader that goes away is no error."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterable

from lowlat.errors import UsageError


class StdoutError(UsageError):
    """The system does not take what goes to stdout."""


def prepare() -> None:
    """Give a process started without stdout or stderr a place to write, and let no character be unprintable."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller, as in `lowlat bench >&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 (lives as long as the process)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def emit(text: str) -> None:
    """Write data to stdout, now. Raises `StdoutError`, but not for a reader that has gone."""
    emit_parts((text,))


def emit_parts(parts: Iterable[str]) -> bool:
    """Write data to stdout as it comes; whether there was a reader to the end. Raises `StdoutError`."""
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
        raise StdoutError(
            f"cannot write to stdout: {error.strerror}; write elsewhere, or name a file with -o"
        ) from error


def say(line: str) -> None:
    """Write one line to stderr, if anyone reads it. What a terminal would not print is shown escaped."""
    printable = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    with contextlib.suppress(OSError):
        sys.stderr.write(f"lowlat: {printable}\n")
        sys.stderr.flush()


def discard_stdout() -> None:
    """Send what is still buffered nowhere: else the interpreter fails on it when it ends, with a code of its own."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)
