"""How an engine that runs as a process is named: its transport, a colon, and the command that starts it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from lowlat.errors import UsageError
from lowlat.text import cut, printable

Transport: TypeAlias = Literal["ndjson", "ring"]
TRANSPORTS: Final[tuple[Transport, ...]] = ("ndjson", "ring")
"""Ways to talk to an engine's process."""

_SHOWN_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class EngineCommand:
    """What to start, and how to talk to it. `given`: as the user wrote it."""

    given: str
    transport: Transport
    words: tuple[str, ...]

    def __str__(self) -> str:
        """The command, for messages."""
        return cut(printable(shlex.join(self.words)), _SHOWN_MAX)


def is_process(name: str) -> bool:
    """Whether this names an engine that runs as a process, as in `ndjson:./my-engine --fast`."""
    return ":" in name and name.partition(":")[0] in TRANSPORTS


def engine_command(name: str) -> EngineCommand:
    """The transport and the words of the command, split as a shell does. Raises `UsageError`."""
    text = name.partition(":")[2]
    transport = next(each for each in TRANSPORTS if name.startswith(f"{each}:"))
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{name!r}: {error}; quote the command as for a shell") from error
    if not words or not words[0]:
        raise UsageError(f"{name!r} names no program; write '{transport}:./my-engine'")
    if "\0" in text:
        raise UsageError(f"{name!r}: a command cannot contain NUL")
    return EngineCommand(name, transport, tuple(words))
