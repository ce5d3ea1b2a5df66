"""All techniques. To add one, write how a run of a variant is measured, and its entry here."""

from __future__ import annotations

import difflib
from typing import Final

from lowlat.engine import _core
from lowlat.engine.ablation.pieces import of_two_threads, piece, scattered_reads
from lowlat.engine.ablation.python_path import average_price, clock_reads, collector, compiled, ring_of_records
from lowlat.engine.ablation.scheduling import near_memory, pinned, real_time
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
        name="seqlock",
        title="sequence lock for readers",
        why="The writer never waits for a reader, however many there are and whatever stops them.",
        mechanism=(
            "The writer makes the sequence odd, writes, and makes it even; a reader that saw another sequence after "
            "its copy than before copies again. Under a mutex each reader writes to the lock's cache line, and the "
            "writer waits for the one that holds it."
        ),
        with_it="the writer of a mapped book, while another thread copies it without a pause",
        without="the same writes and copies of ten levels a side, under a mutex",
        limits=(
            "The tail is what it is for. A reader that copies without a pause takes the written cache lines from the "
            "writer again and again, which a lock that puts it to sleep does not: the median may be worse."
        ),
        operation="change of a level on each side",
        operations=20_000,
        decides="p99.9",
        measure=of_two_threads(_core.ablate_book_publishing, timed=True),
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
        operations=1_000,
        decides="p50",
        measure=of_two_threads(_core.ablate_consumer_wait, timed=True),
    ),
    Technique(
        name="pin",
        title="thread pinned to a CPU",
        why="A thread that stays where it is finds its caches as it left them.",
        mechanism=(
            "The scheduler moves a thread when another CPU is idle or this one is contended. What the thread had in "
            "the caches of its core has to come over or from memory then, and predictions of branches begin anew."
        ),
        with_it="the matching thread pinned to the chosen CPU",
        without="the same thread on any allowed CPU",
        limits="It keeps the thread on its CPU, not others away from it: see lowlat doctor on isolation.",
        operation="command, one at a time",
        operations=100_000,
        decides="p99.9",
        measure=pinned,
    ),
    Technique(
        name="fifo",
        title="real-time priority",
        why="No program of normal priority takes the CPU from a real-time thread.",
        mechanism=(
            "The scheduler runs a thread under SCHED_FIFO until it waits, before all threads of normal priority. Under "
            "the normal policy, threads on a CPU take turns of some milliseconds."
        ),
        with_it="the matching thread under SCHED_FIFO, priority 1",
        without="the same thread under SCHED_OTHER",
        limits="A CPU with nothing else to run gains nothing, and a thread that never sleeps starves all others on it.",
        operation="command, one at a time",
        operations=100_000,
        decides="p99.9",
        measure=real_time,
    ),
    Technique(
        name="near-memory",
        title="memory on the CPU's own node",
        why="Memory of another NUMA node is a trip over the interconnect away.",
        mechanism=(
            "Each socket has its own memory. The kernel puts a page where the thread that first writes it runs, unless "
            "told otherwise; a miss on a page elsewhere takes the way to the other socket and back."
        ),
        with_it="the engine's memory bound to the node of its CPU",
        without="the same memory bound to the farthest node",
        limits="A working set in the caches does not see memory at all.",
        operation="command, one at a time",
        operations=100_000,
        decides="cpu",
        measure=near_memory,
    ),
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
        operations=2_000,
        decides="cpu",
        measure=compiled,
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
        limits="A call costs a microsecond or two whatever it adds up: of a few records, a loop is as good.",
        operation="record averaged",
        operations=100_000,
        decides="cpu",
        measure=average_price,
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
        operations=2_000,
        decides="cpu",
        measure=collector,
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


def chosen(listed: str | None) -> tuple[Technique, ...]:
    """The techniques of a list of names, comma-separated, in the order of the catalog; all without a list. The control
    is always among them, and last.

    Raises `UsageError` for a list without a name, and for a name that is none, with the nearest one.
    """
    wanted = {name.strip() for name in (listed or "").split(",") if name.strip()}
    if listed is not None and not wanted:
        raise UsageError(f"{listed!r} names no technique; write some, as in look-ahead,pool")
    for name in sorted(wanted - BY_NAME.keys()):
        near = difflib.get_close_matches(name, BY_NAME, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"{name!r} is not one of {', '.join(BY_NAME)}{meant}")
    return (*(each for each in TECHNIQUES if not wanted or each.name in wanted), THE_CONTROL)
