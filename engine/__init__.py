"""The matching engine, its order flow and its measured runs.

    from lowlat.engine import Engine, Side

    engine = Engine()
    engine.submit(1, Side.SELL, quantity=5, price=100)
    events = engine.submit(2, Side.BUY, quantity=3, price=101)   # ACCEPTED, then TRADE at 100

`docs/matching.md` specifies every command and event.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # the table below, for mypy and editors
    # isort: off
    from lowlat.engine.feed.book_builder import (
        BookBuilder as BookBuilder,
        BuilderCounts as BuilderCounts,
        DepthStates as DepthStates,
        QueuedOrder as QueuedOrder,
    )
    from lowlat.engine.feed.records import (
        ORDER_EVENT as ORDER_EVENT,
        DepthMoment as DepthMoment,
        OrderAction as OrderAction,
        OrderEventFlag as OrderEventFlag,
    )
    from lowlat.engine.flow.order_flow import Flow as Flow
    from lowlat.engine.flow.profile import (
        Profile as Profile,
        load_profile as load_profile,
        profile_names as profile_names,
    )
    from lowlat.engine.flow.synthetic import synthetic_flow as synthetic_flow
    from lowlat.engine.journal.compaction import Compacted as Compacted
    from lowlat.engine.journal.engine import JournaledEngine as JournaledEngine, Recovery as Recovery
    from lowlat.engine.journal.errors import (
        JournalDamagedError as JournalDamagedError,
        JournalError as JournalError,
        JournalExistsError as JournalExistsError,
        JournalHeldError as JournalHeldError,
        JournalWriteError as JournalWriteError,
        NoJournalError as NoJournalError,
        SnapshotError as SnapshotError,
    )
    from lowlat.engine.journal.records import SyncPolicy as SyncPolicy
    from lowlat.engine.matching.commands import (
        command as command,
        commands as commands,
        describe as describe,
        extended_command as extended_command,
        extended_commands as extended_commands,
    )
    from lowlat.engine.matching.config import EngineConfig as EngineConfig
    from lowlat.engine.matching.instrument import Instrument as Instrument
    from lowlat.engine.matching.interface import (
        AuctionIndicative as AuctionIndicative,
        MatchingEngine as MatchingEngine,
        TopOfBook as TopOfBook,
    )
    from lowlat.engine.matching.native import (
        Counters as Counters,
        Engine as Engine,
        Interrupted as Interrupted,
        MemoryPart as MemoryPart,
    )
    from lowlat.engine.matching.records import (
        COMMAND as COMMAND,
        EVENT as EVENT,
        EXTENDED_COMMAND as EXTENDED_COMMAND,
        LEVEL as LEVEL,
        ORDER as ORDER,
        QUANTITY_MAX as QUANTITY_MAX,
        STOP as STOP,
        TRADE as TRADE,
        CommandType as CommandType,
        ExecInst as ExecInst,
        ExecType as ExecType,
        MatchAlgorithm as MatchAlgorithm,
        PoolPolicy as PoolPolicy,
        Reason as Reason,
        SelfTradePrevention as SelfTradePrevention,
        Side as Side,
        TickRounding as TickRounding,
        TimeInForce as TimeInForce,
        TradingPhase as TradingPhase,
    )
    from lowlat.engine.reference.engine import ReferenceEngine as ReferenceEngine

_NAMES: Final = {
    "lowlat.engine.feed.book_builder": ("BookBuilder", "BuilderCounts", "DepthStates", "QueuedOrder"),
    "lowlat.engine.feed.records": ("ORDER_EVENT", "DepthMoment", "OrderAction", "OrderEventFlag"),
    "lowlat.engine.flow.order_flow": ("Flow",),
    "lowlat.engine.flow.profile": ("Profile", "load_profile", "profile_names"),
    "lowlat.engine.flow.synthetic": ("synthetic_flow",),
    "lowlat.engine.journal.compaction": ("Compacted",),
    "lowlat.engine.journal.engine": ("JournaledEngine", "Recovery"),
    "lowlat.engine.journal.errors": (
        "JournalDamagedError",
        "JournalError",
        "JournalExistsError",
        "JournalHeldError",
        "JournalWriteError",
        "NoJournalError",
        "SnapshotError",
    ),
    "lowlat.engine.journal.records": ("SyncPolicy",),
    "lowlat.engine.matching.commands": (
        "command",
        "commands",
        "describe",
        "extended_command",
        "extended_commands",
    ),
    "lowlat.engine.matching.config": ("EngineConfig",),
    "lowlat.engine.matching.instrument": ("Instrument",),
    "lowlat.engine.matching.interface": (
        "AuctionIndicative",
        "MatchingEngine",
        "TopOfBook",
    ),
    "lowlat.engine.matching.native": ("Counters", "Engine", "Interrupted", "MemoryPart"),
    "lowlat.engine.matching.records": (
        "COMMAND",
        "EVENT",
        "EXTENDED_COMMAND",
        "LEVEL",
        "ORDER",
        "QUANTITY_MAX",
        "STOP",
        "TRADE",
        "CommandType",
        "ExecInst",
        "ExecType",
        "MatchAlgorithm",
        "PoolPolicy",
        "Reason",
        "SelfTradePrevention",
        "Side",
        "TickRounding",
        "TimeInForce",
        "TradingPhase",
    ),
    "lowlat.engine.reference.engine": ("ReferenceEngine",),
}
"""Public names by module. A module is imported on first use of one of its names: code that needs only records does not
load the engine.
"""
_MODULE_OF: Final = {name: module for module, names in _NAMES.items() for name in names}

__all__ = list(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULE_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
