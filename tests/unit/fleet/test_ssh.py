"""What a host prints is believed only where it is what a worker prints."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from unittest.mock import AsyncMock, Mock

import pytest

from lowlat.fleet.ssh import _NoWorker, _Scheduler, _worker
from lowlat.fleet.ssh_worker import PORT


@pytest.mark.parametrize("port", ["", "x", "-1", "\u0663", "8.5", "0", "65536", "9" * 5_000])
def test_a_port_that_is_none_is_no_worker(port: str) -> None:
    process = Mock(stdout=Mock(readline=AsyncMock(return_value=f"{PORT}{port}\n")))
    connection = Mock(forward_remote_port=AsyncMock(), create_process=AsyncMock(return_value=process))

    async def started() -> None:
        async with AsyncExitStack() as opened:
            await _worker(connection, "node-1", _Scheduler(1, {}), opened)

    with pytest.raises(_NoWorker, match="what it prints is no worker's"):
        asyncio.run(started())
    process.close.assert_called_once()
    connection.forward_local_port.assert_not_called()
