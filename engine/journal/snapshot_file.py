"""The snapshot beside a journal, opened but not read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from lowlat.engine.journal.segment import is_named
from lowlat.inputs import open_regular


class SnapshotFile:
    """The snapshot as of now. Opened before its journal, it is of something that the journal has: a snapshot is taken
    of what is on the disk, and segments are removed only when a newer one is there.

    `file` is None if there is none, or if it cannot be opened: `fault` says why. Close it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: BinaryIO | None = None
        self.fault: str | None = None
        try:
            self.file = os.fdopen(open_regular(path), "rb")
        except FileNotFoundError:
            pass
        except OSError as error:
            self.fault = f"cannot open {path}: {error.strerror}"

    def close(self) -> None:
        """Close the file."""
        if self.file is not None:
            self.file.close()

    @property
    def is_replaced(self) -> bool:
        """Whether another has taken its place, or there is one by now."""
        if self.file is not None:
            return not is_named(self.file.fileno(), self.path)
        return self.fault is None and os.path.exists(self.path)  # noqa: PTH110 (`Path.exists` raises `PermissionError`)
