"""Runs of techniques that Python code meets: what leaves the interpreter, and its garbage collector."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat.engine import _core
from lowlat.engine.ablation.passes import UNCOUNTED, figures_of, figures_of_passes, with_latencies
from lowlat.engine.ablation.pieces import piece
from lowlat.engine.ablation.technique import VariantFigures, VariantRun
from lowlat.engine.analytics.level_updates import apply_level_updates
from lowlat.engine.analytics.records import LEVEL_UPDATE, LevelUpdateRows
from lowlat.engine.analytics.vwap import vwap_of
from lowlat.engine.bench.engines import engine_entry
from lowlat.engine.bench.python_loops import Watch
from lowlat.engine.matching.records import COMMAND, LEVEL, CommandType, Levels, Side
from lowlat.engine.reference.engine import ReferenceEngine
from lowlat.engine.rings.ring import MpscRing
from lowlat.probes.clock.counter import ticks
from lowlat.reports._core import Histogram as Recorder

Row: TypeAlias = tuple[int, int, int]
AVERAGED: Final = 1_000
"""Records of which an average price is taken at once."""
RESTING: Final = 1 << 14
"""Orders at rest, as many as in `order_memory.hpp`."""
BATCH: Final = 64
"""Commands that are put into a ring at once."""


def in_python(run: VariantRun, operations: int, work: Callable[[], object], times: int = 1) -> VariantFigures:
    """The figures of `work`, which does so many operations, and is called so many times a pass."""
    passes = []
    for _ in range(run.passes):
        watch = Watch()
        for _ in range(times):
            work()
        passes.append(watch.stop(times * operations, 0, run.scale))
    return figures_of_passes(passes, UNCOUNTED)


def compiled(run: VariantRun) -> VariantFigures:
    """Orders that enter an empty book, one at a time: the native engine, or the reference engine in Python."""
    commands = run.commands[: run.operations]
    if not run.with_it:
        rows = commands.tolist()

        def execute() -> None:
            engine = ReferenceEngine.of(run.settings)
            for row in rows:
                engine.execute(row)

        return in_python(run, len(rows), execute)
    engine = engine_entry("native").make_compiled(run.settings)

    def empty() -> _core.Matcher:
        engine.reset()
        return engine.matcher

    return figures_of(run, lambda: _core.run_one_at_a_time(empty(), commands))


def collector(run: VariantRun) -> VariantFigures:
    """Orders that enter and leave the books of an engine in Python, whose events are kept, with the garbage collector
    off, or as it is.
    """
    engine = ReferenceEngine.of(run.settings)
    for row in run.commands[: run.operations].tolist():  # what is alive, and what the collector looks through
        engine.execute(row)
    rows = entering_and_leaving(run)
    if run.with_it:
        gc.collect()
        gc.freeze()
        gc.disable()
    else:
        gc.unfreeze()
        gc.enable()
    try:
        kept: list[Any] = []
        figures = in_python(run, len(rows), lambda: kept.extend(map(engine.execute, rows)))
        recorder = Recorder()
        for row in rows:
            start = ticks()
            kept.append(engine.execute(row))
            recorder.record(run.scale.to_ns(ticks() - start))
        return with_latencies(figures, recorder)
    finally:
        gc.enable()
        gc.unfreeze()


def entering_and_leaving(run: VariantRun) -> list[Any]:
    """Commands that can be executed again and again: each order is canceled 100 orders after it entered."""
    entering = run.commands[: run.operations // 2].copy()
    entering["order_id"] += np.uint64(1 << 40)
    leaving = np.zeros(len(entering), run.commands.dtype)
    for field in ("order_id", "symbol", "side"):
        leaving[field] = entering[field]
    leaving["kind"] = CommandType.CANCEL
    rows, gone = entering.tolist(), leaving.tolist()
    between = [row for at, order in enumerate(rows) for row in ((order, gone[at - 100]) if at >= 100 else (order,))]
    return [*between, *gone[max(len(gone) - 100, 0) :]]


def clock_reads(run: VariantRun) -> VariantFigures:
    """Reads of the processor's counter, or of Python's own clock."""
    read = ticks if run.with_it else time.perf_counter_ns

    def reads() -> None:
        for _ in range(run.operations):
            read()

    return in_python(run, run.operations, reads)


@dataclass(slots=True)
class RestingOrder:
    """An order as an object: what a node of the pool holds."""

    order_id: int
    quantity: int
    previous: RestingOrder | None = None
    following: RestingOrder | None = None


def pooled_or_objects(run: VariantRun) -> VariantFigures:
    """Orders that leave a book and others that enter it: nodes of the native pool, or an object each."""
    if run.with_it:
        return piece(_core.ablate_order_memory)(run)
    resting = [RestingOrder(0, 1) for _ in range(RESTING)]
    chosen = np.random.default_rng(run.seed).integers(0, RESTING, run.operations).tolist()

    def replace_orders() -> None:
        for order_id, place in enumerate(chosen):
            resting[place] = RestingOrder(order_id, 1)

    return in_python(run, run.operations, replace_orders)


def level_updates(run: VariantRun) -> VariantFigures:
    """Updates of levels, natively or in a loop."""
    levels, updates = levels_to_update(run.seed)
    native = partial(apply_level_updates, levels, updates, Side.SELL)
    looped = partial(updated_in_a_loop, levels.tolist(), updates.tolist())
    return in_python(run, AVERAGED, native if run.with_it else looped, max(run.operations // AVERAGED, 1))


def levels_to_update(seed: int) -> tuple[Levels, LevelUpdateRows]:
    """Levels of one side, and an update for each: shape (`AVERAGED`,)."""
    chance = np.random.default_rng(seed)
    levels, updates = np.zeros(AVERAGED, LEVEL), np.zeros(AVERAGED, LEVEL_UPDATE)
    levels["price"] = updates["price"] = np.arange(100_000, 100_000 + AVERAGED)
    levels["quantity"], levels["order_count"] = chance.integers(1_000, 2_000, AVERAGED), 10
    updates["quantity"], updates["order_count"] = chance.integers(-500, 500, AVERAGED), 1
    return levels, updates


def updated_in_a_loop(levels: list[Row], updates: list[Row]) -> list[Row]:
    """The levels after the updates, best first, as rows of price, quantity, orders."""
    held = {price: (quantity, orders) for price, quantity, orders in levels}
    for price, more, more_orders in updates:
        quantity, orders = held[price]
        if quantity + more == 0:
            del held[price]
        else:
            held[price] = (quantity + more, orders + more_orders)
    return [(price, quantity, orders) for price, (quantity, orders) in held.items()]


def average_price(run: VariantRun) -> VariantFigures:
    """The volume-weighted average price of records, natively or in a loop."""
    prices, quantities = records_to_average(run.seed)
    native = partial(vwap_of, prices, quantities)
    looped = partial(average_in_a_loop, prices.tolist(), quantities.tolist())
    return in_python(run, AVERAGED, native if run.with_it else looped, max(run.operations // AVERAGED, 1))


def records_to_average(seed: int) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Prices and quantities, each of shape (`AVERAGED`,)."""
    chance = np.random.default_rng(seed)
    prices = chance.integers(90_000, 110_000, AVERAGED, dtype=np.int64)
    return prices, chance.integers(1, 1_000, AVERAGED, dtype=np.uint32)


def average_in_a_loop(prices: list[int], quantities: list[int]) -> tuple[int, int]:
    """Notional and volume."""
    notional = volume = 0
    for price, quantity in zip(prices, quantities, strict=True):
        notional += price * quantity
        volume += quantity
    return notional, volume


def ring_of_records(run: VariantRun) -> VariantFigures:
    """Commands through a queue within a thread: as records in a ring, a batch at a time, or as objects."""
    batch = np.zeros(BATCH, COMMAND)
    batch["order_id"] = np.arange(BATCH)
    times = max(run.operations // BATCH, 1)
    if run.with_it:
        ring, out = MpscRing(BATCH), np.zeros(BATCH, COMMAND)

        def through_ring() -> None:
            for _ in range(times):
                ring.push(batch)
                ring.pop_into(out)

        return in_python(run, times * BATCH, through_ring)
    queue: SimpleQueue[Any] = SimpleQueue()
    objects = batch.tolist()

    def through_queue() -> None:
        for _ in range(times):
            for each in objects:
                queue.put(each)
            for _each in objects:
                queue.get()

    return in_python(run, times * BATCH, through_queue)
