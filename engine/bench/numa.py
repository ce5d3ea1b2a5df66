"""Binds a run's memory to the NUMA node of its CPU before allocation, and checks its placement after use."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator

from lowlat.probes.errors import NumaError
from lowlat.probes.memory.numa_memory import PagePlacement, page_placement, thread_memory_on
from lowlat.probes.reading import Reading, known, not_applicable, unknown


@contextlib.contextmanager
def memory_bound_to(node: int | None) -> Iterator[Reading[int]]:
    """Allocate this thread's new pages only on `node` during a `with` block. Yields the node, or why binding failed.

    A failure does not end the run: first touch by a pinned thread normally puts pages on its node too, and `pages_of`
    reports their actual placement.
    """
    source = "set_mempolicy"
    if node is None:
        yield not_applicable(source, "no NUMA node was selected")
        return
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(thread_memory_on(node))
        except NumaError as error:
            bound: Reading[int] = unknown(source, str(error))
        else:
            bound = known(node, source)
        yield bound


def pages_of(ranges: Iterable[tuple[int, int]]) -> Reading[PagePlacement]:
    """Placement of the pages of all ranges, from the kernel; a range is an address and a size in bytes."""
    found = [page_placement(address, size_bytes) for address, size_bytes in ranges if size_bytes]
    placements = [reading.value for reading in found if reading.value is not None]
    if not found or len(placements) < len(found):
        refused = (reading for reading in found if reading.value is None)
        return next(refused, not_applicable("move_pages", "there is no memory to locate"))
    by_node: Counter[int] = Counter()
    for placement in placements:
        by_node.update(placement.pages_by_node)
    return known(
        PagePlacement(
            dict(sorted(by_node.items())),
            sum(placement.pages_untouched for placement in placements),
            sum(placement.pages_unknown for placement in placements),
        ),
        found[0].source,
    )
