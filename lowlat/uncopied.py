"""Objects that hold native memory, a lock or a file of their own, which a copy would share or lose."""

from __future__ import annotations

from typing import NoReturn, SupportsIndex

from lowlat.errors import UsageError


class Uncopied:
    """A base that refuses `copy.copy`, `copy.deepcopy` and `pickle`, with `UsageError`."""

    __slots__ = ()

    def __reduce_ex__(self, _protocol: SupportsIndex) -> NoReturn:
        """All three call this."""
        name = type(self).__name__
        raise UsageError(
            f"this {name} cannot be copied or pickled: it holds native memory, a lock or a file of its own; make "
            "another one in its place"
        )
