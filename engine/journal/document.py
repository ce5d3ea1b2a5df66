"""A checked journal, and its commands, as JSON data: `lowlat.journal/1` and `lowlat.journal-commands/1`.

`engine/schema/` has the schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, Final

from lowlat.engine import _core
from lowlat.engine.journal.header import VERSION, JournalHead
from lowlat.engine.journal.verify import Executed, JournalCheck, State
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import (
    EXTENDED_COMMAND,
    CommandType,
    ExecInst,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

SCHEMA: Final = "lowlat.journal/1"
COMMANDS_SCHEMA: Final = "lowlat.journal-commands/1"


def journal_document(check: JournalCheck) -> dict[str, Any]:
    """What a check found."""
    tally, whole, snapshot = check.tally, check.whole, check.snapshot
    return {
        "schema": SCHEMA,
        "file": str(check.path),
        **head_document(check.head),
        "settings": _settings(check.head.settings),
        "held": check.held,
        "size_bytes": check.size,
        "commands": {"all": tally.commands, "plain": tally.plain, "wide": tally.wide},
        "drains": tally.drains,
        "end": {
            **end_document(whole.end, check.state, check.reason),
            "torn_bytes": check.torn_bytes,
        },
        "snapshot": snapshot
        and {
            "file": str(snapshot.path),
            "used": snapshot.sequence is not None,
            "commands": snapshot.sequence,
            "fault": snapshot.fault,
        },
        "recovered": check.recovered and _recovered(check.recovered),
        "problem": check.problem,
        "speed": {
            "replay_ns": check.replay_ns,
            "commands_per_s": commands_per_s(check),
        },
    }


def commands_per_s(check: JournalCheck) -> float | None:
    """Commands executed in a second, blocks checked; None if there was none."""
    return check.whole.commands * 1e9 / check.replay_ns if check.whole.commands else None


def head_document(head: JournalHead) -> dict[str, Any]:
    """Which journal it is."""
    return {"version": VERSION, "identity": head.identity, "created": f"{head.created:%Y-%m-%dT%H:%M:%S.%fZ}"}


def end_document(end: _core.JournalPosition, state: State, reason: str | None) -> dict[str, Any]:
    """Where reading ended, and why."""
    return {"state": state, "blocks": end.blocks, "byte": end.end, "commands": end.sequence, "reason": reason}


def _settings(settings: EngineConfig) -> dict[str, Any]:
    return {
        "symbols": [_symbol(each) for each in settings.instruments],
        "orders": settings.orders,
        "trades": settings.trades,
        "when_orders_dry": settings.when_orders_dry.name.lower(),
        "when_trades_dry": settings.when_trades_dry.name.lower(),
    }


def _symbol(instrument: Instrument) -> dict[str, Any]:
    return {
        "tick": instrument.tick,
        "lot": instrument.lot,
        "price_min": instrument.price_min,
        "price_max": instrument.price_max,
        "unit": str(instrument.unit),
        "algorithm": instrument.algorithm.name.lower(),
        "off_tick": instrument.off_tick.name.lower(),
    }


def _recovered(recovered: Executed) -> dict[str, Any]:
    books = recovered.books
    return {
        "commands": recovered.end.sequence,
        "replayed": recovered.commands,
        "live_orders": books.live_orders,
        "trades": books.trades,
        "trades_on_tape": books.trades_on_tape,
        "state": f"sha256:{books.state}",
    }


def command_document(sequence: int, record: Sequence[int]) -> dict[str, Any]:
    """One command, from the fields of its record. A value that has no name, which a rejected command may hold, is a
    number.
    """
    fields = zip(EXTENDED_COMMAND.names or (), record, strict=False)
    return {"command": sequence} | {_WRITTEN.get(name, name): _NAMED.get(name, int)(value) for name, value in fields}


def named(names: type[IntEnum]) -> Callable[[int], str | int]:
    """A function that gives the name of a value, or the value."""
    by_value = {each.value: each.name for each in names}
    return lambda value: by_value.get(value, value)


def flag_names(flags: int) -> list[str | int]:
    """The names of the bits that are set; what has none comes last, as one number."""
    known = [flag for flag in ExecInst if flags & flag]
    rest = flags - sum(known)
    return [flag.name for flag in known] + ([rest] if rest else [])


_WRITTEN: Final = {"display_quantity": "display", "participant_id": "owner"}
"""Fields by their names in `lowlat.journal-commands/1`, which stay."""
_NAMED: Final[dict[str, Callable[[int], Any]]] = {
    "kind": named(CommandType),
    "side": named(Side),
    "time_in_force": named(TimeInForce),
    "flags": flag_names,
    "self_trade": named(SelfTradePrevention),
}
