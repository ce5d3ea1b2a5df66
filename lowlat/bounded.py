"""Bounded number types for the document models: no figure overflows in arithmetic, whatever a document says."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from msgspec import Meta

COUNT_MAX: Final = 2**63 - 1
AMOUNT_MAX: Final = 1e18

Count: TypeAlias = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
Positive: TypeAlias = Annotated[int, Meta(ge=1, le=COUNT_MAX)]
Whole: TypeAlias = Annotated[int, Meta(ge=-COUNT_MAX, le=COUNT_MAX)]
Word: TypeAlias = Annotated[int, Meta(ge=0)]
"""Of 64 bits, one more than `Meta` takes as a bound. It is only shown."""
Seed: TypeAlias = Word
Amount: TypeAlias = Annotated[float, Meta(ge=0, le=AMOUNT_MAX)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Percent: TypeAlias = Annotated[float, Meta(ge=0, le=100)]
