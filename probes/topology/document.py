"""A topology as a document."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat.documents import document_fields
from lowlat.probes.cache_line import CacheLine
from lowlat.probes.memory.level_latency import LevelLatency
from lowlat.probes.reading import Reading
from lowlat.probes.topology.model import Topology

SCHEMA: Final = "lowlat.topology/1"


@document_fields(first=("schema", "guest_view"), hidden=("root",), optional=("cache_line", "level_latencies"))
@dataclass(frozen=True, slots=True, kw_only=True)
class TopologyDocument(Topology):
    """A host's topology. Sizes are in bytes; CPUs are the kernel's numbers, in ascending order.

    It does not say where it was read from: a host and a snapshot of it give the same document.
    """

    schema: Annotated[Literal["lowlat.topology/1"], Meta(description="Kind and version of the document")] = SCHEMA
    cache_line: Annotated[
        CacheLine | None, Meta(description="The line as reported and as measured; with --measure only")
    ] = None

    level_latencies: Annotated[
        Reading[tuple[LevelLatency, ...]] | None,
        Meta(description="How long a load from each cache and from memory takes; with --measure only"),
    ] = None

    @classmethod
    def of(
        cls,
        topology: Topology,
        cache_line: CacheLine | None = None,
        level_latencies: Reading[tuple[LevelLatency, ...]] | None = None,
    ) -> TopologyDocument:
        """The document of a topology, with what was measured of it."""
        found = {each.name: getattr(topology, each.name) for each in dataclasses.fields(Topology)}
        return cls(**found, cache_line=cache_line, level_latencies=level_latencies)
