"""`python -m lowlat.fleet.ssh_worker`: a worker of Dask on a host that was reached by SSH, for as long as that lasts.

It listens on the loopback interface only, and its client reaches it by ports that SSH forwards. It prints `PORT` with
the port that it will have; a line of JSON on stdin then says where its scheduler is; it prints `READY` once it takes
part. It ends with its stdin.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import tempfile
from collections.abc import Mapping
from typing import Any, Final

LOOPBACK: Final = "127.0.0.1"
PORT: Final = "lowlat worker on port "
READY: Final = "lowlat worker takes part"
_CLOSE_S: Final = 5.0


def main() -> None:
    """Exits at once at the end: what this worker started ends with it."""
    with socket.socket() as held:  # the port is ours while it is held; Dask's own socket may share it, once it listens
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((LOOPBACK, 0))
        port = held.getsockname()[1]
        with tempfile.TemporaryDirectory(prefix="lowlat-") as scratch:
            asyncio.run(_serve(port, scratch))
            sys.stdout.flush()
    os._exit(0)


def _print(line: str) -> None:
    """A line of its own, whatever a login shell printed before."""
    sys.stdout.write(f"\n{line}\n")
    sys.stdout.flush()


async def _serve(port: int, scratch: str) -> None:
    import dask
    from distributed import Worker
    from distributed.system import MEMORY_LIMIT

    from lowlat.fleet.connection import silence

    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    _print(f"{PORT}{port}")
    told: Mapping[str, Any] = json.loads(await stdin.readline() or "null")
    silence()
    dask.config.set(told["config"])
    worker = await Worker(
        told["scheduler"],
        name=told["name"],
        host=LOOPBACK,
        port=port,
        contact_address=told["contact"],
        nthreads=1,
        memory_limit=MEMORY_LIMIT,
        dashboard=False,
        local_directory=scratch,
    )
    _print(READY)
    ends = [asyncio.ensure_future(stdin.read()), asyncio.ensure_future(worker.finished())]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    with contextlib.suppress(Exception):  # the scheduler may be gone
        await asyncio.wait_for(worker.close(executor_wait=False), _CLOSE_S)


if __name__ == "__main__":
    main()
