"""Runs of the native pieces, each one call for a pass."""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
from collections.abc import Callable
from statistics import median_low
from typing import Any

from lowlat import units
from lowlat.engine import _core
from lowlat.engine.ablation.passes import Typical, figures_of
from lowlat.engine.ablation.technique import VariantFigures, VariantRun
from lowlat.errors import UsageError
from lowlat.probes.memory.process_memory import LOCK_REFUSED
from lowlat.probes.memory.smaps import huge_page_bytes


def piece(
    native: Callable[..., _core.Pass], *more: Any, timed: bool = True, typical: Typical = min
) -> Callable[[VariantRun], VariantFigures]:
    """How a piece is measured: `native` is one of `_core.ablate_...`, and takes `more` after what all of them take.
    `timed`: whether single operations have a time of their own.
    """

    def measure(run: VariantRun) -> VariantFigures:
        given = run.with_it, run.operations, run.seed, run.scale.multiplier, run.scale.shift
        return figures_of(
            run,
            lambda: native(*given, None, *more),
            (lambda recorder: native(*given, recorder, *more)) if timed else None,
            typical,
        )

    return measure


def of_two_threads(native: Callable[..., _core.Pass], *, timed: bool = False) -> Callable[[VariantRun], VariantFigures]:
    """The same of a piece with a thread on another CPU. `timed`: whether single operations have a time of their own."""

    def measure(run: VariantRun) -> VariantFigures:
        if run.other_cpu is None:
            raise UsageError(f"two threads need a CPU each, and CPU {run.cpu} is the only one; allow two")
        return piece(native, run.other_cpu, timed=timed, typical=median_low)(run)

    return measure


def locked(run: VariantRun) -> VariantFigures:
    """Reads of a mapped file's pages after the kernel was asked to take them, locked or not."""
    with tempfile.TemporaryFile() as file:
        file.write(bytes(run.operations * mmap.PAGESIZE))
        file.flush()
        os.fsync(file.fileno())  # a page that is still to be written is not taken
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # else writing may have left them in use
        try:
            return piece(_core.ablate_reclaimed_reads, file.fileno())(run)
        except OSError as error:
            raise UsageError(_why_not_locked(error, run.operations * mmap.PAGESIZE)) from error


def _why_not_locked(error: OSError, size_bytes: int) -> str:
    if error.errno in LOCK_REFUSED:
        return f"this process may not lock {units.counted(size_bytes, 'byte')} of memory; raise its limit (ulimit -l)"
    if error.errno == errno.ENOTSUP:
        return f"the kernel took no pages of a file in {tempfile.gettempdir()} when asked to; set TMPDIR to a disk's"
    return f"the kernel cannot be asked to take pages: {error.strerror}"


def scattered_reads(run: VariantRun) -> VariantFigures:
    """Reads in random order from memory on huge pages, or on small ones."""

    def look(address: int, size_bytes: int) -> None:
        found = huge_page_bytes([address])
        if found.value is None:
            raise UsageError(f"it is not known which pages the kernel gave: {found.text}")
        if run.with_it and found.value < size_bytes // 2:
            raise UsageError(
                f"the kernel gave huge pages for {found.value:,} of {units.counted(size_bytes, 'byte')}; see "
                "/sys/kernel/mm/transparent_hugepage/enabled, which has to be madvise or always"
            )

    try:
        return piece(_core.ablate_scattered_reads, look, timed=False)(run)
    except OSError as error:
        raise UsageError(f"the kernel refuses to be asked for huge pages: {error.strerror}") from error
