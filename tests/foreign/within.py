"""What an engine of few capabilities is compared by: the commands and the settings that it takes, and its events."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lowlat.engine.foreign.records import Capability
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import (
    EVENT,
    EXTENDED_COMMAND,
    Commands,
    CommandType,
    Events,
    ExecInst,
    MatchAlgorithm,
    PoolPolicy,
    TimeInForce,
)

_OF_KIND = {
    CommandType.MARKET: Capability.MARKET,
    CommandType.REDUCE: Capability.REDUCE,
    CommandType.REPLACE: Capability.REPLACE,
    CommandType.STOP: Capability.STOPS,
    CommandType.STOP_LIMIT: Capability.STOPS,
    CommandType.TRAILING_STOP: Capability.TRAILING_STOPS,
    CommandType.ADVANCE_TIME: Capability.EXPIRY,
    CommandType.PHASE: Capability.PHASES,
}
_OF_TIME = {
    TimeInForce.IOC: Capability.IOC,
    TimeInForce.FOK: Capability.FOK,
    TimeInForce.DAY: Capability.EXPIRY,
    TimeInForce.GTD: Capability.EXPIRY,
}
_OF_FLAG = {
    ExecInst.POST_ONLY: Capability.POST_ONLY,
    ExecInst.PRICE_SLIDE: Capability.PRICE_SLIDE,
    ExecInst.ALL_OR_NONE: Capability.ALL_OR_NONE,
    ExecInst.TRAIL_BASIS_POINTS: Capability.TRAILING_STOPS,
}
_OF_FIELD = {
    "trigger": Capability.STOPS,
    "expiry": Capability.EXPIRY,
    "display_quantity": Capability.ICEBERGS,
    "participant_id": Capability.SELF_TRADE,
    "self_trade": Capability.SELF_TRADE,
}
_WITHOUT_ATTRIBUTES = [CommandType.CANCEL, CommandType.REDUCE, CommandType.ADVANCE_TIME, CommandType.PHASE]
"""Kinds whose time in force, flags and further fields nobody reads."""


def needs(commands: Commands) -> np.ndarray:
    """The capabilities that each command needs, as bits. What there is not, as a kind of 11, needs none."""
    found = np.zeros(len(commands), np.int64)
    for kind, capability in _OF_KIND.items():
        found |= np.where(commands["kind"] == kind, capability, 0)
    read = ~np.isin(commands["kind"], _WITHOUT_ATTRIBUTES)
    for time, capability in _OF_TIME.items():
        found |= np.where(read & (commands["time_in_force"] == time), capability, 0)
    for flag, capability in _OF_FLAG.items():
        found |= np.where(read & (commands["flags"] & flag != 0), capability, 0)
    if commands.dtype == EXTENDED_COMMAND:
        for name, capability in _OF_FIELD.items():
            found |= np.where(read & (commands[name] != 0), capability, 0)
    return found


def commands_within(commands: Commands, capabilities: int) -> Commands:
    """Those that an engine of these capabilities takes."""
    return commands[needs(commands) & ~capabilities == 0]


def settings_within(settings: EngineConfig, capabilities: int) -> EngineConfig:
    """The nearest settings that such an engine can be made for: a pool that is full rejects, and no tape ever is."""
    instruments = settings.instruments if capabilities & Capability.SYMBOLS else settings.instruments[:1]
    if not capabilities & Capability.RULES:
        instruments = tuple(Instrument(algorithm=each.algorithm) for each in instruments)
    if not capabilities & Capability.PRO_RATA:
        instruments = tuple(replace(each, algorithm=MatchAlgorithm.FIFO) for each in instruments)
    return EngineConfig(instruments, settings.orders, settings.trades, PoolPolicy.REJECT, PoolPolicy.RECYCLE)


def compared(events: Events, capabilities: int) -> bytes:
    """Every byte of the events, without the fields that such an engine may fill as it likes."""
    kept = events.view(np.uint8).copy().view(EVENT)
    for name, capability in (("reason", Capability.REASONS), ("trade_id", Capability.TRADE_IDS)):
        if not capabilities & capability:
            kept[name] = 0
    return kept.tobytes()
