"""Ticks to nanoseconds, exactly: the Python side of `TickScale` in `probes/native/clock.hpp`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from lowlat.bounded import Word
from lowlat.errors import NotValidError
from lowlat.probes import _core
from lowlat.probes.clock.sources import FREQUENCY_MAX_HZ, FREQUENCY_MIN_HZ


@dataclass(frozen=True, slots=True)
class TickScale:
    """Converts by `(ticks * multiplier) >> shift` on 128 bits, the same here and in native code.

    The multiplier has 64 significant bits, so the result is the exact quotient rounded down, or 1 ns off, up
    to 584 years of ticks: no drift, no overflow.
    """

    multiplier: Annotated[Word, Meta(description="It has 64 bits: no double holds it")]
    shift: Annotated[int, Meta(ge=0, le=127, description="Bits to shift right, after a product of 128 bits")]

    @classmethod
    def of_frequency(cls, frequency_hz: float) -> TickScale:
        """The scale from ticks to ns for a counter of this frequency.

        Raises `NotValidError` outside 1 kHz to 1 THz.
        """
        check_frequency(frequency_hz)
        return cls(*_core.ns_of_ticks(frequency_hz))

    def to_ns(self, ticks: int) -> int:
        """Nanoseconds, rounded down, of a count of ticks (0 to 2^64 - 1)."""
        return (ticks * self.multiplier) >> self.shift


def check_frequency(frequency_hz: float) -> None:
    """Raise `NotValidError` unless this is a possible counter frequency, in Hz."""
    if not FREQUENCY_MIN_HZ <= frequency_hz <= FREQUENCY_MAX_HZ:
        raise NotValidError(
            f"a counter of {frequency_hz:g} Hz cannot be scaled; use 1 kHz to 1 THz, or measure it again"
        )
