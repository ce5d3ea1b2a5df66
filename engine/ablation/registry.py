"""All techniques. To add one, write how a run of a variant is measured, and its entry here."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

from lowlat.engine import _core
from lowlat.engine.ablation.pieces import of_two_threads, piece, scattered_reads
from lowlat.engine.ablation.technique import Technique
from lowlat.engine.ablation.whole_engine import look_ahead, same_twice
from lowlat.errors import UsageError
from lowlat.reports.model.ablation import CONTROL

TECHNIQUES: Final = (
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
        limits="A heap with a cache for each thread comes close while orders come and go one by one, as they do here.",
        operation="order replaced",
        operations=200_000,
        decides="cpu",
        measure=piece(_core.ablate_order_memory),
    ),
    Technique(
        name="pre-fault",
        title="memory touched at start",
        why="A page that is touched before the first order does not fault while an order waits.",
        mechanism=(
            "The kernel gives a page only when it is first written: a trap, a page to find, zeros to fill in. The "
            "engine writes to every page when it is made, and locks them, so that none is taken away."
        ),
        with_it="memory that was written to before",
        without="memory as the system maps it",
        limits="It moves the cost to the start, and memory that is never used is paid for too.",
        operation="record of 64 bytes written",
        operations=100_000,
        decides="cpu",
        measure=piece(_core.ablate_first_writes),
    ),
    Technique(
        name="huge-pages",
        title="huge pages",
        why="One entry of the TLB covers 2 MiB instead of 4 KiB, so that random reads find their translation.",
        mechanism=(
            "Each access needs its page's address from the TLB, else the processor walks the page table, which may "
            "miss the caches as well. Large pages make a table of all orders fit the TLB."
        ),
        with_it="32 MiB on pages of 2 MiB, as the engine asks for",
        without="the same memory on pages of 4 KiB",
        limits="A working set that the TLB covers anyway, some megabytes, gains nothing.",
        operation="record read at random",
        operations=200_000,
        decides="cpu",
        measure=scattered_reads,
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
        limits="A counter that is not invariant, or differs between CPUs, is no clock: see lowlat calibrate.",
        operation="read of the clock",
        operations=200_000,
        decides="cpu",
        measure=piece(_core.ablate_clock_reads),
    ),
    Technique(
        name="padding",
        title="ring indices on lines of their own",
        why="Two threads that write to one cache line take it from each other, though they share no data.",
        mechanism=(
            "A processor writes to a line only while no other has it. Each write to a line that the other thread wrote "
            "last waits for it to come over. lowlat's rings keep every index 128 bytes from the next, since processors "
            "prefetch lines in pairs."
        ),
        with_it="producer's and consumer's index 128 bytes apart",
        without="both in one cache line",
        limits="Threads that never run at once share no line; and padded data takes more of the cache.",
        operation="index moved, by both threads",
        operations=100_000,
        decides="cpu",
        measure=of_two_threads(_core.ablate_index_padding),
    ),
    Technique(
        name="ring",
        title="lock-free ring between threads",
        why="A claim is one atomic instruction, and a thread that is stopped holds no lock that others wait for.",
        mechanism=(
            "A producer moves the tail by compare-and-swap, fills its slot, and publishes it with one store; the "
            "consumer reads slots in order. With a mutex both threads write to the lock for each record, find it "
            "taken, and sleep in the kernel."
        ),
        with_it="lowlat's MPSC ring of 4,096 commands",
        without="a queue of the same length under a mutex",
        limits="Threads that share one CPU cannot hand over before the scheduler lets them; and a ring is bounded.",
        operation="command handed over",
        operations=50_000,
        decides="cpu",
        measure=of_two_threads(_core.ablate_hand_over),
    ),
    Technique(
        name="spin",
        title="busy waiting for the other thread",
        why="A thread that looks again at once needs no wake-up by the kernel.",
        mechanism=(
            "A waiting thread reads the index in a loop, with a pause between, and sees a change as soon as the cache "
            "line arrives. One that sleeps on a futex has to be made runnable by a system call, and scheduled."
        ),
        with_it="looking in a loop, as the rings do with `spin`",
        without="sleeping on a futex until woken",
        limits="It takes a CPU for each thread, and with fewer CPUs than threads it makes everything slower.",
        operation="round trip between two threads",
        operations=4_000,
        decides="p50",
        measure=of_two_threads(_core.ablate_consumer_wait, timed=True),
    ),
)
"""In the order of tables."""
THE_CONTROL: Final = Technique(
    name=CONTROL,
    title="control: the same twice",
    why="Nothing differs, so any difference seen here is chance, and weakens all other rows.",
    mechanism="Both variants are the engine's batch with prefetching.",
    with_it="the engine's batch",
    without="the engine's batch",
    limits="It shows that the measurement does not see differences that are not there, not that it sees all that are.",
    operation="command",
    operations=200_000,
    decides="cpu",
    measure=same_twice,
)
BY_NAME: Final = {each.name: each for each in (*TECHNIQUES, THE_CONTROL)}


def chosen(names: Iterable[str]) -> tuple[Technique, ...]:
    """The techniques of these names in the order of the registry, all if there are none; the control always, and last.

    Raises `UsageError` for another name, with those that are near.
    """
    wanted = set(names)
    for name in sorted(wanted - BY_NAME.keys()):
        near = difflib.get_close_matches(name, BY_NAME, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"{name!r} is not one of {', '.join(each.name for each in TECHNIQUES)}{meant}")
    return (*(each for each in TECHNIQUES if not wanted or each.name in wanted), THE_CONTROL)
