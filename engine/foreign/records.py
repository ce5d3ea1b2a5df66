"""What an engine of a shared library may be able to do.

Generated from `schema/records.toml` by `make stubs`; not to be edited.
"""

from __future__ import annotations

from enum import IntEnum


class Capability(IntEnum):
    """What an engine takes beside limit orders that are good till canceled and their cancellation, and what of its
    events is compared.
    """

    MARKET = 1
    """Market orders."""
    IOC = 2
    """Immediate or cancel."""
    FOK = 4
    """Fill or kill."""
    REDUCE = 8
    """`CommandType.REDUCE`."""
    REPLACE = 16
    """`CommandType.REPLACE`."""
    POST_ONLY = 32
    """`ExecInst.POST_ONLY`."""
    PRICE_SLIDE = 64
    """`ExecInst.PRICE_SLIDE`."""
    STOPS = 128
    """`CommandType.STOP` and `CommandType.STOP_LIMIT`."""
    TRAILING_STOPS = 256
    """`CommandType.TRAILING_STOP`."""
    ICEBERGS = 512
    """A display quantity."""
    ALL_OR_NONE = 1024
    """`ExecInst.ALL_OR_NONE`."""
    EXPIRY = 2048
    """Day and good-till-date orders, and `CommandType.ADVANCE_TIME`."""
    PHASES = 4096
    """`CommandType.PHASE`: auctions and halts."""
    SELF_TRADE = 8192
    """Self-trade prevention."""
    PRO_RATA = 16384
    """`MatchAlgorithm.PRO_RATA`."""
    RULES = 32768
    """Ticks, lots and price bands other than those of a plain symbol."""
    SYMBOLS = 65536
    """More than one symbol."""
    REASONS = 131072
    """Its `EVENT.reason` is compared: otherwise any will do."""
    TRADE_IDS = 262144
    """Its `EVENT.trade_id` is compared: otherwise any will do."""
