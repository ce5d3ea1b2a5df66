"""`--wait` and `--no-lock`: measurements on a host take turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final, TypeAlias

import typer

from lowlat_cli.options.shared import duration_s
from lowlat_cli.stdio import note

WAIT_MAX_S: Final = 7 * 24 * 3600.0

WaitOption: TypeAlias = Annotated[
    float,
    typer.Option(
        "--wait",
        metavar="TIME",
        parser=duration_s(0, WAIT_MAX_S),
        help="How long to wait for another measurement on this host to end, before exit code 2.  [default: 1h]",
        show_default=False,
    ),
]
WAIT_S: Final = 3600.0
NoLockOption: TypeAlias = Annotated[
    bool, typer.Option("--no-lock", help="Measure even while another measurement runs on this host.")
]


@contextmanager
def alone(ctx: typer.Context, wait_s: float, *, no_lock: bool) -> Iterator[None]:
    """Hold the host's lock for a `with` block, after waiting for it, unless `no_lock`. Raises `UsageError`."""
    if no_lock:
        yield
        return
    from lowlat.host_lock import measuring_alone

    with measuring_alone(ctx.command_path, wait_s, note):
        yield
