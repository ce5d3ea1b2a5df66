"""`--scheduler`, `--local` and `--hosts`, or `--cluster`: which Dask cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from lowlat.errors import UsageError
from lowlat_cli.options.shared import count

if TYPE_CHECKING:
    from lowlat.fleet.place import ClusterPlace


def _workers(value: object) -> int:
    """A number of workers of a cluster on this host."""
    from lowlat.fleet.place import LOCAL_MAX

    return count(1, LOCAL_MAX)(value)


SchedulerOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="A Dask scheduler that runs, such as tcp://node:8786."),
]
LocalOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--local",
        metavar="N",
        parser=_workers,
        help="Start a cluster of N workers on this host, for the time of the command.",
    ),
]
HostsOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--hosts",
        metavar="FILE",
        help="Start a worker by SSH on each host of FILE, one a line, for the time of the command.",
    ),
]


def cluster_place(scheduler: str | None, local: int | None, hosts: Path | None) -> ClusterPlace:
    """The cluster that the options say. Raises `UsageError`, for one if they say none or several."""
    from lowlat.fleet.place import ClusterPlace

    return ClusterPlace(scheduler, local, hosts)


def _place(value: object) -> ClusterPlace:
    from lowlat.fleet.place import ClusterPlace, parse_place

    if isinstance(value, ClusterPlace):
        return value
    try:
        return parse_place(str(value))
    except UsageError as error:
        raise typer.BadParameter(str(error)) from error


ClusterOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="PLACE",
        parser=_place,
        help="Work in parts on a Dask cluster: tcp://node:8786, a scheduler that runs; local:N, workers on this host; "
        "hosts:FILE, hosts by SSH, one a line.",
    ),
]
"""For verbs that split their work. Its value is a `ClusterPlace`."""
