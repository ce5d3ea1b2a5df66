"""Exit codes, and the errors that no room of the house has to itself.

It stands beneath the house (`lowlat_cli` -> `engine` -> `probes`, `reports`) and imports nothing of it. An error has a
class of its own where a caller can act on it, or where it is caught; all others differ by their message.
"""

from __future__ import annotations

from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class ExitCode(IntEnum):
    """What the `lowlat` process tells its caller."""

    OK = 0
    """Success."""
    GATE_FAILED = 1
    """A gate failed: a gated metric regressed."""
    USAGE = 2
    """Usage or configuration: an option, a setting, a file that cannot be used."""
    NOT_VALID = 3
    """A run is not valid: discard its figures. Or reports that do not compare, or a journal that is damaged."""
    INCONCLUSIVE = 4
    """With `--strict`: a gated metric is inconclusive."""
    INTERNAL = 70  # EX_SOFTWARE: never 1, so that a crash cannot look like a regression
    """An internal error."""
    COMMAND_REFUSED = 126  # 126 and 127 are what shells, env and nice say
    """`affinity run`: the command exists and cannot be started."""
    COMMAND_MISSING = 127
    """`affinity run`: there is no such command."""
    INTERRUPTED = 130  # 128 + SIGINT, as shells report it
    """Interrupted by Ctrl-C. What was measured is reported, marked `interrupted`."""


class LowlatError(Exception):
    """Root of every error a user can cause or must act on.

    The message says what happened, the value seen, and what to do. `exit_code` is what the
    command line returns when the error reaches it.
    """

    exit_code: ExitCode = ExitCode.USAGE


class UsageError(LowlatError):
    """An option, an argument or a setting that cannot be used, here or together with the others."""


class FormatError(UsageError):
    """Text, bytes or a document that are not of the form asked for."""


class InputError(UsageError):
    """A file or folder that cannot be read as what it is to be; the message names it."""


class LobsterError(InputError):
    """A LOBSTER file that cannot be read, or says what no LOBSTER file says.

    `row` (from 1) and `column` (its name) tell where; both are None when it is the file as a whole.
    """

    def __init__(self, path: Path, problem: str, *, row: int | None = None, column: str | None = None) -> None:
        where = "".join([f", row {row}" if row else "", f", column {column}" if column else ""])
        super().__init__(f"{path}{where}: {problem}")
        self.path = path
        self.row = row
        self.column = column


class OutputPathError(UsageError):
    """A file, or stdout, that cannot be written."""


class ArrayError(UsageError):
    """An array whose dtype, shape, order or values an operation cannot take."""


class LevelUpdateError(ArrayError):
    """Level updates that cannot be applied; `price` is where. Nothing was changed."""

    def __init__(self, problem: str, price: int) -> None:
        super().__init__(f"level {price}: {problem}")
        self.price = price


class OffTickError(UsageError):
    """A decimal price that is not a whole number of price units, or lies outside int64."""


class PlugInError(UsageError):
    """What another package offers as an entry point cannot be used; the message names the package."""


class BusyError(LowlatError):
    """Another thread is using this engine or this end of a ring."""


class CommandStartError(UsageError):
    """A command that cannot be started."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class RunFailedError(LowlatError):
    """The process of a run, or a command that is compared, ended without a result."""

    def __init__(self, message: str, exit_code: ExitCode) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class NotValidError(LowlatError):
    """Numbers that must not be believed, or compared, or that there are none of."""

    exit_code = ExitCode.NOT_VALID


@contextmanager
def naming(source: str) -> Iterator[None]:
    """Put the name of a file before the message of whatever is wrong with the form of what it holds."""
    try:
        yield
    except FormatError as error:
        raise InputError(f"{source}: {error}") from error
