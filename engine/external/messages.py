"""The messages between lowlat and an engine's process: JSON objects, one a line.

`docs/reference/engine-protocol.md` specifies them. The hello and its answer have the form of tracebook's; commands and
events have the fields of `COMMAND`, `EXTENDED_COMMAND` and `EVENT`, of which those that are zero may be left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, TypeAlias

import msgspec
import numpy as np

from lowlat.engine.foreign.records import Capability
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.config_codec import RULE_FIELDS
from lowlat.engine.matching.records import EVENT, Commands, Events

PROTOCOL: Final = "lowlat.engine"
PROTOCOL_VERSION: Final = 1

_EVENT_FIELDS: Final = tuple(name for name in EVENT.names or () if name != "sequence")
"""An event's `sequence` is the index of the answer that it stands in."""


def _number(name: str) -> Any:
    """The type of an event's field. numpy checks the upper end of the range of 64 bits, which `Meta` cannot hold."""
    limits, small = np.iinfo(EVENT[name]), EVENT[name].itemsize < 8
    return Annotated[int, msgspec.Meta(ge=int(limits.min), le=int(limits.max) if small else None)]


EventFields: Final[Any] = msgspec.defstruct(
    "EventFields",
    [(name, _number(name)) if name == "kind" else (name, _number(name), 0) for name in _EVENT_FIELDS],
    forbid_unknown_fields=True,
    kw_only=True,
)


Index: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class EngineIdentity(msgspec.Struct, frozen=True):
    """The engine, by its own word."""

    name: str
    version: str = ""
    language: str = ""


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The answer to the hello. `capabilities`: names of `Capability`."""

    protocol: str
    protocol_version: Index
    engine: EngineIdentity
    capabilities: tuple[str, ...] = ()


class Created(msgspec.Struct, frozen=True, tag="created"):
    """The answer to create: the books are empty."""


class EventsAnswer(msgspec.Struct, frozen=True, tag="events"):
    """The answer to a command. `index`: that of the command."""

    index: Index
    events: list[EventFields]


class Refusal(msgspec.Struct, frozen=True, tag="error"):
    """The engine gives up."""

    message: str
    code: str = ""


Answer: TypeAlias = Ready | Created | EventsAnswer | Refusal
_decoder: Final = msgspec.json.Decoder(Answer)


def decoded(line: bytes) -> Answer:
    """The message in a line. Raises `ValueError`, which says what is wrong with it."""
    try:
        return _decoder.decode(line)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def hello() -> bytes:
    """Opens a conversation."""
    return _line({"type": "hello", "protocol": PROTOCOL, "protocol_version": PROTOCOL_VERSION})


def create(settings: EngineConfig, rings: dict[str, str | int] | None = None) -> bytes:
    """Asks for empty books. The next command is number 0, and comes through `rings` if there are any."""
    rules = [{name: int(getattr(each, name)) for name in RULE_FIELDS} for each in settings.instruments]
    through = {"rings": rings} if rings else {}
    return _line({"type": "create", "symbols": rules, "orders": settings.orders, **through})


def command_lines(commands: Commands, first: int) -> Iterator[bytes]:
    """A line for each command; `first` is the number of the first one."""
    names = commands.dtype.names or ()
    for index, row in enumerate(commands.tolist(), first):
        stated = {name: value for name, value in zip(names, row, strict=True) if value}
        yield _line({"type": "command", "index": index, "command": stated})


def events_of(answers: Sequence[EventsAnswer]) -> Events:
    """The events of answers as records. Raises `OverflowError` for a number that a field cannot hold."""
    found = np.zeros(sum(len(answer.events) for answer in answers), EVENT)
    rows = [event for answer in answers for event in answer.events]
    for name in _EVENT_FIELDS:
        found[name] = np.array([getattr(row, name) for row in rows], EVENT[name])
    found["sequence"] = np.repeat(
        np.array([answer.index for answer in answers], np.uint64), [len(answer.events) for answer in answers]
    )
    return found


def capabilities_named(names: Sequence[str]) -> frozenset[Capability]:
    """Raises `ValueError` for a name that is none."""
    if unknown := [name for name in names if name not in Capability.__members__]:
        raise ValueError(f"{unknown[0]!r} is no capability; known: {', '.join(Capability.__members__)}")
    return frozenset(Capability[name] for name in names)


def _line(message: dict[str, Any]) -> bytes:
    return msgspec.json.encode(message) + b"\n"
