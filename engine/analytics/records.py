"""What updates levels, and why it may not.

Generated from `schema/records.toml` by `make stubs`; not to be edited.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

LevelUpdateRows: TypeAlias = NDArray[np.void]


class LevelTrouble(IntEnum):
    """Why levels could not be updated from events."""

    NONE = 0
    """They were."""
    LEVELS_UNSORTED = 1
    """The levels given are not best first."""
    UNKNOWN_PRICE = 2
    """An event takes from a level that there is not."""
    OUT_OF_RANGE = 3
    """A sum does not fit its field."""


LEVEL_UPDATE: Final = np.dtype(
    {
        "names": ["price", "quantity", "order_count"],
        "formats": ["<i8", "<i8", "<i8"],
        "offsets": [0, 8, 16],
        "itemsize": 32,
    }
)
"""32 bytes. What is added to the level at a price: signed differences.

* `order_count`: Of their number.
"""
