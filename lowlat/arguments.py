"""Checks of arguments that classes of several packages take. What is refused is a `UsageError`, whatever its type."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final, TypeGuard

import numpy as np

from lowlat.errors import UsageError
from lowlat.text import shown

PATH_MAX: Final = 4096
"""No system opens a file by a longer path, which a message would repeat."""


def is_integer(value: object) -> TypeGuard[int | np.integer[Any]]:
    """Whether it is an integer of Python or numpy: neither a truth value nor a duration, which numpy counts as one."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.timedelta64))


def checked_number(name: str, value: object, lowest: int, highest: int) -> int:
    """Return an integer of this range."""
    if is_integer(value) and lowest <= int(value) <= highest:
        return int(value)
    raise UsageError(f"{name}: {shown(value)} is not an integer from {lowest} to {highest}")


def checked_flag(name: str, value: object) -> bool:
    """Return a truth value: of anything else it is not sure what a caller means."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise UsageError(f"{name}: {shown(value)} is neither True nor False")


def checked_seconds(name: str, value: object) -> float:
    """Return a duration in seconds, which may be infinite, below 0 or NaN."""
    if type(value) is float:
        return value
    if isinstance(value, (float, np.floating)) or is_integer(value):
        try:
            return float(value)
        except OverflowError:
            pass
    raise UsageError(f"{name}: {shown(value)} is not a number of seconds")


def checked_path(name: str, value: object) -> Path:
    """Return a path, of whatever a caller names a file or folder by. Whether it can be opened, its opening tells."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str) and len(value) <= PATH_MAX:
        return Path(value)
    raise UsageError(f"{name}: {shown(value)} cannot name a file or folder; pass a str or a Path")
