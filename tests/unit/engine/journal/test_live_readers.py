"""A reader of a journal that is written, rotated and compacted meanwhile sees one state of it: nothing that its writer
does is taken for a loss, and a loss is told also while a writer has it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lowlat.engine.journal import file as journal_file
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.names import numbered_segments, segment_path
from lowlat.engine.journal.records import SyncPolicy
from lowlat.engine.journal.snapshot import restore_snapshot
from lowlat.engine.journal.verify import check_journal
from lowlat.engine.matching.commands import command, commands
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import Commands, CommandType


def limit(order_id: int) -> Commands:
    return commands(command(CommandType.LIMIT, order_id, price=100, quantity=5))


@pytest.fixture
def engine(tmp_path: Path) -> JournaledEngine:
    """With a snapshot, and a segment before it."""
    made = JournaledEngine.create(tmp_path / "day.journal", orders=100, trades=10, sync=SyncPolicy.NONE)
    made.process(limit(1))
    made.rotate()
    made.process(limit(2))
    made.snapshot()
    return made


def during_listing(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen once, after a reader has opened the journal and before it lists the older segments."""
    left = [happens]

    def listed(journal: Path) -> list[int]:
        if left:
            left.pop()()
        return numbered_segments(journal)

    monkeypatch.setattr(journal_file, "numbered_segments", listed)


def test_a_snapshot_that_is_taken_meanwhile_is_no_loss(engine: JournaledEngine) -> None:
    with JournalFile(engine.path) as file:
        engine.process(limit(3))
        engine.snapshot()
        begin = restore_snapshot(file, Engine.of(file.settings))
    assert begin is not None and begin.sequence == 2
    engine.close()


@pytest.mark.parametrize("compact", [False, True])
def test_nor_is_one_that_is_taken_while_the_journal_is_opened(
    engine: JournaledEngine, monkeypatch: pytest.MonkeyPatch, compact: bool
) -> None:
    def happens() -> None:
        engine.process(limit(3))
        if compact:
            engine.compact()
        else:
            engine.snapshot()

    during_listing(monkeypatch, happens)
    check = check_journal(engine.path)
    assert (check.state, check.problem, check.gap) == ("sound", None, None)
    assert check.recovered is not None and check.recovered.end.sequence == 3
    engine.close()


def test_segments_that_are_removed_while_they_are_listed_are_no_gap(
    engine: JournaledEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory may list a file that is removed by then, and not a later one."""
    for number in (3, 4):
        engine.rotate()
        engine.process(limit(number))
    engine.snapshot()
    segment_path(engine.path, 1).unlink()
    segment_path(engine.path, 2).unlink()
    monkeypatch.setattr(journal_file, "numbered_segments", lambda _: [1, 3])
    check = check_journal(engine.path)
    assert (check.state, check.problem, check.gap) == ("sound", None, None)
    engine.close()


def test_a_journal_that_is_cut_is_told_also_while_it_is_held(engine: JournaledEngine) -> None:
    size = engine.path.stat().st_size
    os.truncate(engine.path, size - 80)
    check = check_journal(engine.path)
    assert check.held and check.state == "damaged" and check.recovered is None
    assert f"was truncated: its snapshot was taken at byte {size:,} of segment 2" in (check.problem or "")
