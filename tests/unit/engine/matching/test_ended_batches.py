"""A batch that ends early, for lack of memory or for a signal, loses nothing; a broken engine says so."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import numpy as np
import pytest

from lowlat.engine import (
    COMMAND,
    CommandType,
    Engine,
    JournaledEngine,
    Side,
    command,
    commands,
    load_profile,
    synthetic_flow,
)
from lowlat.engine.matching.aligned import CACHE_LINE
from lowlat.engine.matching.native import Interrupted
from lowlat.engine.matching.records import Commands
from tests.unit.engine.journal.test_journal import without_sanitizers
from tests.waiting import PATIENCE_S

LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np
from lowlat.engine import *
from lowlat.errors import NotValidError

def limit_memory(more):
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + more, -1))

def batch(count, **fields):
    made = np.zeros(count, EXTENDED_COMMAND)
    for name, value in fields.items():
        made[name] = value
    return made
"""


def told(program: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", LIMITED + program], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@without_sanitizers
def test_without_memory_for_events_a_batch_ends_between_commands_and_loses_none() -> None:
    lines = told("""
engine, twin = Engine(orders=600_000, trades=10), Engine(orders=600_000, trades=10)
sells = batch(600_000, kind=CommandType.LIMIT, side=Side.SELL, price=100, quantity=1, order_id=np.arange(600_000))
buys = batch(400_000, kind=CommandType.LIMIT, side=Side.BUY, price=100, quantity=1, time_in_force=TimeInForce.IOC)
buys["order_id"] = 600_000 + np.arange(400_000)
for each in (engine, twin):
    each.process(sells)
expected = twin.process(buys)
del sells
limit_memory(80_000_000)
events, sent, failures = [], 0, 0
while sent < len(buys):
    try:
        events.append(engine.process(buys[sent:]))
        break
    except MemoryError:
        failures += 1
        done = engine.take_interrupted()
        if done is None:
            break
        sent += done.commands
        events.append(done.events)
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
print("failed", failures > 0, "sent some", sent > 0)
events.append(engine.process(buys[sent:]) if failures and done is None else events.pop())
print("equal", np.array_equal(np.concatenate(events), expected))
engine.check_invariants()
print("trades", engine.counters.trades, engine.take_interrupted())
""")
    assert lines == ["failed True sent some True", "equal True", "trades 400000 None"]


@without_sanitizers
@pytest.mark.parametrize("size", [100, 3_000])
def test_without_memory_for_the_array_of_events_they_can_still_be_taken(size: int) -> None:
    """Fails each allocation of Python objects in turn, until a batch needs no more of them."""
    pytest.importorskip("_testcapi", reason="needs CPython's own test module")
    lines = told(f"""
import _testcapi
engine = Engine(orders=1_000_000)
orders = batch({size}, kind=CommandType.LIMIT, side=Side.SELL, price=100, quantity=1)
whole = taken = lost = 0
for failing in range(100):
    orders["order_id"] = {size} * failing + np.arange({size})
    events = None
    _testcapi.set_nomemory(failing, failing + 1)
    try:
        events = engine.process(orders)
    except MemoryError:
        pass
    _testcapi.remove_mem_hooks()
    executed = engine.counters.live_orders - (whole + taken + lost) * {size}
    if events is None and executed:
        interrupted = engine.take_interrupted()
        if interrupted is None:
            lost += 1
        else:
            assert interrupted.commands == {size} == executed
            assert np.array_equal(interrupted.events["order_id"], orders["order_id"])
            taken += 1
    elif events is not None:
        assert len(events) == {size} == executed
        whole += 1
print(lost, taken > 0, whole > 0)
""")
    assert lines == ["0 True True"]


@without_sanitizers
def test_an_engine_whose_command_was_interrupted_refuses_everything_until_it_is_reset() -> None:
    """Each of 20,000 icebergs refills 200 times in one command: far more events than orders."""
    lines = told("""
engine = Engine(orders=50_000, trades=10)
engine.process(batch(20_000, kind=CommandType.LIMIT, side=Side.SELL, price=100, quantity=200, display_quantity=1,
                     order_id=np.arange(20_000)))
sweep = batch(1, kind=CommandType.MARKET, side=Side.BUY, quantity=4_000_000, order_id=70_000)
limit_memory(64_000_000)
try:
    engine.process(sweep)
except MemoryError:
    print("no memory")
calls = {
    "process": lambda: engine.process(sweep), "depth": lambda: engine.depth(Side.BUY, 1), "orders": engine.orders,
    "stops": engine.stops, "indicative": engine.indicative, "trades": engine.trades, "best": engine.best,
    "drain_trades": engine.drain_trades, "check_invariants": engine.check_invariants,
    "submit": lambda: engine.cancel(1),
    "counters": lambda: engine.counters, "memory": lambda: engine.memory, "interrupted": engine.take_interrupted,
}
for name, call in calls.items():
    try:
        print(name, call())
    except NotValidError as error:
        assert "ran out of memory inside a command" in str(error) and "reset it" in str(error)
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
engine.reset()
engine.check_invariants()
print(len(engine.submit(1, Side.BUY, 1, 7)), engine.counters.live_orders)
""")
    assert lines == ["no memory", "1 1"]


class RangError(Exception):
    pass


def ring(_number: int, _frame: FrameType | None) -> None:
    raise RangError


def long_batch(seconds: float) -> Commands:
    """Unknown cancels that take about so long."""
    engine, some = Engine(), np.repeat(commands(command(CommandType.CANCEL, 1)), 1_000_000)
    begin = time.perf_counter()
    engine.process(some)
    return np.resize(some, int(len(some) * max(1.0, seconds / (time.perf_counter() - begin))))


Alarm = Callable[[float], object]


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    before = signal.signal(signal.SIGALRM, ring)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def interrupted(engine: Engine, batch: Commands, alarm: Alarm) -> Interrupted:
    alarm(0.05)
    with pytest.raises(RangError):
        engine.process(batch)
    taken = engine.take_interrupted()
    assert taken is not None
    assert engine.take_interrupted() is None
    return taken


def test_a_signal_ends_a_long_batch_between_commands_and_loses_no_event(alarm: Alarm) -> None:
    engine, batch = Engine(), long_batch(1.0)
    taken = interrupted(engine, batch, alarm)
    assert 0 < taken.commands < len(batch)
    assert np.array_equal(taken.events["sequence"], np.arange(taken.commands))
    rest = engine.process(batch[taken.commands :])
    assert rest["sequence"][0] == taken.commands
    assert engine.counters.commands == len(batch)
    engine.check_invariants()


def test_a_journaled_batch_is_executed_to_its_end_before_a_signal_is_heard(alarm: Alarm, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    batch = long_batch(0.5)
    with JournaledEngine.create(path) as engine:
        taken = interrupted(engine, batch, alarm)
        assert (taken.commands, len(taken.events)) == (len(batch), len(batch))
        assert engine.can_go_on
    with JournaledEngine.recover(path) as back:
        assert back.counters.commands == len(batch)


def test_a_batch_that_ends_regularly_is_not_interrupted() -> None:
    engine = Engine()
    engine.process(np.zeros(0, COMMAND))
    engine.submit(1, Side.BUY, 1, 100)
    assert engine.take_interrupted() is None


def test_small_and_large_batches_give_the_events_of_single_commands() -> None:
    """Small ones go through memory that the engine keeps, large ones do not."""
    flow = synthetic_flow(load_profile("sweep"), 20_000, 1)
    single = Engine(orders=flow.orders)
    expected = np.concatenate([single.process(flow.commands[n : n + 1]) for n in range(len(flow.commands))])
    for size in (7, 16, 17, 1_000, 1_023, 1_024, 1_025, 5_000, len(flow.commands)):
        engine = Engine(orders=flow.orders)
        parts = [engine.process(flow.commands[n : n + size]) for n in range(0, len(flow.commands), size)]
        assert np.array_equal(np.concatenate(parts), expected), size
        assert all(part.base is not None and part.flags.writeable for part in parts)
        assert all(part.ctypes.data % CACHE_LINE == 0 for part in parts)
