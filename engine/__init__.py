"""The matching engine, its order flow and its measured runs.

    from lowlat.engine import Engine, Side

    engine = Engine()
    engine.submit(1, Side.SELL, quantity=5, price=100)
    events = engine.submit(2, Side.BUY, quantity=3, price=101)   # ACCEPTED, then TRADE at 100

`docs/matching.md` states what every command does and every event says.
"""

from lowlat.engine._core import EngineBusyError
from lowlat.engine.contract import (
    Best,
    CommandArrayError,
    Indicative,
    MatchingEngine,
    UnknownSideError,
    UnknownSymbolError,
)
from lowlat.engine.flood import flood
from lowlat.engine.flow import Flow
from lowlat.engine.instrument import Algorithm, Instrument, OffTick, OffTickError
from lowlat.engine.journaled_engine import JournaledEngine, Recovery, Sync
from lowlat.engine.native_engine import Counters, Engine, MemoryPart
from lowlat.engine.profile import Profile, ProfileError, load_profile, profile_names
from lowlat.engine.records import (
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
from lowlat.engine.reference import ReferenceEngine
from lowlat.engine.settings import Settings, WhenDry

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
