"""The workers that `--cluster` names, or this process, for work that is split."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lowlat_cli.stdio import say

if TYPE_CHECKING:
    from lowlat.fleet.attempts import Workers
    from lowlat.fleet.place import ClusterPlace
    from lowlat.fleet.worker_facts import RefusedWorker


def place_of(cluster: object) -> ClusterPlace | None:
    """The value of a `ClusterOption`, whose parser is not seen by its type."""
    from lowlat.fleet.place import ClusterPlace

    assert cluster is None or isinstance(cluster, ClusterPlace), "its parser makes one"
    return cluster


@contextmanager
def workers_of(place: ClusterPlace | None) -> Iterator[Workers]:
    """The workers, for a `with` block. Those that take no part are named on stderr. Raises what `connected` raises."""
    if place is None:
        from lowlat.fleet.attempts import ThisProcess

        yield ThisProcess()
        return
    from lowlat.fleet.cluster import connected
    from lowlat.fleet.on_cluster import ClusterWorkers

    with connected(place, tell_refused) as found:
        yield ClusterWorkers(found)


def tell_refused(worker: RefusedWorker) -> None:
    """Name a worker that takes no part on stderr."""
    say(f"{worker.host_name} takes no part: {worker.why}")
