"""What a command of a flow met in the book.

Generated from `schema/records.toml` by `make stubs`; not to be edited.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

FollowedCommands: TypeAlias = NDArray[np.void]
OrderLives: TypeAlias = NDArray[np.void]


class LifeEnd(IntEnum):
    """How an order's life in the book ended."""

    CANCELED = 0
    """A cancel or a reduce took what it had left."""
    FILLED = 1
    """It traded to the end."""
    LOST = 2
    """The engine took it out: it expired, or would have traded with itself."""
    OPEN = 3
    """It did not end: the flow did."""


FOLLOWED_COMMAND: Final = np.dtype(
    {
        "names": [
            *["distance", "spread", "lifetime", "quantity", "filled", "makers", "levels_filled", "ahead", "behind"],
            *["touch_quantity", "live", "levels", "symbol", "accepted", "placed", "rests"],
        ],
        "formats": [
            *["<i8", "<i8", "<u4", "<u4", "<u4", "<u4", "<u4", "<u4", "<u4", "<u4", "<u4", "<u4", "<u4", "u1", "u1"],
            *["u1"],
        ],
        "offsets": [0, 8, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 61, 62],
        "itemsize": 64,
    }
)
"""64 bytes. One command of a flow, and what it met in the book.

* `distance`: Ticks from its side's best price to its price or its order's; negative: better.
* `spread`: Ticks from the best bid to the best ask before; 0 if either is missing.
* `lifetime`: Of a cancel, reduce or replace: commands since its order entered.
* `quantity`: Lots of the order, or what it had left.
* `filled`: Lots that it executed.
* `makers`: Executions.
* `levels_filled`: Different prices of them.
* `ahead`: Orders ahead in its queue; if it enters, all at its price.
* `behind`: Orders behind in its queue, counted up to 1,000.
* `touch_quantity`: Lots at the other side's best price.
* `live`: Orders that rest or wait afterward.
* `levels`: Price levels afterward, over all books.
* `accepted`: 1: the engine accepted it.
* `placed`: 1: it has a distance, because its side had a best price.
* `rests`: 1: its order rests or waits afterward.
"""

ORDER_LIFE: Final = np.dtype(
    {
        "names": ["entered", "commands", "distance", "placed", "end"],
        "formats": ["<u8", "<u8", "<i8", "u1", "u1"],
        "offsets": [0, 8, 16, 24, 25],
        "itemsize": 32,
    }
)
"""32 bytes. How long an order of a flow rested, and how that ended.

* `entered`: Number of the command that entered it, from 0.
* `commands`: From there to the command that ended it.
* `distance`: Of that command, as in `FOLLOWED_COMMAND`.
* `placed`: 1: it has a distance, and did not trade on entry.
* `end`: `LifeEnd`
"""
