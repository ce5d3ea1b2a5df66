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
from lowlat.engine.journal.engine import JournaledEngine, Recovery
from lowlat.engine.journal.records import SyncPolicy
from lowlat.engine.matching.commands import (
    CommandValueError,
    command,
    commands,
    describe,
    extended_command,
    extended_commands,
)
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument, OffTickError
from lowlat.engine.matching.interface import (
    AuctionIndicative,
    CommandArrayError,
    MatchingEngine,
    TopOfBook,
    UnknownSideError,
    UnknownSymbolError,
)
from lowlat.engine.matching.native import Counters, Engine, MemoryPart
from lowlat.engine.matching.records import (
    COMMAND,
    EVENT,
    EXTENDED_COMMAND,
    LEVEL,
    ORDER,
    QUANTITY_MAX,
    STOP,
    TRADE,
    CommandType,
    ExecInst,
    ExecType,
    MatchAlgorithm,
    PoolPolicy,
    Reason,
    SelfTradePrevention,
    Side,
    TickRounding,
    TimeInForce,
    TradingPhase,
)
from lowlat.engine.reference.engine import ReferenceEngine

__all__ = [
    "COMMAND",
    "EVENT",
    "EXTENDED_COMMAND",
    "LEVEL",
    "ORDER",
    "QUANTITY_MAX",
    "STOP",
    "TRADE",
    "AuctionIndicative",
    "CommandArrayError",
    "CommandType",
    "CommandValueError",
    "Counters",
    "Engine",
    "EngineBusyError",
    "EngineConfig",
    "ExecInst",
    "ExecType",
    "Flow",
    "Instrument",
    "JournaledEngine",
    "MatchAlgorithm",
    "MatchingEngine",
    "MemoryPart",
    "OffTickError",
    "PoolPolicy",
    "Profile",
    "ProfileError",
    "Reason",
    "Recovery",
    "ReferenceEngine",
    "SelfTradePrevention",
    "Side",
    "SyncPolicy",
    "TickRounding",
    "TimeInForce",
    "TopOfBook",
    "TradingPhase",
    "UnknownSideError",
    "UnknownSymbolError",
    "command",
    "commands",
    "describe",
    "extended_command",
    "extended_commands",
    "flood",
    "load_profile",
    "profile_names",
]
