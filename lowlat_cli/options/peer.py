"""`bench --peer`, `--listen` and `--bind`: the way to another host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NoReturn, TypeAlias

import typer

from lowlat.errors import UsageError
from lowlat_cli.options.shared import count, is_given
from lowlat_cli.stdio import say

if TYPE_CHECKING:
    from lowlat.probes.network.peer import PeerPath
    from lowlat_cli.progress import Progress

PORT_MAX = 65_535
_BESIDE_LISTEN = {"listen", "bind", "verbose", "_color", "_debug"}

PeerOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--peer",
        metavar="HOST:PORT",
        help="Measure the network to a host that runs 'lowlat bench --listen PORT', for the latency budget.",
    ),
]
ListenOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--listen",
        metavar="PORT",
        parser=count(0, PORT_MAX),
        help="Be the peer: answer messages of 'lowlat bench --peer' on this UDP port until Ctrl-C; 0 takes a free one.",
    ),
]
BindOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--bind", metavar="ADDRESS", help="Listen on this address only.  [default: all addresses]"),
]


def listens(ctx: typer.Context, port: int | None, address: str | None) -> bool:
    """Be the peer until interrupted, then True; False without a port. Raises `UsageError` and `ListenError`.

    An option on the command line that means a measurement is refused; those of environment and settings file are for
    other invocations too.
    """
    if port is None:
        if address is not None and is_given(ctx, "bind"):
            raise UsageError(f"--bind {address} says where to listen; give --listen PORT with it")
        return False
    for option in ctx.command.params:
        if option.name not in _BESIDE_LISTEN and is_given(ctx, str(option.name)):
            raise UsageError(f"--listen only answers a peer; leave out {max(option.opts, key=len)}")
    try:
        _serve(port, address)
    except KeyboardInterrupt:  # the way to end it
        return True


def _serve(port: int, address: str | None) -> NoReturn:
    from lowlat.probes.network.echo_server import EchoServer

    with EchoServer(port, address) as server:
        say(f"listening on {server.address} (UDP), for 'lowlat bench --peer' only; Ctrl-C ends it")
        try:
            server.run()
        finally:
            say(f"answered {server.answered:,} messages, ignored {server.ignored:,}")


def measured_peer(address: str | None, progress: Progress) -> PeerPath | None:
    """The way to the peer, if one is named: before the runs, which a peer that is silent should not cost."""
    if address is None:
        return None
    from lowlat.probes.network.peer import measure_peer

    progress("measuring the way to the peer", 0.0)
    return measure_peer(address)
