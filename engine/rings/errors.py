"""Errors of pushing to and popping from a ring."""

from __future__ import annotations

from lowlat.errors import LowlatError


class RingFullError(LowlatError):
    """Not all records fit. `pushed`: how many, from the start of the array, are in the ring."""

    pushed: int = 0


class RingEmptyError(LowlatError):
    """No record arrived."""


class RingClosedError(LowlatError):
    """The ring was closed. `pushed`: how many records of the push that raised it are in the ring."""

    pushed: int = 0


class RingStalledError(LowlatError):
    """A producer claimed the next slot and was killed before it published, or has not for a second.

    Nothing behind that slot can be taken. If the producer was only stopped and continues, nothing is lost: pop again.
    """
