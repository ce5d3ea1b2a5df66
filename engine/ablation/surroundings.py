"""Runs around the engine of somebody else: what its process has, and it need not know."""

from __future__ import annotations

from lowlat.engine.ablation.measured_engine import InterpretedEngine, engine_of, first_executions
from lowlat.engine.ablation.technique import VariantFigures, VariantRun
from lowlat.engine.bench.engines import engine_entry
from lowlat.engine.bench.gc_watch import GcStopped
from lowlat.errors import UsageError
from lowlat.probes.memory.process_memory import (
    LOCK_REFUSED,
    forbid_huge_pages,
    huge_pages_of_process,
    lock_all_memory,
)


def memory_locked(run: VariantRun) -> VariantFigures:
    """The first execution of the commands, with all memory of the process locked and faulted in, or as it comes."""
    if run.with_it:
        try:
            lock_all_memory()
        except OSError as error:
            if error.errno not in LOCK_REFUSED:
                raise
            raise UsageError("this process may not lock all its memory; raise its limit (ulimit -l)") from error
    return first_executions(run)


def huge_pages(run: VariantRun) -> VariantFigures:
    """A batch, with the huge pages that the engine's memory gets, or without any."""
    before = huge_pages_of_process().value
    if not run.with_it:
        forbid_huge_pages()
    engine = engine_of(run)
    alive = engine.seeded()  # an engine in Python is made anew for each pass: the one that is looked at, too
    found = huge_pages_of_process()
    del alive
    if found.value is None or before is None:
        raise UsageError(f"it is not known which pages the kernel gave: {found.text}")
    if run.with_it and found.value <= before:
        raise UsageError(
            "the engine's memory gets no huge pages: it has too little in one piece, or it does not ask for them "
            "(madvise) and /sys/kernel/mm/transparent_hugepage/enabled is not always"
        )
    return engine.batched()


def collector(run: VariantRun) -> VariantFigures:
    """An engine in Python, with the garbage collector off and what lives frozen, or as Python starts it."""
    entry = engine_entry(run.engine)
    if entry.compiled:
        raise UsageError("the engine is not in Python, and no garbage collector stops it")
    engine = InterpretedEngine(run, entry)
    if run.with_it:
        engine.collector = GcStopped()
    return engine.one_at_a_time()
