"""What native threads on several CPUs need around them: a place for the waiting thread, and errors in words."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lowlat import refusals
from lowlat.probes import _core
from lowlat.probes.cpu.affinity import affinity_of, allowed_cpus, pin
from lowlat.probes.errors import AffinityError


@contextmanager
def waiting_elsewhere(cpus: Sequence[int]) -> Iterator[None]:
    """Keep the calling thread off these CPUs for a `with` block, if it may use others."""
    before = affinity_of()
    if others := tuple(cpu for cpu in allowed_cpus() if cpu not in cpus):
        pin(others)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def check(cpu: int, errors: _core.CpuThreadErrors) -> None:
    """Raise `AffinityError` if the thread of a CPU could not run there, or not with the priority asked for."""
    if errors.priority:
        raise AffinityError(
            f"the kernel refuses a real-time priority ({os.strerror(errors.priority)}): run as root, with "
            "CAP_SYS_NICE, or raise RLIMIT_RTPRIO (ulimit -r); or leave out --fifo"
        )
    check_ran(str(cpu), errors.error)


def check_ran(cpus: str, error: int) -> None:
    """Raise `AffinityError` if the kernel refused, with this errno, a thread on these CPUs."""
    if error == errno.EAGAIN:  # of the thread itself, whichever its CPU
        raise AffinityError(refusals.NO_THREAD)
    if error:
        raise AffinityError(f"no thread can run on CPU {cpus}: {os.strerror(error)}; choose other CPUs with --cpus")
