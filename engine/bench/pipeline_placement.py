"""Where the threads of a pipeline run, and where its books are published."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lowlat import units
from lowlat.engine.bench.placement import Place, choose_place, described
from lowlat.engine.bench.protocol import PathPlaces
from lowlat.engine.flow.order_flow import Flow
from lowlat.probes.cpu.placement import FIRST_ROLE, Role, plan

BOOK_NAME_MAX = 32


@dataclass(frozen=True, slots=True)
class PathPlace:
    """The matcher's place, as for any run, and the CPUs of the other threads; None if they are not pinned."""

    matcher: Place
    producers: tuple[int | None, ...]
    publisher: int | None
    may_spin: bool = False
    """Whether the CPU quota lets all threads run continuously."""


def choose_path(asked: Sequence[int] | None, producers: int) -> PathPlace:
    """CPUs for matcher, `producers` producers and publisher: auto-selected, or the requested ones in this order,
    round-robin.

    Raises what `lowlat.probes.cpu.affinity.check_cpus` and `lowlat.probes.cpu.placement.plan` raise.
    """
    place = choose_place(asked)
    if place.cpus is None:  # this platform does not pin threads
        return PathPlace(place, (None,) * producers, None)
    placement = place.placement
    if asked is None:
        proposal = plan((Role(FIRST_ROLE, 1), Role("producer", producers), Role("publisher", 1)), place.topology)
        cpus, placement = [assignment.cpu for assignment in proposal.assignments], described(proposal)
    else:
        cpus = [asked[thread % len(asked)] for thread in range(producers + 2)]
        placement = dataclasses.replace(placement, warnings=_taking_turns(cpus))
    senders = ["producer"] if producers == 1 else [f"producer[{index}]" for index in range(producers)]
    threads = dict(zip([FIRST_ROLE, *senders, "publisher"], cpus, strict=True))
    placement = dataclasses.replace(placement, threads=threads)
    matcher = dataclasses.replace(place, cpus=(cpus[0],), placement=placement)
    quota = place.topology.cpu_quota.value
    may_spin = quota is None or quota.cpus is None or quota.cpus >= len(cpus)
    return PathPlace(matcher, tuple(cpus[1:-1]), cpus[-1], may_spin)


def _taking_turns(cpus: Sequence[int]) -> tuple[str, ...]:
    used = len(set(cpus))
    if used == len(cpus):
        return ()
    return (f"{len(cpus)} threads share {units.plural(used, 'CPU')}: they measure the scheduler",)


def shown_in(folder: Path | None, flow: Flow, place: PathPlace) -> PathPlaces:
    """The places of a pipeline, its books in `folder`; None: in the default folder of `lowlat book`."""
    return PathPlaces(
        producers=list(place.producers),
        publisher=place.publisher,
        may_spin=place.may_spin,
        folder=None if folder is None else str(folder.absolute()),
        books=book_names(flow.name, len(flow.instruments)),
    )


def book_names(flow_name: str, symbols: int) -> list[str]:
    """A name for each symbol's mapped book: STEADY, or MANY-SYMBOLS-1 and so on if there are several."""
    stem = re.sub(r"[^A-Z0-9._-]+", "-", flow_name.upper()).lstrip("._-") or "BOOK"
    if symbols == 1:
        return [stem[:BOOK_NAME_MAX]]
    suffixes = [f"-{number}" for number in range(1, symbols + 1)]
    return [stem[: BOOK_NAME_MAX - len(suffix)] + suffix for suffix in suffixes]
