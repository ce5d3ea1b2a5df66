"""A file mapped into memory that another process may truncate: an error, not the end of this process."""

from __future__ import annotations

import mmap
from typing import Self

from lowlat.engine import _core
from lowlat.errors import InputError
from lowlat.text import printable


class MappedFile(mmap.mmap):
    """The first `size` bytes of an open file, shared with all who map it, for reading or also for writing.

    If the file is truncated, or its disk fails, an access to lost bytes would raise SIGBUS. Instead such bytes read as
    zeros from then on, also through views of the mapping and in native code. So call `check` after reading and before
    believing. Raises `InputError` for a file that is shorter than `size`, and `OSError` as `mmap.mmap` does.
    """

    name: str
    _guard: _core.GuardedMapping | None

    def __new__(cls, descriptor: int, size: int, name: str, *, writable: bool = False) -> Self:
        """Map the file; `name` is what errors call it."""
        access = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
        try:
            mapping = super().__new__(cls, descriptor, size, mmap.MAP_SHARED, access)
        except ValueError as error:  # truncated since its size was read
            raise InputError(f"{name} was truncated while it was opened; create it again") from error
        mapping.name = printable(name)  # native code takes text of UTF-8 only
        # Held by the mapping and not the other way round, so that it ends just before the mapping does.
        mapping._guard = _core.GuardedMapping(mapping, writable)
        return mapping

    @property
    def lost(self) -> bool:
        """Whether bytes of the file were lost, so that zeros were read or writes went nowhere."""
        return self._guard is not None and self._guard.lost

    def check(self) -> None:
        """Raise `InputError`, which names the file, if bytes were lost."""
        if self._guard is not None:
            self._guard.check(self.name)

    def close(self) -> None:
        """Unmap the file. Raises `BufferError` while a view of it exists; then it stays mapped and guarded."""
        guard, self._guard = self._guard, None
        try:
            super().close()
        except BufferError:
            self._guard = guard
            raise
