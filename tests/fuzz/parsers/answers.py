"""What an engine that runs as a process answers, a line of JSON for each command."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final
from unittest import mock

import msgspec
import numpy as np

from lowlat.engine.external import echo, messages
from lowlat.engine.external.line_engine import LineEngine, greeted
from lowlat.engine.external.naming import EngineCommand
from lowlat.engine.external.process import EngineProcess, Where
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import COMMAND, EVENT
from tests.fuzz.parsers.target import Target

_COMMANDS: Final = np.zeros(3, COMMAND)


class _Scripted(EngineProcess):
    """A process whose answers are known: what it is asked does not matter."""

    def __init__(self, lines: Collection[bytes]) -> None:
        self.command = EngineCommand("ndjson:./mine", "ndjson", ("./mine",))
        self._lines = list(lines)
        self._errors = mock.Mock(shown=lambda: "")

    def exchange(self, request: bytes, answers: int, where: Where) -> list[bytes]:
        """The next lines."""
        if len(self._lines) < answers:
            self.fail("closed its output", where)
        lines, self._lines = self._lines[:answers], self._lines[answers:]
        return lines

    def close(self) -> None:
        """There is nothing to end."""


def _read(data: bytes, _folder: Path) -> None:
    lines = data.split(b"\n")
    process = _Scripted(lines)
    engine = LineEngine(process, EngineConfig((Instrument(),)), greeted(process).capabilities)
    events = engine.process(_COMMANDS)
    told = [
        dict.fromkeys(EVENT.names or (), 0) | event | {"sequence": index}
        for index, line in enumerate(lines[2 : 2 + len(_COMMANDS)])
        for event in msgspec.json.decode(line)["events"]
    ]
    assert [dict(zip(EVENT.names or (), row, strict=True)) for row in events.tolist()] == told, "events are as told"


def _seeds() -> list[bytes]:
    ready = msgspec.json.decode(echo.READY) | {"capabilities": ["MARKET", "IOC", "STOPS"]}
    accepted = {"kind": 1, "order_id": 2**64 - 1, "price": -(2**63), "quantity": 9}
    traded = {"kind": 3, "order_id": 7, "maker_id": 5, "price": 101, "quantity": 5, "trade_id": 1}
    answers = [[accepted], [], [{"kind": 1, "order_id": 7}, traded, traded]]
    lines = [{"type": "events", "index": index, "events": events} for index, events in enumerate(answers)]
    opened = [msgspec.json.encode(ready), echo.CREATED.strip()]
    refused = [{"type": "events", "index": index, "events": [{"kind": 2, "reason": 1}]} for index in range(3)]
    return [b"\n".join([*opened, *map(msgspec.json.encode, each)]) for each in (lines, refused)]


def _plant() -> None:
    """A reader that leaves out a field of the events."""
    left = tuple(name for name in messages._EVENT_FIELDS if name != "order_id")
    mock.patch.object(messages, "_EVENT_FIELDS", left).start()


ANSWERS = Target(
    "answers",
    _read,
    _seeds,
    _plant,
    ("engine/external/messages.py", "engine/external/line_engine.py"),
)
