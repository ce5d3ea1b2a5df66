"""The one module that every other package may import: exit codes and the root of the errors.

It stands beneath the house (`lowlat_cli` -> `engine` -> `probes`, `reports`) and imports nothing of it.
"""

from __future__ import annotations

from enum import IntEnum


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
    """An option, a configuration key or an input file that cannot be used."""


class OutputPathError(UsageError):
    """A file that cannot be written."""


class NotValidError(LowlatError):
    """A run that finished but whose numbers must not be believed."""

    exit_code = ExitCode.NOT_VALID
