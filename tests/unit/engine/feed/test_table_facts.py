"""What a table says of its recording beside its rows, and what it may not say."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from lowlat.engine.feed.stream import OrderEventStream
from lowlat.engine.feed.table_facts import metadata_of, tell
from lowlat.errors import InputError


def stream(unit: str = "1e-9") -> OrderEventStream:
    return OrderEventStream(Path("day.parquet"), "table", Decimal(unit), "unix", iter(()))


def test_a_stream_is_told_what_another_wrote() -> None:
    given, told = stream("0.0001"), stream()
    given.time_base, given.displayed_levels, given.ids_by_arrival = "midnight", 10, True
    tell(told, metadata_of(given))
    assert (told.unit, told.time_base) == (Decimal("0.0001"), "midnight")
    assert (told.displayed_levels, told.ids_by_arrival) == (10, True)


def test_metadata_of_others_say_nothing() -> None:
    told = stream()
    tell(told, {b"pandas": b"{}"})
    assert (told.unit, told.ids_by_arrival) == (Decimal("1e-9"), False)


@pytest.mark.parametrize("old", ['"0.0001"', '"midnight"', "10", "true", "{"])
def test_damaged_metadata_are_an_error_that_names_the_file(old: str) -> None:
    given = stream("0.0001")
    given.time_base, given.displayed_levels, given.ids_by_arrival = "midnight", 10, True
    ((key, text),) = metadata_of(given).items()
    damaged = text.decode().replace(old, '"-1"' if old == '"0.0001"' else '"x"', 1)
    assert damaged != text.decode()
    with pytest.raises(InputError, match=r"^day\.parquet: its metadata lowlat\.recording "):
        tell(stream(), {key: damaged.encode()})


@pytest.mark.parametrize("unit", ["NaN", "Infinity", "0", "1e-30", "1e20"])
def test_a_unit_that_prices_cannot_have_is_refused(unit: str) -> None:
    ((key, text),) = metadata_of(stream("0.5")).items()
    with pytest.raises(InputError, match="price unit"):
        tell(stream(), {key: text.replace(b'"0.5"', f'"{unit}"'.encode())})
