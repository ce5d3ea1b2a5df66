"""Data goes to stdout, everything else to stderr. A reader that closes stdout early is not an error."""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from lowlat.errors import OutputPathError
from lowlat.limits import MESSAGE_CHARS_MAX
from lowlat.text import cut, printable


def prepare() -> None:
    """Open /dev/null for streams that the caller closed, and replace characters that a stream cannot encode."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass  # descriptors 0 to 2 must be taken: a file opened later would become stdin, stdout or stderr of a child
    os.close(descriptor)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller, as in `lowlat bench >&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 (lives as long as the process)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


_ELSEWHERE: Final = "redirect it elsewhere, or name a file with -o"


def emit(text: str, hint: str = _ELSEWHERE) -> None:
    """Write data to stdout and flush it. Raises `OutputPathError`, except when the reader has gone."""
    emit_parts((text,), hint)


def emit_written(written: Path, text: str) -> None:
    """The same for a text about a file or folder that is complete, which an error says, too."""
    emit(text, f"{printable(str(written))} is complete")


def emit_parts(parts: Iterable[str], hint: str = _ELSEWHERE) -> bool:
    """Write data to stdout piece by piece. Returns False if the reader has gone. Raises `OutputPathError`."""
    try:
        for part in parts:
            sys.stdout.write(part)
        sys.stdout.flush()
        return True
    except BrokenPipeError:
        discard(sys.stdout)
        return False
    except OSError as error:
        discard(sys.stdout)
        raise OutputPathError(f"cannot write to stdout: {error.strerror}; {hint}") from error


def say(line: str) -> None:
    """Write one line to stderr. Control characters are escaped, and a long line is cut."""
    to_stderr(f"lowlat: {cut(printable(line), MESSAGE_CHARS_MAX)}\n")


def to_stderr(text: str) -> None:
    """Write to stderr, unless it takes nothing: a disk may be full, a reader may have gone."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        discard(sys.stderr)


@dataclass(slots=True)
class _Notes:
    shown: bool = True


_notes = _Notes()


def show_notes(*, shown: bool) -> None:
    """Whether `note` writes, from now on."""
    _notes.shown = shown


def notes_shown() -> bool:
    """Whether notes and progress are written to stderr."""
    return _notes.shown


def note(line: str) -> None:
    """The same for a line that is not about an error, unless --quiet."""
    if _notes.shown:
        say(line)


def has_reader() -> bool:
    """Whether stdout can still be read by another process; true for files and terminals."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)  # errors are always reported
    return not poll.poll(0)


def discard(stream: TextIO) -> None:
    """Discard buffered output; otherwise the interpreter fails to flush it at exit and changes the exit code."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, stream.fileno())
    os.close(devnull)
