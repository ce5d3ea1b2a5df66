"""Memory of a run on the NUMA node of its CPU: bound before it is taken, looked for after it was used."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator

from lowlat.probes.memory.numa_memory import NumaError, PagePlacement, page_placement, thread_memory_on
from lowlat.probes.reading import Reading, known, not_applicable, unknown


@contextlib.contextmanager
def memory_bound_to(node: int | None) -> Iterator[Reading[int]]:
    """Take this thread's new pages from `node` and no other, for a `with` block; gives the node, or why it is not so.

    A refusal does not end the run: the first touch by a pinned thread puts pages on its node too, as a rule, and
    `pages_of` tells where they came to lie.
    """
    source = "set_mempolicy"
    if node is None:
        yield not_applicable(source, "no NUMA node was chosen")
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
    """Where the pages of all ranges lie, as the kernel tells; a range is an address and a number of bytes."""
    found = [page_placement(address, size_bytes) for address, size_bytes in ranges if size_bytes]
    placements = [reading.value for reading in found if reading.value is not None]
    if not found or len(placements) < len(found):
        refused = (reading for reading in found if reading.value is None)
        return next(refused, not_applicable("move_pages", "there is no memory to look for"))
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
