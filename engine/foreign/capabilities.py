"""What a flow asks of an engine beyond plain limit orders and cancels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from lowlat import units
from lowlat.engine.foreign.records import Capability
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import (
    EXTENDED_COMMAND,
    Commands,
    CommandType,
    ExecInst,
    MatchAlgorithm,
    SelfTradePrevention,
    TimeInForce,
)

_BY_KIND: Final = {
    CommandType.MARKET: Capability.MARKET,
    CommandType.REDUCE: Capability.REDUCE,
    CommandType.REPLACE: Capability.REPLACE,
    CommandType.STOP: Capability.STOPS,
    CommandType.STOP_LIMIT: Capability.STOPS,
    CommandType.TRAILING_STOP: Capability.TRAILING_STOPS,
    CommandType.ADVANCE_TIME: Capability.EXPIRY,
    CommandType.PHASE: Capability.PHASES,
}
_BY_TIME: Final = {
    TimeInForce.IOC: Capability.IOC,
    TimeInForce.FOK: Capability.FOK,
    TimeInForce.DAY: Capability.EXPIRY,
    TimeInForce.GTD: Capability.EXPIRY,
}
_BY_FLAG: Final = {
    ExecInst.POST_ONLY: Capability.POST_ONLY,
    ExecInst.PRICE_SLIDE: Capability.PRICE_SLIDE,
    ExecInst.ALL_OR_NONE: Capability.ALL_OR_NONE,
}
NOT_COMPARED: Final = {Capability.REASONS: "reason", Capability.TRADE_IDS: "trade_id"}
"""Fields of an event that are compared only if the engine says that it gives them."""


def capabilities_of(bits: int) -> frozenset[Capability]:
    """The known ones of these bits."""
    return frozenset(capability for capability in Capability if bits & capability)


def not_compared(claimed: frozenset[Capability]) -> tuple[str, ...]:
    """The fields of an event that need not be equal, of an engine with these capabilities."""
    return tuple(field for bit, field in NOT_COMPARED.items() if bit not in claimed)


def needed(commands: Commands, instruments: Sequence[Instrument]) -> dict[Capability, int]:
    """The capabilities that these commands need, each with the number of commands that do; of the symbols' rules: 0."""
    found: dict[Capability, int] = {}

    def count(capability: Capability, those: int) -> None:
        if those:
            found[capability] = found.get(capability, 0) + those

    kinds = np.bincount(commands["kind"], minlength=256)
    enters = np.isin(commands["kind"], [kind for kind in CommandType if kind not in _ENTER_NOTHING])
    times = np.bincount(commands["time_in_force"][enters], minlength=256)
    for kind, capability in _BY_KIND.items():
        count(capability, int(kinds[kind]))
    for time, capability in _BY_TIME.items():
        count(capability, int(times[time]))
    for flag, capability in _BY_FLAG.items():
        count(capability, int(np.count_nonzero(commands["flags"] & flag)))
    if commands.dtype == EXTENDED_COMMAND:
        count(Capability.ICEBERGS, int(np.count_nonzero(commands["display_quantity"])))
        count(Capability.SELF_TRADE, int(np.count_nonzero(commands["self_trade"] != SelfTradePrevention.NONE)))
    return found | dict.fromkeys(_of_rules(instruments), 0)


_ENTER_NOTHING: Final = frozenset(
    {CommandType.CANCEL, CommandType.REDUCE, CommandType.REPLACE, CommandType.ADVANCE_TIME, CommandType.PHASE}
)


def _of_rules(instruments: Sequence[Instrument]) -> frozenset[Capability]:
    plain = Instrument()
    found = {Capability.PRO_RATA for each in instruments if each.algorithm == MatchAlgorithm.PRO_RATA}
    if len(instruments) > 1:
        found.add(Capability.SYMBOLS)
    limits = ("tick", "lot", "price_min", "price_max", "off_tick")
    if any(getattr(each, name) != getattr(plain, name) for each in instruments for name in limits):
        found.add(Capability.RULES)
    return frozenset(found)


def lacking(claimed: frozenset[Capability], wanted: dict[Capability, int], total: int) -> str | None:
    """What the engine has not but needs, in words; None if it has all."""
    missing = {capability: those for capability, those in wanted.items() if capability not in claimed}
    if not missing:
        return None
    return ", ".join(
        f"{capability.name} ({units.counted(those, 'command')} of {total:,})" if those else capability.name
        for capability, those in missing.items()
    )
