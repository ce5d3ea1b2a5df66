"""Workers on hosts that are reached by SSH. A host that is not, or has no worker, is named, and the others go on.

The scheduler is in this process. It and the workers listen on the loopback interface only, and reach one another by
ports that SSH forwards: no firewall is in the way, and nobody else on the network can connect.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lowlat.errors import UsageError
from lowlat.fleet.ssh_worker import LOOPBACK, PORT, READY
from lowlat.fleet.worker_facts import RefusedWorker
from lowlat.text import cut, is_digits, printable

if TYPE_CHECKING:
    from asyncssh import SSHClientConnection, SSHClientProcess

CONNECT_S: Final = 10.0
"""How long a host may take to let us in."""
START_S: Final = 60.0
"""How long its worker may take from there to taking part."""
CLOSE_S: Final = 5.0
AT_ONCE: Final = 32
"""Hosts that are connected to at a time."""
KEEPALIVE_S: Final = 15.0
"""A host that has been silent for three times as long is lost."""
_FILES_A_HOST: Final = 8
_FILES: Final = 128
"""Open files of this process for each host, and for all else."""
_LINES_MAX: Final = 1_000
_WHY_MAX: Final = 300
_PORT_DIGITS: Final = 5
_PORT_MAX: Final = 65_535
_NO_WORKER: Final = "what it prints is no worker's"


class _NoWorker(Exception):  # noqa: N818 (an ending, not an error)
    """Why a host that was reached has no worker."""


@dataclass(frozen=True, slots=True)
class _Scheduler:
    """What a worker is told."""

    port: int
    config: Mapping[str, Any]


@contextmanager
def workers_by_ssh(
    cluster: Any, hosts: Sequence[str], config: Mapping[str, Any]
) -> Iterator[tuple[RefusedWorker, ...]]:
    """Start a worker on each host, with this Dask configuration; they end with the `with` block, or with this process.

    `cluster`: a `LocalCluster`, whose scheduler they have. Yields the hosts that have none, in their order. Raises
    `UsageError` for more hosts than this process may have open files for.
    """
    _make_room(len(hosts))
    scheduler = _Scheduler(int(cluster.scheduler_address.rpartition(":")[2]), config)
    ends: list[AsyncExitStack] = []
    try:
        yield tuple(each for each in cluster.sync(_started, hosts, scheduler, ends) if each is not None)
    finally:
        cluster.sync(_ended, ends)


def _make_room(hosts: int) -> None:
    """Let this process have as many open files as that takes."""
    need = _FILES + _FILES_A_HOST * hosts
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and need > hard:
        raise UsageError(
            f"{hosts:,} hosts take {need:,} open files, and the limit is {hard:,}; raise it (ulimit -n), or name fewer"
        )
    if soft != resource.RLIM_INFINITY and need > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))


async def _started(
    hosts: Sequence[str], scheduler: _Scheduler, ends: list[AsyncExitStack]
) -> list[RefusedWorker | None]:
    """For each host, None or why it has no worker. What has to be closed at the end is added to `ends`."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def start(host: str) -> RefusedWorker | None:
        async with turns, AsyncExitStack() as opened:
            if (why := await _why_not(host, scheduler, opened)) is None:
                ends.append(opened.pop_all())
                return None
            return RefusedWorker(host, host, cut(printable(why), _WHY_MAX), reached=False)

    return await asyncio.gather(*map(start, hosts))


async def _ended(ends: Sequence[AsyncExitStack]) -> None:
    closing = [asyncio.ensure_future(each.aclose()) for each in ends]
    if closing:
        await asyncio.wait(closing, timeout=CLOSE_S)


async def _why_not(host: str, scheduler: _Scheduler, opened: AsyncExitStack) -> str | None:
    """Start a worker on a host. Returns None, or why there is none."""
    import asyncssh

    try:
        connection = await _connection(host, opened)
    except asyncssh.HostKeyNotVerifiable:
        return f"its host key is not a known one; try: ssh {host} true"
    except asyncssh.PermissionDenied:
        return f"it accepts no key of yours; try: ssh {host} true"
    except TimeoutError:
        return f"it does not answer by SSH within {CONNECT_S:g} s"
    except (OSError, ValueError, asyncssh.Error) as error:  # ValueError: of a file of keys or of settings
        return f"no connection by SSH: {_words(error)}"
    try:
        async with asyncio.timeout(START_S):
            await _worker(connection, host, scheduler, opened)
    except TimeoutError:
        return f"its worker has not started within {START_S:g} s"
    except (_NoWorker, OSError, asyncssh.Error) as error:
        return _words(error)
    return None


async def _connection(host: str, opened: AsyncExitStack) -> SSHClientConnection:
    """As the user's settings of SSH have it. Raises what asyncssh raises."""
    import asyncssh

    user, _, name = host.rpartition("@")
    given = {"username": user} if user else {}
    connection = await asyncssh.connect(
        name, connect_timeout=CONNECT_S, login_timeout=CONNECT_S, keepalive_interval=KEEPALIVE_S, **given
    )
    opened.push_async_callback(connection.wait_closed)
    opened.callback(connection.close)
    return connection


async def _worker(connection: SSHClientConnection, host: str, scheduler: _Scheduler, opened: AsyncExitStack) -> None:
    """Returns once it takes part. Raises `_NoWorker` and what asyncssh raises."""
    import asyncssh

    try:
        there = await connection.forward_remote_port(LOOPBACK, 0, LOOPBACK, scheduler.port)
    except asyncssh.ChannelListenError as error:
        raise _NoWorker("its SSH server forwards no ports; set AllowTcpForwarding there") from error
    command = shlex.join([sys.executable, "-P", "-m", "lowlat.fleet.ssh_worker"])
    process = await connection.create_process(f"exec {command}", errors="replace")
    opened.callback(process.close)
    port = await _line(process, PORT)
    if not (is_digits(port) and len(port) <= _PORT_DIGITS and 1 <= int(port) <= _PORT_MAX):
        raise _NoWorker(_NO_WORKER)
    here = await connection.forward_local_port(LOOPBACK, 0, LOOPBACK, int(port))
    told = {
        "name": host,
        "scheduler": f"tcp://{LOOPBACK}:{there.get_port()}",
        "contact": f"tcp://{LOOPBACK}:{here.get_port()}",
        "config": scheduler.config,
    }
    process.stdin.write(f"{json.dumps(told)}\n")
    await _line(process, READY)


async def _line(process: SSHClientProcess[str], start: str) -> str:
    """What follows `start` on its line. Raises `_NoWorker` if the process ends before."""
    for _ in range(_LINES_MAX):
        line: str = await process.stdout.readline()
        if not line:
            break
        if line.startswith(start):
            return line.removeprefix(start).strip()
    else:
        raise _NoWorker(_NO_WORKER)
    said = (await process.stderr.read()).strip().splitlines()
    await process.wait_closed()
    why = said[-1] if said else f"exit code {process.returncode}"
    if process.returncode == 127:  # of a shell that finds no such command
        raise _NoWorker(f"it has no {sys.executable}: have the same Python at the same path")
    if missing := re.search(r"No module named '?[\w.]+'?", why):
        raise _NoWorker(f"it has no such lowlat ({missing[0]}): pip install 'lowlat[cluster]' there, the same as here")
    raise _NoWorker(f"its worker does not start: {why}")


def _words(error: BaseException) -> str:
    number = getattr(error, "errno", None)
    if number is not None and number > 0:
        file = getattr(error, "filename", None)
        return f"{file}: {os.strerror(number)}" if file else os.strerror(number)
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return next(iter(str(text).strip().splitlines()), type(error).__name__)
