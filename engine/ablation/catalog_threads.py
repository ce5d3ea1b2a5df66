"""Techniques of threads that hand over to each other."""

from __future__ import annotations

from typing import Final

from lowlat.engine import _core
from lowlat.engine.ablation.pieces import of_two_threads
from lowlat.engine.ablation.technique import Technique

OF_THREADS: Final = (
    Technique(
        name="padding",
        title="ring indices on separate lines",
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
        operations=25_000,
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
        title="busy waiting for another thread",
        why="A thread that looks again at once needs no wake-up by the kernel.",
        mechanism=(
            "A waiting thread reads the index in a loop, with a pause between, and sees a change as soon as the cache "
            "line arrives. One that sleeps on a futex has to be made runnable by a system call, and scheduled."
        ),
        with_it="looking in a loop, as the rings do with `spin`",
        without="sleeping on a futex until woken",
        limits="It takes a CPU for each thread, and with fewer CPUs than threads it makes everything slower.",
        operation="round trip between two threads",
        operations=300,
        decides="p50",
        measure=of_two_threads(_core.ablate_spinning, timed=True),
    ),
    Technique(
        name="yield",
        title="yielding to other threads",
        why="A thread that looks again soon needs no wake-up, and leaves the CPU to others that could use it.",
        mechanism=(
            "The waiting thread looks for some microseconds as if it spun; then it calls sched_yield between two "
            "looks, which runs another thread of this CPU if there is one. The thread that hands over makes no system "
            "call."
        ),
        with_it="looking, then yielding, as the rings do with `yield`",
        without="sleeping on a futex until woken",
        limits=(
            "It takes a CPU like spinning does, and returns late if other programs want it: a yield may give away a "
            "time slice."
        ),
        operation="round trip between two threads",
        operations=300,
        decides="p50",
        measure=of_two_threads(_core.ablate_yielding, timed=True),
    ),
)
"""In the order of tables."""
