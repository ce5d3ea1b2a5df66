"""Runs work on a background thread during a block of code."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lowlat.errors import LowlatError


@contextmanager
def in_background(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run `work` on a daemon thread while the block runs; it gets an event that is set when the block ends.

    The block ends when `work` has returned. An exception of `work` is then raised here or, if the block raised one
    itself, added to it as a note, so that neither hides the other.
    """
    over = threading.Event()
    failures: list[LowlatError] = []

    def run() -> None:
        try:
            work(over)
        except LowlatError as error:  # others are bugs, reported at once by `threading.excepthook`
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    except BaseException as error:
        _end(thread, over)
        for failure in failures:
            error.add_note(f"also: {failure}")
        raise
    _end(thread, over)
    for failure in failures:
        raise failure


def _end(thread: threading.Thread, over: threading.Event) -> None:
    over.set()
    try:
        thread.join()
    finally:
        thread.join()  # after Ctrl-C in the first join, the work must still end before the file it writes to is closed
