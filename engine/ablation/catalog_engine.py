"""Techniques of the engine's own code: how it is compiled, and how it keeps its data."""

from __future__ import annotations

from typing import Final

from lowlat.engine import _core
from lowlat.engine.ablation.pieces import piece
from lowlat.engine.ablation.technique import Around, Technique
from lowlat.engine.ablation.whole_engine import batches, hinted, look_ahead

OF_THE_ENGINE: Final = (
    Technique(
        name="look-ahead",
        title="look-ahead in batches",
        why="While one command executes, memory that later ones need is on its way.",
        mechanism=(
            "A batch names its commands in advance. Sixteen commands ahead the matcher prefetches the id's slot and "
            "the price's level, eight ahead the order, four ahead its neighbors. Cache misses then overlap with "
            "matching instead of stopping it."
        ),
        with_it="the engine's batch, which prefetches",
        without="the same commands in the same loop, without prefetching",
        limits=(
            "A book that fits the second-level cache has no misses to hide, and a single command nothing to look at."
        ),
        operation="command",
        operations=200_000,
        decides="cpu",
        measure=look_ahead,
    ),
    Technique(
        name="batch",
        title="commands in batches",
        why="One call has the work of many: it is entered once, and what it needs stays in registers and caches.",
        mechanism=(
            "A call for each command saves and loads what the next one saves and loads again, and its events are read "
            "before the next command. An engine that is given many at once can look ahead, and a border, such as "
            "that of a C interface or of Python, is crossed once."
        ),
        with_it="all commands in one call",
        without="a call for each command, whose events are read before the next",
        limits="A command that waits for others to fill a batch is late: batches are for commands that wait anyway.",
        operation="command",
        operations=100_000,
        decides="cpu",
        measure=batches,
        around=Around(),
    ),
    Technique(
        name="hints",
        title="hints on what is likely",
        why="The usual case of a command is straight-line code, and rare cases are somewhere else.",
        mechanism=(
            "The compiler lays out a branch so that the likely side follows without a jump, and keeps functions "
            "marked cold out of line. The usual path then takes fewer cache lines of instructions and fewer taken "
            "branches. The processor predicts branches by what they did before, with hints or without."
        ),
        with_it="the engine's batch as it is compiled",
        without="the same source without likely, unlikely and cold",
        limits="A loop that fits the instruction cache, with branches that the processor predicts, is as fast without.",
        operation="command",
        operations=200_000,
        decides="cpu",
        measure=hinted,
    ),
    Technique(
        name="pool",
        title="object pool for orders",
        why="Taking a node from a free list is a few instructions and never a call into an allocator.",
        mechanism=(
            "All nodes are in one array that is resident from the start; free ones are linked through themselves, and "
            "the last one released, which is still in cache, is the first one acquired. The heap keeps books of sizes "
            "and arenas, adds a header to each order, and at times goes to the kernel."
        ),
        with_it="the engine's pool of order nodes",
        without="new and delete for each order",
        limits=(
            "Memory for the most orders that there may be is taken at the start. A heap with a cache for each thread "
            "is at its best where orders come and go one by one, as they do here."
        ),
        operation="order replaced",
        operations=200_000,
        decides="cpu",
        measure=piece(_core.ablate_order_memory),
    ),
    Technique(
        name="direct-index",
        title="ids as slots of the order index",
        why="Ids that count up are their own slots, and neighbors in time are neighbors in memory.",
        mechanism=(
            "The slot of an id is its low bits, so that successive orders share cache lines and the prefetcher "
            "follows. A hash spreads them over the table: each order is a line of its own."
        ),
        with_it="the engine's index while ids are dense",
        without="the same index after it has turned to hashing",
        limits="Ids with large strides or chosen by an opponent crowd in few slots; the index then hashes them.",
        operation="order entered, another removed",
        operations=200_000,
        decides="cpu",
        measure=piece(_core.ablate_order_lookup),
    ),
    Technique(
        name="bitmap",
        title="bitmap of price levels",
        why="The next price with orders is a few instructions away, however far it is in ticks.",
        mechanism=(
            "A bit for each price says whether it has orders, in three layers of 64-bit words: one count-zeros "
            "instruction a layer finds the next. Slots of prices have to be looked at one by one, and where the loop "
            "ends is a branch that the processor guesses wrong."
        ),
        with_it="the engine's bitmap over 16,384 prices, about every 64th with orders",
        without="reading the slots of these prices until one has orders",
        limits="In a dense book the next price is the neighbor, and one look at its slot is as good.",
        operation="step to the next level",
        operations=200_000,
        decides="cpu",
        measure=piece(_core.ablate_next_level),
    ),
    Technique(
        name="columns",
        title="levels in columns, not records",
        why="A scan that needs two fields of four reads half as much memory, and loads neighbors at once.",
        mechanism=(
            "In a structure of arrays each field is an array of its own: a vector load takes several prices or "
            "quantities. In an array of structures they are 32 bytes apart: each is loaded by itself, and fields that "
            "nobody asked for fill the caches."
        ),
        with_it="price times quantity over 4,096 levels, a column each",
        without="the same over records of price, quantity, orders",
        limits=(
            "A reader that needs every field of a level finds them in one cache line of a record, but in three lines "
            "of columns."
        ),
        operation="level added up",
        operations=200_000,
        decides="cpu",
        measure=piece(_core.ablate_level_scan, timed=False),
    ),
    Technique(
        name="vectors",
        title="vectors for the average price",
        why="One instruction multiplies and adds several numbers.",
        mechanism=(
            "Prices and quantities are split into halves of 32 bits, which vector units multiply two (SSE2) or four "
            "(AVX2) at a time. The processor's widest units are chosen when the program starts."
        ),
        with_it="sums of price times quantity, as compiled for vectors",
        without="the same source without vector instructions",
        limits="A few numbers do not fill a vector, and sums that wait for memory are no faster.",
        operation="price and quantity added",
        operations=200_000,
        decides="cpu",
        measure=piece(_core.ablate_price_sums, timed=False),
    ),
    Technique(
        name="level-vectors",
        title="vectors for level updates",
        why="A level is a vector: one instruction adds all its fields, and one checks them.",
        mechanism=(
            "A level and its update are 32 bytes each: price, quantity, orders and a zero. The fields to change are "
            "added as a whole, and overflows are gathered in one word that is looked at once for a run of levels."
        ),
        with_it="updates of 4,096 levels, a vector each",
        without="the same source, field by field, without vector instructions",
        limits="Updates far from each other spend their time on finding the level.",
        operation="level updated",
        operations=200_000,
        decides="cpu",
        measure=piece(_core.ablate_level_updates, timed=False),
    ),
    Technique(
        name="counter",
        title="time-stamp counter as the clock",
        why="The processor's counter is one instruction; the library's clock reads it too, and then computes.",
        mechanism=(
            "clock_gettime reads the same counter in the vDSO, under a sequence lock, and scales it; where the kernel "
            "does not trust the counter, it is a system call. lowlat reads the counter, keeps ticks, and scales them "
            "later."
        ),
        with_it="an ordered read of the counter",
        without="clock_gettime(CLOCK_MONOTONIC)",
        limits=(
            "Where clock_gettime is a read in the vDSO, there is little to gain. A counter that is not invariant, or "
            "differs between CPUs, is no clock: see lowlat calibrate."
        ),
        operation="read of the clock",
        operations=200_000,
        decides="cpu",
        measure=piece(_core.ablate_clock_reads),
        around=Around(executes=False),
    ),
)
"""In the order of tables."""
