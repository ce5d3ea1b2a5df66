"""lowlat's own engine as a process that speaks in lines, of every capability: what the protocol loses would show."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

from lowlat.engine.foreign.records import Capability
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import EVENT, EXTENDED_COMMAND, MatchAlgorithm, PoolPolicy, TickRounding

FIELDS = [name for name in EVENT.names or () if name != "sequence"]


def made(message: dict[str, Any]) -> Engine:
    """An engine as a `create` asks for."""
    rules = [
        Instrument(
            **{name: symbol[name] for name in ("tick", "lot", "price_min", "price_max")},
            algorithm=MatchAlgorithm(symbol["algorithm"]),
            off_tick=TickRounding(symbol["off_tick"]),
        )
        for symbol in message["symbols"]
    ]
    return Engine.of(EngineConfig(tuple(rules), message["orders"], 1024, PoolPolicy.GROW))


def answer(message: dict[str, Any], engines: list[Engine]) -> dict[str, Any]:
    """The answer to a message. `engines`: the one in use."""
    if message["type"] == "hello":
        return {
            "type": "ready",
            "protocol": message["protocol"],
            "protocol_version": message["protocol_version"],
            "engine": {"name": "ours"},
            "capabilities": [capability.name for capability in Capability],
        }
    if message["type"] == "create":
        engines[:] = [made(message)]
        return {"type": "created"}
    command = np.zeros(1, EXTENDED_COMMAND)
    for name, value in message["command"].items():
        command[name] = value
    events = [{name: int(event[name]) for name in FIELDS} for event in engines[0].process(command)]
    return {"type": "events", "index": message["index"], "events": events}


if __name__ == "__main__":
    using: list[Engine] = []
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line), using)) + "\n")
        sys.stdout.flush()
