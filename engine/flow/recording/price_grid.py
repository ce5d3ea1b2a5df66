"""The grid that prices are on."""

from __future__ import annotations

import numpy as np

from lowlat.engine.flow.recording.model import Ints
from lowlat.engine.matching.instrument import PRICE_MAX


def tick_of(prices: Ints) -> int:
    """The largest number of price units that all prices are multiples of; 1 if there is no price but 0."""
    tick = abs(int(np.gcd.reduce(np.unique(prices), initial=0)))
    return tick if 1 <= tick <= PRICE_MAX else 1
