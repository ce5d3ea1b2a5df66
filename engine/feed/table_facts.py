"""What a table of events says of its recording beside its rows: in the metadata of its schema."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from lowlat.engine.feed.stream import OrderEventStream, TimeBase
from lowlat.errors import InputError

_KEY: Final = b"lowlat.recording"


class RecordingFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of an `OrderEventStream` that its events do not tell."""

    unit: Decimal
    time_base: TimeBase
    displayed_levels: int | None
    ids_by_arrival: bool
    source: str


def metadata_of(stream: OrderEventStream) -> dict[bytes, bytes]:
    """As the metadata of a table's schema."""
    facts = RecordingFacts(
        stream.unit, stream.time_base, stream.displayed_levels, stream.ids_by_arrival, stream.path.name
    )
    return {_KEY: msgspec.json.encode(facts)}


def beside_rows(stream: OrderEventStream) -> list[str]:
    """What a reader of rows alone would not know of this stream, in words."""
    told = {
        "that times count from midnight": stream.time_base == "midnight",
        "how many levels are displayed": stream.displayed_levels is not None,
        "that order ids show when orders arrived": stream.ids_by_arrival,
    }
    return [what for what, known in told.items() if known]


def tell(stream: OrderEventStream, metadata: Mapping[bytes, bytes]) -> None:
    """Give a stream what the metadata of its table says; nothing if that is not of ours.

    Raises `InputError`, naming the file, for metadata that is damaged.
    """
    if _KEY not in metadata:
        return
    try:
        facts = msgspec.json.decode(metadata[_KEY], type=RecordingFacts)
    except (msgspec.MsgspecError, ArithmeticError) as error:
        raise InputError(f"{stream.path}: its metadata {_KEY.decode()} is damaged: {error}") from error
    if not (facts.unit.is_finite() and 0 < facts.unit <= 10**9 and facts.unit.adjusted() >= -18):
        raise InputError(f"{stream.path}: its metadata {_KEY.decode()} has a price unit of {facts.unit}")
    stream.unit, stream.time_base = facts.unit, facts.time_base
    stream.displayed_levels, stream.ids_by_arrival = facts.displayed_levels, facts.ids_by_arrival
