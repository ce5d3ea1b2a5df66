"""Commands as plain tuples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from lowlat.engine.matching.commands import commands, extended_commands
from lowlat.engine.matching.records import COMMAND, EXTENDED_COMMAND, Commands

Row: TypeAlias = tuple[int, ...]
"""One command, in the order of `COMMAND` or `EXTENDED_COMMAND`."""
PLAIN: Final = len(COMMAND.names or ())
WIDE: Final = len(EXTENDED_COMMAND.names or ())


def stream_of(rows: Sequence[Row]) -> Commands:
    """The rows as an array; of `COMMAND` if none has further terms."""
    if all(len(row) == PLAIN for row in rows):
        return commands(*rows)
    return extended_commands(*(row + (0,) * (WIDE - len(row)) for row in rows))
