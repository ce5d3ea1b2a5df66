"""The partitions of recordings do not depend on who replays them, and their memory is known beforehand."""

from __future__ import annotations

import pytest

from lowlat.errors import UsageError
from lowlat.fleet import partitions as module
from lowlat.fleet.identity import FileIdentity
from lowlat.fleet.partitions import BASE_BYTES, EVENT_BYTES, SYMBOL_BYTES, check_memory, partitions_of
from lowlat.fleet.survey import SurveyedFile

FRIDAY = SurveyedFile(FileIdentity("days/friday.itch", 10, "f" * 64), "itch", {"MSFT": 5, "AAPL": 70})
MONDAY = SurveyedFile(FileIdentity("days/monday.itch", 20, "e" * 64), "itch", {"AAPL": 30})


def test_by_file_in_the_order_of_the_files() -> None:
    found = partitions_of([MONDAY, FRIDAY], "file", ("MSFT", "AAPL"))
    assert [(each.number, each.file.path, each.symbols, each.events) for each in found] == [
        (1, "days/monday.itch", ("AAPL", "MSFT"), 30),
        (2, "days/friday.itch", ("AAPL", "MSFT"), 75),
    ]


def test_each_symbol_has_a_book_that_takes_memory() -> None:
    (whole,) = partitions_of([FRIDAY], "file", ())
    assert whole.books == 2
    assert whole.memory_bytes("match") == BASE_BYTES + 2 * SYMBOL_BYTES["match"] + 75 * EVENT_BYTES["match"]
    assert whole.memory_bytes("rebuild") == BASE_BYTES + 2 * SYMBOL_BYTES["rebuild"] + 75 * EVENT_BYTES["rebuild"]


def test_by_symbol_within_each_file_by_name() -> None:
    found = partitions_of([FRIDAY, MONDAY], "symbol", ())
    assert [(each.number, each.name, each.events) for each in found] == [
        (1, "days/friday.itch AAPL", 70),
        (2, "days/friday.itch MSFT", 5),
        (3, "days/monday.itch AAPL", 30),
    ]


def test_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PARTITIONS_MAX", 2)
    with pytest.raises(UsageError, match="more than 2 partitions; name fewer files"):
        partitions_of([FRIDAY, MONDAY], "symbol", ())


def test_a_worker_with_too_little_memory_is_refused_and_the_largest_partition_named() -> None:
    found = partitions_of([FRIDAY, MONDAY], "symbol", ())
    need = BASE_BYTES + SYMBOL_BYTES["match"] + 70 * EVENT_BYTES["match"]
    assert check_memory(found, "match", need, "a worker") == need
    assert check_memory(found, "match", None, "a worker") == need
    with pytest.raises(
        UsageError, match=r"days/friday\.itch AAPL needs 128 MiB for 70 events of 1 symbol, and a worker has a limit"
    ):
        check_memory(found, "match", need - 1, "a worker")
