"""The width of output that `COLUMNS` sets."""

from __future__ import annotations

import os

from lowlat.text import is_digits


def columns_chosen() -> int | None:
    """The columns that the environment variable `COLUMNS` sets, for terminals, pipes and files alike; None without a
    number from 1 to 9999 there.
    """
    text = os.environ.get("COLUMNS", "")
    columns = int(text) if len(text) <= 4 and is_digits(text) else 0
    return columns or None
