"""`bench --peer`, `--listen` and `--bind`: measuring the network to another host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NoReturn, TypeAlias

import typer

from lowlat import units
from lowlat.errors import UsageError
from lowlat_cli.options.shared import count, is_given
from lowlat_cli.stdio import note

if TYPE_CHECKING:
    from lowlat.probes.network.peer import PeerPath
    from lowlat_cli.progress import Progress

PORT_MAX = 65_535
_BESIDE_LISTEN = {"listen", "bind", "verbose", "_quiet", "_color", "_debug"}

PeerOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--peer",
        metavar="HOST:PORT",
        help="Measure the network to a host running 'lowlat bench --listen PORT', for the latency budget.",
    ),
]
ListenOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--listen",
        metavar="PORT",
        parser=count(0, PORT_MAX),
        help="Run as the echo responder for 'lowlat bench --peer' on this UDP port until Ctrl-C; 0 picks a free port.",
    ),
]
BindOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--bind", metavar="ADDRESS", help="Listen on this address only.  [default: all addresses]"),
]


def listens(ctx: typer.Context, port: int | None, address: str | None) -> bool:
    """Run as the echo responder until interrupted, then return True; without a port, return False. Raises `UsageError`.

    Measurement options on the command line are rejected; those from environment and settings file are ignored, since
    they apply to other invocations too.
    """
    if port is None:
        if address is not None and is_given(ctx, "bind"):
            raise UsageError(f"--bind {address} needs --listen PORT; add it")
        return False
    for option in ctx.command.params:
        if option.name not in _BESIDE_LISTEN and is_given(ctx, str(option.name)):
            raise UsageError(f"--listen only answers a peer; remove {max(option.opts, key=len)}")
    try:
        _serve(port, address)
    except KeyboardInterrupt:  # the normal way to stop it
        return True


def _serve(port: int, address: str | None) -> NoReturn:
    from lowlat.probes.network.echo_server import EchoServer

    with EchoServer(port, address) as server:
        note(f"listening on {server.address} (UDP), for 'lowlat bench --peer' only; press Ctrl-C to stop")
        try:
            server.run()
        finally:
            note(f"answered {units.counted(server.answered, 'message')}, ignored {server.ignored:,}")


def measured_peer(address: str | None, progress: Progress) -> PeerPath | None:
    """Measure the network to the peer, if one is given. Done before the runs, so that a silent peer fails early."""
    if address is None:
        return None
    from lowlat.probes.network.peer import measure_peer

    progress("measuring the network path to the peer", 0.0)
    return measure_peer(address)
