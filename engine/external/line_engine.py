"""An engine whose process answers a line of JSON for each command."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec
import numpy as np

from lowlat.engine.external.messages import (
    PROTOCOL,
    PROTOCOL_VERSION,
    Answer,
    Created,
    EventsAnswer,
    Ready,
    Refusal,
    capabilities_named,
    command_lines,
    create,
    decoded,
    events_of,
    hello,
)
from lowlat.engine.external.naming import Transport
from lowlat.engine.external.process import EngineProcess, Where, shown
from lowlat.engine.foreign.capabilities import not_compared
from lowlat.engine.foreign.records import Capability
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.records import EVENT, Commands, Events
from lowlat.errors import NotValidError

Expected = TypeVar("Expected", bound=Answer)
_NAME_CHARS_MAX: Final = 100
_PART: Final = 1 << 14
"""Commands whose lines are in memory at a time, if all that counts are their events."""


class ProcessDescription(msgspec.Struct, frozen=True, kw_only=True):
    """The engine of a process, by its own word. Texts are printable. `file`: the command, as the user wrote it."""

    file: str
    transport: Transport
    name: str
    version: str
    language: str
    capabilities: frozenset[Capability]


def greeted(process: EngineProcess) -> ProcessDescription:
    """Say hello. Raises `NotValidError` for any other answer than that of an engine which speaks this protocol."""

    def where(_done: int) -> str:
        return "at the hello"

    (line,) = process.exchange(hello(), 1, where)
    ready = answer_in(process, line, Ready, where)
    if (ready.protocol, ready.protocol_version) != (PROTOCOL, PROTOCOL_VERSION):
        process.fail(
            f"speaks {shown(ready.protocol)} {ready.protocol_version}, and this lowlat {PROTOCOL} {PROTOCOL_VERSION},",
            where,
        )
    try:
        claimed = capabilities_named(ready.capabilities)
    except ValueError as error:
        process.fail(f"claims what there is not: {shown(str(error))}", where)
    texts = [shown(text)[:_NAME_CHARS_MAX] for text in (ready.engine.name, ready.engine.version, ready.engine.language)]
    return ProcessDescription(
        file=process.command.given,
        transport=process.command.transport,
        name=texts[0],
        version=texts[1],
        language=texts[2],
        capabilities=claimed,
    )


def answer_in(process: EngineProcess, line: bytes, kind: type[Expected], where: Where) -> Expected:
    """The message of this kind in a line. Raises `NotValidError`."""
    try:
        answer = decoded(line)
    except (msgspec.MsgspecError, ValueError) as error:
        process.fail(f"gives no answer but {_quoted(line)} ({shown(str(error))})", where)
    if not isinstance(answer, kind):
        gives_up = f"gives up: {_refusal(answer)}" if isinstance(answer, Refusal) else None
        process.fail(gives_up or f"answers {_quoted(line)}", where)
    return answer


class LineEngine:
    """An engine with these settings and empty books, made by a process that has been greeted."""

    def __init__(self, process: EngineProcess, settings: EngineConfig, claimed: frozenset[Capability]) -> None:
        """Raises `NotValidError` if it makes none."""
        self._process = process
        self.settings = settings
        self.not_compared = not_compared(claimed)
        self.reset()

    def reset(self) -> None:
        """Empty the books; the next command is number 0 again."""

        def where(_done: int) -> str:
            return "when it was to make an engine"

        self._next = 0
        (line,) = self._process.exchange(create(self.settings), 1, where)
        answer_in(self._process, line, Created, where)

    def process(self, commands: Commands) -> Events:
        """Send all commands, and return their events. Raises `NotValidError`."""
        parts = [self._process_part(commands[at : at + _PART]) for at in range(0, len(commands), _PART)]
        events, at = np.zeros(sum(map(len, parts)), EVENT), 0
        for part in parts:
            events[at : at + len(part)] = part
            at += len(part)
        return events

    def _process_part(self, commands: Commands) -> Events:
        return self.events_in(self.exchange(b"".join(self.lines(commands)), len(commands)))

    def lines(self, commands: Commands) -> list[bytes]:
        """The next commands as they are sent, a line each."""
        return [*command_lines(commands, self._next)]

    def exchange(self, lines: bytes, count: int) -> list[bytes]:
        """Send the lines of the next commands, `count` of them, and return the lines that answer them."""
        try:
            answers = self._process.exchange(lines, count, self._at_command)
        except NotValidError:
            for at, line in enumerate(self._process.unread):  # an answer that was left out explains why it waited
                self._answer(line, self._next + at)
            raise
        self._next += count
        return answers

    def events_in(self, lines: list[bytes]) -> Events:
        """The events in the lines that came last."""
        first = self._next - len(lines)
        try:
            return events_of(self.answers_in(lines))
        except OverflowError as error:
            self._process.fail(
                f"gives a number that an event cannot hold ({shown(str(error))})",
                lambda _done: f"in commands {first:,} to {self._next - 1:,}",
            )

    def answers_in(self, lines: list[bytes]) -> list[EventsAnswer]:
        """The answers in the lines that came last. Raises `NotValidError`."""
        first = self._next - len(lines)
        return [self._answer(line, first + at) for at, line in enumerate(lines)]

    def _answer(self, line: bytes, index: int) -> EventsAnswer:
        def where(_done: int) -> str:
            return f"at command {index:,}"

        answer = answer_in(self._process, line, EventsAnswer, where)
        if answer.index != index:
            self._process.fail(f"answers command {answer.index}", where)
        return answer

    def _at_command(self, done: int) -> str:
        return f"at command {self._next + done:,}"


def _refusal(answer: Refusal) -> str:
    return shown(f"{answer.code} {answer.message}".strip())


def _quoted(line: bytes) -> str:
    return repr(shown(line[:1000].decode(errors="replace"))) if line else "an empty line"
