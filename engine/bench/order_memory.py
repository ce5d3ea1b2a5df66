"""Measures what a resting order takes of an engine's memory, in a process of its own.

`python -m lowlat.engine.bench.order_memory ENGINE ORDERS` makes the engine, fills it with limit orders that do not
trade, and writes by how many bytes the process's resident memory grew.
"""

from __future__ import annotations

import gc
import re
import subprocess
import sys
from typing import Final, Literal

import msgspec
import numpy as np

from lowlat.child_process import apart_from_stdout, ending, own_environment, python_running
from lowlat.engine import _core
from lowlat.engine.bench.engines import EngineEntry, engine_entry
from lowlat.engine.external.hosting import EngineHost
from lowlat.engine.external.process import ended_by_sigterm
from lowlat.engine.foreign.description import STALL_LIMIT_S
from lowlat.engine.foreign.library import LibraryEngine, loaded, null_library, silenced
from lowlat.engine.foreign.python_engine import PythonEngine
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import COMMAND, Commands, CommandType, Side
from lowlat.probes.host.host_tree import LIVE
from lowlat.reports.model.league import LeagueEngine

COMPILED_ORDERS: Final = 200_000
PYTHON_ORDERS: Final = 20_000
"""Orders that an engine is filled with: enough that what else the process takes is a few bytes for each."""
LEVELS: Final = 500
"""Price levels of each side that hold them."""
BEST_BID: Final = 100_000
_BATCH: Final = 1_000
_TIMEOUT_S: Final = 120
_RESIDENT: Final = re.compile(r"^Rss:\s+([0-9]{1,15}) kB$", re.MULTILINE)
_ABSENT: Final = "not available here, because "


class _Growth(msgspec.Struct):
    """The output of the process."""

    growth_bytes: int | None


def measured_engine(name: str, entry: EngineEntry) -> LeagueEngine:
    """The engine, with the memory of its orders."""
    orders = COMPILED_ORDERS if entry.compiled else PYTHON_ORDERS
    growth, absent = _growth(entry.foreign or entry.name, orders)
    return LeagueEngine(
        name=name,
        given=entry.foreign or entry.name,
        kind=_kind(entry),
        version=entry.told.version if entry.told else None,
        memory_orders=orders,
        memory_growth_bytes=growth,
        memory_absent=absent,
    )


def _kind(entry: EngineEntry) -> Literal["compiled", "library", "process", "python"]:
    if entry.process:
        return "process"
    return "library" if entry.library else "compiled" if entry.compiled else "python"


def _growth(engine: str, orders: int) -> tuple[int | None, str | None]:
    """The growth in bytes, or why it is not known."""
    try:
        done = subprocess.run(
            [*python_running("lowlat.engine.bench.order_memory"), engine, str(orders)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=own_environment(),
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return None, f"{_ABSENT}it was not filled within {error.timeout:g} s"
    if done.returncode or not done.stdout:  # an engine may end it as if all were well
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        return None, f"{_ABSENT}the process {ending(done.returncode)}: {lines[-1] if lines else 'no output on stderr'}"
    growth = msgspec.json.decode(done.stdout, type=_Growth).growth_bytes
    return growth, None if growth is not None else f"{_ABSENT}the kernel does not show /proc/self/smaps_rollup"


def resting_orders(orders: int) -> Commands:
    """Limit orders on both sides of one symbol, none of which trades."""
    rows = np.zeros(orders, COMMAND)
    index = np.arange(orders)
    buys = index % 2 == 0
    away = index // 2 % LEVELS
    rows["kind"], rows["order_id"], rows["quantity"] = CommandType.LIMIT, index + 1, 1
    rows["side"] = np.where(buys, Side.BUY, Side.SELL)
    rows["price"] = np.where(buys, BEST_BID - away, BEST_BID + 1 + away)
    return rows


def growth_of(entry: EngineEntry, orders: int) -> int | None:
    """By how many bytes this process, or the engine's own, grows if it makes the engine and fills it; None if the
    kernel does not tell.
    """
    commands, settings = resting_orders(orders), EngineConfig((Instrument(),), orders, trades=1)
    if entry.process:
        return _growth_of_process(entry.process, commands, settings)
    library = loaded(entry.library, STALL_LIMIT_S) if entry.library else None
    _core.run_batched(LibraryEngine(null_library(calls_back=False), settings, extended=False).matcher, commands)
    gc.collect()
    before = _resident_bytes()
    if library is not None or entry.compiled:
        compiled = LibraryEngine(library, settings, extended=False) if library else entry.make_compiled(settings)
        _core.run_batched(compiled.matcher, commands)
    else:
        interpreted = PythonEngine(entry.name, entry.make, settings, entry.claimed)
        for start in range(0, orders, _BATCH):
            interpreted.process(commands[start : start + _BATCH])
        gc.collect()
    after = _resident_bytes()
    return None if before is None or after is None else max(0, after - before)


def _growth_of_process(name: str, commands: Commands, settings: EngineConfig) -> int | None:
    with ended_by_sigterm(), EngineHost(name) as host:
        engine = host.engine(settings, extended=False)
        before = _resident_bytes(host.process.pid)
        for start in range(0, len(commands), _BATCH):
            engine.process(commands[start : start + _BATCH])
        after = _resident_bytes(host.process.pid)
    return None if before is None or after is None else max(0, after - before)


def _resident_bytes(process: int | str = "self") -> int | None:
    found = _RESIDENT.search(LIVE.text(f"proc/{process}/smaps_rollup") or "")
    return int(found[1]) * 1024 if found else None


def main() -> None:
    """`lowlat.child_process.run_program` reports what fails."""
    with apart_from_stdout() as out, silenced():
        out.write(msgspec.json.encode(_Growth(growth_of(engine_entry(sys.argv[1]), int(sys.argv[2])))))


if __name__ == "__main__":
    main()
