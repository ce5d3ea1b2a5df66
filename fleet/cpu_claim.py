"""A CPU that a partition's runs have to themselves, among all partitions that a host replays at once.

A claim is a name in the kernel's table of abstract sockets: it needs no file, holds for every user, and ends with the
process that holds it. It does not reach beyond a network namespace: a container has claims of its own.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from lowlat.engine.bench.placement import choose_place

CLAIM: Final = "lowlat partition on cpu"


@contextmanager
def claimed_cpu() -> Iterator[int | None]:
    """The best CPU that no other partition has, for a `with` block; None if all are taken."""
    with socket.socket(socket.AF_UNIX) as claim:
        yield _first_free(_by_merit(), claim)


def _by_merit() -> Sequence[int]:
    """The CPUs that this process may use: first the one that a run alone would be given, then the last ones, since
    the system's own work is on the first.
    """
    best = choose_place(None).cpus or ()
    others = sorted(os.sched_getaffinity(0) - set(best), reverse=True)
    return (*best, *others)


def _first_free(cpus: Sequence[int], claim: socket.socket) -> int | None:
    for cpu in cpus:
        try:
            claim.bind(f"\0{CLAIM} {cpu}")
        except OSError:  # another partition has it
            continue
        return cpu
    return None
