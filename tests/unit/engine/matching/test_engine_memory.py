"""An engine's memory is determined by its pools and index, whatever the prices, and is allocated at the start; that of
orders' attributes becomes resident as such orders come."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine.matching.aligned import CACHE_LINE
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import PRICE_MAX, PRICE_MIN
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import (
    COMMAND,
    EXTENDED_COMMAND,
    Commands,
    CommandType,
    ExecType,
    TimeInForce,
)

NODE, SLOT, FAR_LEVEL, TRADE = 32, 4, 384 // 14, 32
"""Bytes of an order or a level, of a slot of the index, of a level outside the window at most, of a trade record."""
ATTRIBUTES, EXPIRY = 64, 16
"""Bytes of an order's attributes, and of its place among the expiries."""


def need_bytes(settings: EngineConfig) -> int:
    """The size of the pools and the index: every order may have its own level, possibly outside the window."""
    orders = settings.orders
    index = 1 << (2 * orders - 1).bit_length()  # half of the slots taken at most, a power of two
    return orders * (2 * NODE + FAR_LEVEL) + index * SLOT + settings.trades * TRADE


def limits(prices: np.ndarray) -> Commands:
    made = np.zeros(len(prices), COMMAND)
    made["order_id"] = np.arange(len(prices))
    made["price"] = prices
    made["quantity"] = 1
    made["kind"] = CommandType.LIMIT
    return made


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def extremes(count: int) -> Commands:
    """Buy orders at both ends of int64, and evenly in between."""
    ends = [*range(PRICE_MIN, PRICE_MIN + 1000), *range(PRICE_MAX - 1000, PRICE_MAX)]
    between = np.linspace(PRICE_MIN // 2, PRICE_MAX // 2, count - len(ends)).astype(np.int64)
    return limits(np.concatenate([np.array(ends), between]))


def travel(count: int) -> Commands:
    """A touch that falls by 50 million ticks; every order is canceled when the next comes, so that levels come and
    go all the way."""
    made = np.repeat(limits(np.linspace(50_000_000, 0, count // 2).astype(np.int64)), 2)
    made["kind"][1::2] = CommandType.CANCEL
    return made


@pytest.mark.parametrize(("orders", "trades"), [(50_000, 100_000), (200_000, 100_000), (1_000_000, 1_000_000)])
def test_mappings_are_within_twice_the_need(orders: int, trades: int) -> None:
    engine = Engine(orders=orders, trades=trades)
    taken = sum(part.size_bytes for part in engine.memory)
    assert need_bytes(engine.settings) <= taken < 2 * need_bytes(engine.settings)


@pytest.mark.parametrize("orders", [200_000, 1_000_000])
def test_a_plain_order_takes_at_most_128_bytes(orders: int) -> None:
    parts = {part.part: part.size_bytes for part in Engine(orders=orders, trades=1).memory}
    del parts["price windows"]  # of the symbol
    assert sum(parts.values()) <= 128 * orders


def test_attributes_take_memory_as_orders_with_attributes_come() -> None:
    engine = Engine(orders=100_000, trades=1)
    plain = sum(part.size_bytes for part in engine.memory)
    engine.process(limits(np.full(5_000, 100)))
    assert sum(part.size_bytes for part in engine.memory) == plain
    for count in (1, 1_000, 3_000, 50_000):
        engine.reset()
        wide = np.zeros(count, EXTENDED_COMMAND)
        for name in COMMAND.names:
            wide[name] = limits(np.full(count, 100))[name]
        wide["time_in_force"], wide["expiry"] = TimeInForce.GTD, np.arange(count) % 97 + 1
        assert (engine.process(wide)["kind"] == ExecType.ACCEPTED).all()
        engine.check_invariants()
        taken = sum(part.size_bytes for part in engine.memory) - plain
        assert count <= taken / (ATTRIBUTES + EXPIRY) <= count + 1_500


def test_a_small_engine_takes_little() -> None:
    assert sum(part.size_bytes for part in Engine(orders=1, trades=1).memory) <= 8 << 20


def test_a_thousand_books_share_their_windows() -> None:
    one, thousand = (sum(part.size_bytes for part in Engine(symbols).memory) for symbols in (1, 1_000))
    assert thousand < one + (8 << 20)


def test_mappings_start_on_a_page_and_hold_their_records_by_cache_lines() -> None:
    for part in Engine().memory:
        assert part.address % (2 << 20) == 0
        assert part.size_bytes % CACHE_LINE == 0


RESIDENT = """
import sys
from lowlat.engine.matching.native import Engine
from tests.unit.engine.matching.test_engine_memory import {flow}, need_bytes, resident_bytes
stream = {flow}(50_000)
before = resident_bytes()
engine = Engine()
made = resident_bytes()
for start in range(0, len(stream), 1_000):
    engine.process(stream[start : start + 1_000])
after = resident_bytes()
engine.check_invariants()
print(need_bytes(engine.settings), made - before, after - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="not available here: /proc/self/statm")
@pytest.mark.parametrize("flow", ["extremes", "travel"])
def test_resident_memory_is_taken_at_the_start_and_stays_within_twice_the_need(flow: str) -> None:
    root = Path(__file__).parents[4]
    code = f"import sys; sys.path.append({str(root)!r})\n" + RESIDENT.format(flow=flow)
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    need, made, after = map(int, run.stdout.split())
    assert made < 2 * need
    assert after < 2 * need
    assert after - made < 2 << 20  # the interpreter's own arrays
