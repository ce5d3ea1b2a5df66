"""The matching engine, its order flow and its measured runs.

    from lowlat.engine import Engine, Side

    engine = Engine()
    engine.submit(1, Side.SELL, quantity=5, price=100)
    events = engine.submit(2, Side.BUY, quantity=3, price=101)   # ACCEPTED, then TRADE at 100

`docs/matching.md` states what every command does and every event says.
"""

from lowlat.engine._core import EngineBusyError
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import Profile, ProfileError, load_profile, profile_names
from lowlat.engine.flow.synthetic import flood
from lowlat.engine.journal.engine import JournaledEngine, Recovery, Sync
from lowlat.engine.matching.config import Settings, WhenDry
from lowlat.engine.matching.instrument import Algorithm, Instrument, OffTick, OffTickError
from lowlat.engine.matching.interface import (
    Best,
    CommandArrayError,
    Indicative,
    MatchingEngine,
    UnknownSideError,
    UnknownSymbolError,
)
from lowlat.engine.matching.native import Counters, Engine, MemoryPart
from lowlat.engine.matching.records import (
    COMMAND,
    EVENT,
    LEVEL,
    ORDER,
    QUANTITY_MAX,
    STOP,
    TRADE,
    WIDE_COMMAND,
    CommandValueError,
    EventKind,
    Flag,
    Kind,
    Phase,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
    command,
    commands,
    describe,
    wide_command,
    wide_commands,
)
from lowlat.engine.reference.engine import ReferenceEngine

__all__ = [
    "COMMAND",
    "EVENT",
    "LEVEL",
    "ORDER",
    "QUANTITY_MAX",
    "STOP",
    "TRADE",
    "WIDE_COMMAND",
    "Algorithm",
    "Best",
    "CommandArrayError",
    "CommandValueError",
    "Counters",
    "Engine",
    "EngineBusyError",
    "EventKind",
    "Flag",
    "Flow",
    "Indicative",
    "Instrument",
    "JournaledEngine",
    "Kind",
    "MatchingEngine",
    "MemoryPart",
    "OffTick",
    "OffTickError",
    "Phase",
    "Profile",
    "ProfileError",
    "Reason",
    "Recovery",
    "ReferenceEngine",
    "SelfTrade",
    "Settings",
    "Side",
    "Sync",
    "TimeInForce",
    "UnknownSideError",
    "UnknownSymbolError",
    "WhenDry",
    "command",
    "commands",
    "describe",
    "flood",
    "load_profile",
    "profile_names",
    "wide_command",
    "wide_commands",
]
