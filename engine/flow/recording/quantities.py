"""Quantities that no order can have."""

from __future__ import annotations

from pathlib import Path

from lowlat.engine.matching.records import QUANTITY_MAX
from lowlat.errors import InputError


def too_much(path: Path, row: int, what: str) -> InputError:
    """The error that a row of a recording needs an order larger than any can be. `what`: whose, with the quantity."""
    return InputError(f"{path}, row {row}: {what}; an order holds at most {QUANTITY_MAX}")
