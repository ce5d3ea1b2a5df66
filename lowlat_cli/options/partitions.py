"""Several recordings: how they are divided into partitions, and which options they have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from lowlat.errors import UsageError
from lowlat_cli.options.shared import is_given


class PartitionBy(StrEnum):
    """What a partition of recordings is."""

    FILE = "file"
    SYMBOL = "symbol"


ByOption: TypeAlias = Annotated[
    PartitionBy | None,
    typer.Option(
        "--by",
        help="Of several recordings: what is replayed apart from the rest, each file, or each symbol of each file.  "
        "[default: file]",
    ),
]

_OF_ONE: Final = {
    "expect": "--expect",
    "profile_out": "--profile-out",
    "pipeline": "--pipeline",
    "rate": "--rate",
    "arrivals": "--arrivals",
    "books": "--dir",
    "log": "--log",
    "cpu": "--cpu",
    "plot": "--plot",
}
"""Options for a single recording only, by parameter."""


def recordings_of(files: list[Path], by: PartitionBy | None, cluster: object) -> list[Path] | None:
    """The recordings, if they are to be replayed by partition; None for a single file without `by` and `cluster`.

    Raises `InputError` for a folder or a pattern without a file, `UsageError` for stdin among several.
    """
    from lowlat.engine.feed.source import STDIN, recordings

    found = recordings(files)
    if by is None and cluster is None and len(found) == 1 and found[0] in (files[0], STDIN):
        files[:] = found
        return None
    if STDIN in found:
        raise UsageError("-, stdin, can be read but once; name files to replay them by partition")
    return found


def check_several(ctx: typer.Context) -> None:
    """Raise `UsageError` for options on the command line that several recordings do not have."""
    given = [option for name, option in _OF_ONE.items() if is_given(ctx, name)]
    if given:
        raise UsageError(
            f"several recordings are replayed in a closed loop, on CPUs that are chosen for each; remove "
            f"{' and '.join(given)}, or name one file"
        )
