"""What a fuzzer of a parser is: how to read bytes, bytes to start from, and a fault that it must be able to find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lowlat.errors import LowlatError

MESSAGE_MAX: Final = 10_000
"""Characters of an error's message."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parser.

    `read(data, folder)` reads the bytes as a user's file, in a folder if it takes files, and checks what it read.
    `seeds()`: valid inputs, which must be read without an error. `plant()` breaks the parser in this process, as a
    careless change would. `sources`: its files, whose lines `make fuzz-coverage` counts.
    """

    name: str
    read: Callable[[bytes, Path], None]
    seeds: Callable[[], Sequence[bytes]]
    plant: Callable[[], None]
    sources: tuple[str, ...]
    refused: tuple[type[Exception], ...] = (LowlatError,)

    def attempt(self, data: bytes, folder: Path) -> bool:
        """Whether the bytes were read. Raises whatever is not a typed error with a message."""
        try:
            self.read(data, folder)
        except self.refused as error:
            assert isinstance(error, MemoryError) or 0 < len(str(error)) <= MESSAGE_MAX, f"{type(error)}: its message"
            return False
        return True


def written(folder: Path, name: str, data: bytes) -> Path:
    """The file of this name with these bytes, private to the user."""
    path = folder / name
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(data)
    return path
