"""Techniques of what is around the engine: memory, CPUs, priority."""

from __future__ import annotations

from typing import Final

from lowlat.engine import _core
from lowlat.engine.ablation import surroundings
from lowlat.engine.ablation.pieces import locked, piece, scattered_reads
from lowlat.engine.ablation.scheduling import near_memory, pinned, real_time
from lowlat.engine.ablation.technique import Around, Technique

OF_THE_HOST: Final = (
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
        name="lock",
        title="memory locked",
        why="A locked page stays where it is, however short of memory the host gets.",
        mechanism=(
            "When memory is short, the kernel takes pages that were not used for a while: those of mapped files and "
            "of code at once, others if there is swap. The next access then waits for the disk. mlock forbids it. "
            "Here the kernel is asked to take the pages (MADV_PAGEOUT) before they are read."
        ),
        with_it="pages of a mapped file, locked",
        without="the same pages, which the kernel may take",
        limits=(
            "A host with memory to spare takes nothing. Locked memory is a limit of its own (ulimit -l), and others "
            "get less."
        ),
        operation="page read after memory was short",
        operations=1_000,
        decides="cpu",
        measure=locked,
        around=Around(
            measure=surroundings.memory_locked,
            with_it="all memory of the engine's process locked, and so faulted in (mlockall)",
            without="memory as the engine maps and first writes to it",
            operation="command, the first time that it is executed",
            operations=100_000,
        ),
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
        around=Around(
            measure=surroundings.huge_pages,
            with_it="the engine's memory, on huge pages as far as it gets them",
            without="the same in a process that gets none (PR_SET_THP_DISABLE)",
            operation="command, in a batch",
        ),
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
        around=Around(),
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
        around=Around(),
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
        around=Around(),
    ),
)
"""In the order of tables."""
