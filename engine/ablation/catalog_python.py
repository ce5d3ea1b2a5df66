"""Techniques that code in Python meets."""

from __future__ import annotations

from typing import Final

from lowlat.engine.ablation import surroundings
from lowlat.engine.ablation.python_path import (
    average_price,
    clock_reads,
    collector,
    compiled,
    level_updates,
    pooled_or_objects,
    ring_of_records,
)
from lowlat.engine.ablation.technique import Around, Technique

OF_PYTHON: Final = (
    Technique(
        name="compiled",
        title="compiled engine, not Python",
        why="A command is some hundred instructions of the processor instead of thousands of the interpreter.",
        mechanism=(
            "Python makes an object for each number, looks up each attribute by name, and counts references. The "
            "native engine reads fields at fixed places of a record, and allocates nothing."
        ),
        with_it="the native engine, one command at a time",
        without="lowlat's reference engine in Python, on the same commands",
        limits="Where most time is spent in numpy or on the network, compiling the rest changes little.",
        operation="order that enters an empty book",
        operations=1_000,
        decides="cpu",
        measure=compiled,
    ),
    Technique(
        name="objects",
        title="pool, not objects of Python",
        why="A node is taken from a list of free ones; an object is allocated, filled by name, and counted.",
        mechanism=(
            "Python allocates an object for each order and one for each large number in it, and frees them when the "
            "last reference goes. A node of the pool is 32 bytes that were there before, and its fields are machine "
            "words."
        ),
        with_it="the engine's pool of order nodes",
        without="an object with slots for each order",
        limits=(
            "A call into native code for a single order costs as much as the object: pools pay where the loop is "
            "native too."
        ),
        operation="order replaced",
        operations=20_000,
        decides="cpu",
        measure=pooled_or_objects,
    ),
    Technique(
        name="vwap",
        title="average price in native code",
        why="Two arrays are multiplied and added by vector instructions, without an object for each number.",
        mechanism=(
            "One call reads prices and quantities in place, several a step, and adds up digits that cannot overflow. A "
            "loop in Python makes an integer object for each product and each sum."
        ),
        with_it="lowlat.engine.analytics.vwap on 1,000 records",
        without="a loop in Python over the same numbers",
        limits="A call costs some microseconds however little it adds up: for a few records, a loop is faster.",
        operation="record averaged",
        operations=100_000,
        decides="cpu",
        measure=average_price,
    ),
    Technique(
        name="level-updates",
        title="level updates in native code",
        why="Arrays of updates are applied in one walk over memory, without an object for each number.",
        mechanism=(
            "One call checks order and ranges, and adds runs of levels by vectors. A loop in Python looks each price "
            "up in a dictionary, and makes integer objects for the sums."
        ),
        with_it="lowlat.engine.analytics.apply_level_updates on 1,000",
        without="a loop in Python over a dictionary of levels",
        limits="A call costs some microseconds however little it applies: for a few updates, the dictionary is faster.",
        operation="level updated",
        operations=50_000,
        decides="cpu",
        measure=level_updates,
    ),
    Technique(
        name="record-ring",
        title="ring of records, not of objects",
        why="A batch of records is copied at once, and nothing is allocated or counted for each.",
        mechanism=(
            "A ring holds the bytes of commands: a push is one call that copies an array. A queue of Python holds "
            "references: a call for each object, and a reference to count on both sides."
        ),
        with_it="lowlat's MPSC ring from Python, 64 commands a push",
        without="queue.SimpleQueue, a put and a get for each command",
        limits="Records that come one at a time pay for an array each: SimpleQueue is as fast then, or faster.",
        operation="command through the queue",
        operations=20_000,
        decides="cpu",
        measure=ring_of_records,
    ),
    Technique(
        name="python-clock",
        title="time-stamp counter from Python",
        why="A read of the counter computes nothing, and the result is scaled once the run is over.",
        mechanism=(
            "Both are calls of a function in C that return an integer object, and that is most of what they cost. "
            "time.perf_counter_ns asks the library's clock, which reads the counter and scales it."
        ),
        with_it="lowlat.probes.clock.counter.ticks",
        without="time.perf_counter_ns",
        limits="What is timed once in a while needs neither; and ticks have to be scaled by a calibrated frequency.",
        operation="read of the clock, in a loop",
        operations=50_000,
        decides="cpu",
        measure=clock_reads,
        around=Around(executes=False),
    ),
    Technique(
        name="gc",
        title="garbage collector off and frozen",
        why="No collection looks through all live objects while an order waits.",
        mechanism=(
            "Python's collector runs after so many allocations, and its oldest generation is everything that lives. "
            "gc.freeze takes what lives now out of it, and gc.disable stops it; reference counts still free what is in "
            "no cycle."
        ),
        with_it="gc.collect, gc.freeze and gc.disable before the run",
        without="the collector as Python starts it",
        limits="Cycles are never freed: a program that makes some grows, and has to collect when nothing waits.",
        operation="order entered or canceled in an engine in Python, whose events are kept",
        operations=1_000,
        decides="cpu",
        measure=collector,
        around=Around(
            measure=surroundings.collector,
            operation="command, one at a time",
            operations=2_000,
        ),
    ),
)
"""In the order of tables."""
