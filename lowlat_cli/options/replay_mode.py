"""Whether a replay matches recorded orders or applies what the venue says, and which options belong to which."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, TypeAlias

import typer

from lowlat.errors import UsageError
from lowlat_cli.options.shared import is_given


class ReplayMode(StrEnum):
    """What is done with recorded orders."""

    MATCH = "match"
    REBUILD = "rebuild"


ModeOption: TypeAlias = Annotated[
    ReplayMode,
    typer.Option(
        "--mode",
        help="match: send the orders to the engine and compare the fills. rebuild: apply the venue's own executions, "
        "cancels and replacements to its books; nothing is matched.",
    ),
]

_OF_MATCHING: Final = {
    "pipeline": "--pipeline",
    "rate": "--rate",
    "arrivals": "--arrivals",
    "books": "--dir",
    "log": "--log",
    "runs": "--runs",
    "no_kernel_path": "--no-kernel-path",
    "cpu": "--cpu",
    "engine": "--engine",
    "orders": "--orders",
    "trades": "--trades",
    "on_exhaustion": "--on-exhaustion",
    "plot": "--plot",
    "begin": "--from",
    "profile_out": "--profile-out",
}
"""Options of `--mode match` only, by parameter."""


def check_rebuild(ctx: typer.Context) -> None:
    """Raise `UsageError` for options on the command line that a rebuild does not have."""
    given = [option for name, option in _OF_MATCHING.items() if is_given(ctx, name)]
    if given:
        raise UsageError(f"--mode rebuild applies the whole file, without an engine; remove {' and '.join(given)}")
