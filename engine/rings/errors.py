"""Why a ring did not take a record, or gave none."""

from __future__ import annotations

from lowlat.errors import LowlatError


class RingFullError(LowlatError):
    """Not every record fitted. `pushed`: how many, from the start of the array, did; they are in the ring."""

    pushed: int = 0


class RingEmptyError(LowlatError):
    """No record came."""


class RingClosedError(LowlatError):
    """The ring was closed. `pushed`: how many records of the push that raised it are in the ring."""

    pushed: int = 0


class RingStalledError(LowlatError):
    """A producer claimed the next slot and did not publish it. Nothing is lost if it runs on: pop again."""
