"""Exit codes, and the errors that several packages share.

Every package (`lowlat_cli` -> `engine` -> `probes`, `reports`) may import this module; it imports none of them. An
error has its own class if it is caught somewhere or a caller can act on it; all others differ only in their message.
"""

from __future__ import annotations

from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class ExitCode(IntEnum):
    """Exit codes of the `lowlat` process."""

    OK = 0
    """Success."""
    GATE_FAILED = 1
    """A gate failed: a gated metric regressed. Or `lowlat verify` failed: the engine gives other events."""
    USAGE = 2
    """Usage, configuration or resources: an option, a setting, a file that cannot be used; memory, threads or a call
    that the system refuses."""
    NOT_VALID = 3
    """A run is not valid, or its process was killed: discard its figures. Or reports that do not compare, a journal
    that is damaged; with `fleet --strict`, a host without a valid report."""
    INCONCLUSIVE = 4
    """With `--strict`: a gated metric is inconclusive. Or other programs kept a sweep from finding its rate."""
    INTERNAL = 70  # EX_SOFTWARE: never 1, so that a crash cannot look like a regression
    """An internal error."""
    COMMAND_REFUSED = 126  # 126 and 127 as in shells, env and nice
    """`affinity run`: the command exists and cannot be started."""
    COMMAND_MISSING = 127
    """`affinity run`: there is no such command."""
    HUNG_UP = 129  # from here on 128 + the signal's number, as shells report it
    """The terminal was closed (SIGHUP). As for Ctrl-C."""
    INTERRUPTED = 130
    """Interrupted by Ctrl-C (SIGINT). What was measured is reported, marked `interrupted`."""
    TERMINATED = 143
    """Asked to end by SIGTERM. As for Ctrl-C."""


class LowlatError(Exception):
    """Root of every error a user can cause or must act on.

    The message says what happened, the value seen, and what to do. The command line exits with `exit_code` when the
    error reaches it.
    """

    exit_code: ExitCode = ExitCode.USAGE


class UsageError(LowlatError):
    """An option, an argument or a setting that is invalid, on its own or combined with the others."""


class FormatError(UsageError):
    """Text, bytes or a document in the wrong format."""


class InputError(UsageError):
    """A file or folder that cannot be read as the expected kind; the message names it."""


class LobsterError(InputError):
    """A LOBSTER file that cannot be read or is invalid.

    `row` (from 1) and `column` (its name) give the position; both are None if the error concerns the whole file.
    """

    def __init__(self, path: Path, problem: str, *, row: int | None = None, column: str | None = None) -> None:
        where = "".join([f", row {row}" if row else "", f", column {column}" if column else ""])
        super().__init__(f"{path}{where}: {problem}")
        self.path = path
        self.row = row
        self.column = column


class PriceGridWarning(UserWarning):
    """The prices of a symbol are multiples of more than its tick, which makes its commands slower."""


class OutputPathError(UsageError):
    """A file or stdout that cannot be written."""


class ArrayError(UsageError):
    """An array whose dtype, shape, order or values an operation does not accept."""


class LevelUpdateError(ArrayError):
    """Level updates that cannot be applied; `price` is the level that failed. The book is unchanged."""

    def __init__(self, problem: str, price: int) -> None:
        super().__init__(f"level {price}: {problem}")
        self.price = price


class OffTickError(UsageError):
    """A decimal price that is not a whole number of price units, or exceeds int64."""


class PlugInError(UsageError):
    """An entry point of another package that cannot be used; the message names the package."""


class BusyError(LowlatError):
    """Another thread is using this engine, or this end of a ring."""


class CommandStartError(UsageError):
    """A command that cannot be started."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class RunFailedError(LowlatError):
    """The process of a run, or a compared command, ended without a result."""

    def __init__(self, message: str, exit_code: ExitCode) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class NotValidError(LowlatError):
    """Results that are invalid, missing, or not comparable; an engine whose books are inconsistent."""

    exit_code = ExitCode.NOT_VALID


@contextmanager
def naming(source: str) -> Iterator[None]:
    """Prefix the errors of a document that are raised in the block with the name of its file."""
    try:
        yield
    except FormatError as error:
        raise InputError(f"{source}: {error}") from error
    except NotValidError as error:
        raise NotValidError(f"{source}: {error}") from error
