"""A journal is one set of files under one name: no other name, directory, mode or moment of reading gives a second
journal, hides a file of it, or lets somebody else read it.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from lowlat.engine import _core
from lowlat.engine.flow.readers.journal import read_journal_flow
from lowlat.engine.journal import creation
from lowlat.engine.journal import file as journal_file
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.journal.errors import (
    JournalDamagedError,
    JournalError,
    JournalExistsError,
    JournalHeldError,
    JournalWriteError,
)
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.header import JOURNAL, pack_head
from lowlat.engine.journal.names import SEGMENT_MAX, numbered_segments, segment_path, snapshot_path
from lowlat.engine.journal.records import SyncPolicy
from lowlat.engine.journal.snapshot import write_snapshot
from lowlat.engine.journal.verify import check_journal
from lowlat.engine.matching.commands import command, commands
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import Commands, CommandType


def limit(order_id: int) -> Commands:
    return commands(command(CommandType.LIMIT, order_id, price=100, quantity=5))


def journal_of(path: Path, segments: int) -> Path:
    """A journal of one order a segment."""
    with JournaledEngine.create(path, orders=100, trades=10, sync=SyncPolicy.NONE) as engine:
        for number in range(1, segments + 1):
            engine.process(limit(number))
            if number < segments:
                engine.rotate()
    return path


@pytest.mark.parametrize("number", [1, 2])
def test_a_segment_that_ended_is_no_journal(tmp_path: Path, number: int) -> None:
    """Appended to, or compacted, it would take commands out of the middle of its journal."""
    path = journal_of(tmp_path / "day.journal", 3)
    ended = segment_path(path, number)
    before = ended.read_bytes()
    for use in (JournaledEngine.recover, JournalFile):
        with pytest.raises(JournalError, match=rf"{ended} is segment {number} of {path}; name that"):
            use(ended)
    assert ended.read_bytes() == before
    path.unlink()  # as when what is left is to be used
    JournalFile(ended).close()


def test_a_journal_may_have_a_name_that_ends_in_digits(tmp_path: Path) -> None:
    journal_of(tmp_path / "orders", 1)
    with JournalFile(journal_of(tmp_path / "orders.20261130", 2)) as file:
        assert file.stop.place.sequence == 2
    with JournaledEngine.recover(tmp_path / "orders") as engine:
        engine.rotate()
        engine.compact()
    assert check_journal(tmp_path / "orders").problem is None
    assert check_journal(tmp_path / "orders.20261130").problem is None


@pytest.mark.parametrize("ending", [".new", ".snapshot"])
def test_a_journal_takes_no_name_that_another_removes(tmp_path: Path, ending: str) -> None:
    for use in (JournaledEngine.create, JournaledEngine.recover):
        with pytest.raises(JournalError, match="a journal gives this ending to other files"):
            use(tmp_path / f"day.journal{ending}")
    assert list(tmp_path.iterdir()) == []


def test_a_journal_takes_no_name_that_is_too_long_for_its_other_files(tmp_path: Path) -> None:
    """A journal without room for `.new` was written, but could not be recovered."""
    longest = os.pathconf(tmp_path, "PC_NAME_MAX") - len(".4294967295")
    with JournaledEngine.recover(journal_of(tmp_path / ("n" * longest), 2)) as engine:
        engine.compact()
    (tmp_path / ("n" * longest)).rename(tmp_path / ("n" * (longest + 1)))
    for use in (JournaledEngine.create, JournaledEngine.recover):
        with pytest.raises(JournalError, match="its other files have longer names, which would be too long; use a sho"):
            use(tmp_path / ("n" * (longest + 1)))


def test_a_journal_of_its_own_is_not_compacted_away(tmp_path: Path) -> None:
    """Whether it is made under the name of a segment, or moved there."""
    path = journal_of(tmp_path / "orders", 4)
    with JournaledEngine.recover(path) as engine:
        engine.compact()
        for number in (1, 4, 5):
            with pytest.raises(
                JournalExistsError, match=rf"orders.00000{number} is the name of a segment of {path}; n"
            ):
                JournaledEngine.create(segment_path(path, number))
        journal_of(tmp_path / "other", 1).rename(segment_path(path, 2))
        assert [each.path for each in engine.compact().removed] == [segment_path(path, 5)]
    with JournaledEngine.recover(segment_path(path, 2)) as other:
        assert other.orders()["order_id"].tolist() == [1]


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that others may only write to. It was an internal one, and left an empty file."""

    def refused(_folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "iterdir", refused)
        with pytest.raises(JournalError, match=f"cannot list {tmp_path}: Permission denied"):
            JournaledEngine.create(tmp_path / "day.journal")
    assert list(tmp_path.iterdir()) == []


def test_a_hard_link_is_no_second_journal(tmp_path: Path) -> None:
    """A rotation gives up the lock on the segment that ends, of which the link was another name."""
    path, link = tmp_path / "day.journal", tmp_path / "link"
    with JournaledEngine.create(path, orders=100, trades=10, sync=SyncPolicy.NONE) as engine:
        engine.process(limit(1))
        link.hardlink_to(path)
        with pytest.raises(JournalHeldError):
            JournaledEngine.recover(link)
        engine.rotate()
        with pytest.raises(JournalError, match=r"link has another name \(a hard link\)"):
            JournaledEngine.recover(link)
        engine.process(limit(2))
    assert check_journal(path).problem is None
    link.unlink()
    link.hardlink_to(path)
    with pytest.raises(JournalError, match="another name") as raised:
        JournaledEngine.recover(path)
    command_line = str(raised.value).partition("make a copy: ")[2]
    assert subprocess.run(["sh", "-c", command_line], check=False).returncode == 0
    with JournaledEngine.recover(path) as engine:
        assert engine.orders()["order_id"].tolist() == [1, 2]


def compacted_up_to(path: Path, number: int) -> Path:
    """An empty journal whose segment has this number, and its snapshot."""
    JournaledEngine.create(path, orders=100, trades=10, sync=SyncPolicy.NONE).close()
    with JournalFile(path) as file:
        head = msgspec.structs.replace(file.head, segment=number)
    path.write_bytes(pack_head(JOURNAL, head.to_json())[0])
    with JournalFile(path) as file:
        state, _ = _core.save_state(Engine.of(file.settings).matcher)
        write_snapshot(path, head.identity, state, file.beginning)
    return path


def test_after_its_last_number_a_journal_does_not_rotate(tmp_path: Path) -> None:
    path = compacted_up_to(tmp_path / "day.journal", SEGMENT_MAX)
    with JournaledEngine.recover(path) as engine:
        with pytest.raises(JournalError, match=r"segment 4,294,967,295 is the last that a journal can have"):
            engine.rotate()
        engine.process(limit(1))


def test_segments_are_in_order_where_their_numbers_get_another_digit(tmp_path: Path) -> None:
    path = compacted_up_to(tmp_path / "day.journal", 999_998)
    with JournaledEngine.recover(path, sync=SyncPolicy.NONE) as engine:
        for number in range(1, 4):
            engine.process(limit(number))
            engine.rotate()
    assert numbered_segments(path) == [999_998, 999_999, 1_000_000]
    with JournaledEngine.recover(path) as engine:
        assert engine.orders()["order_id"].tolist() == [1, 2, 3]
        removed = [each.path.name[-7:] for each in engine.compact(keep=1).removed]
    assert removed == [".999998", ".999999", "1000000"]


def test_through_a_link_and_by_name_it_is_the_same_journal(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    path = journal_of(tmp_path / "real" / "day.journal", 1)
    link = tmp_path / "day.journal"
    link.symlink_to(path)
    with JournaledEngine.recover(link) as engine:
        engine.rotate()
        engine.process(limit(2))
        engine.snapshot()
        assert engine.path == path
        with pytest.raises(JournalHeldError):
            JournaledEngine.recover(path)
    assert link.is_symlink() and sorted(each.name for each in tmp_path.iterdir()) == ["day.journal", "real"]
    for name in (link, path):
        assert len(check_journal(name).segments) == 2


def test_its_files_stay_beside_it_when_the_directory_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with JournaledEngine.create("day.journal", orders=100, trades=10) as engine:
        engine.process(limit(1))
        monkeypatch.chdir("elsewhere")
        assert engine.snapshot().path == tmp_path / "day.journal.snapshot"
        engine.compact()
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_who_may_not_read_the_journal_may_not_read_its_other_files(tmp_path: Path, mode: int) -> None:
    path = journal_of(tmp_path / "day.journal", 1)
    path.chmod(mode)
    with JournaledEngine.recover(path) as engine:
        engine.rotate()
        engine.snapshot()
    assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()} == {mode}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_journal_that_root_compacts_is_still_its_owners(tmp_path: Path) -> None:
    path = journal_of(tmp_path / "day.journal", 1)
    os.chown(path, 12_345, 23_456)
    with JournaledEngine.recover(path) as engine:
        engine.rotate()
        engine.compact(keep=1)
    assert len(list(tmp_path.iterdir())) == 3
    assert {(each.stat().st_uid, each.stat().st_gid) for each in tmp_path.iterdir()} == {(12_345, 23_456)}


def test_a_segment_that_is_missing_is_named_even_behind_a_snapshot(tmp_path: Path) -> None:
    path = journal_of(tmp_path / "day.journal", 4)
    with JournaledEngine.recover(path) as engine:
        engine.snapshot()
    segment_path(path, 2).unlink()
    missing = f"{segment_path(path, 2)} is missing"
    assert missing in (check_journal(path).problem or "")
    with JournaledEngine.recover(path) as engine:
        assert engine.recovery is not None and engine.recovery.damage == missing
        assert engine.counters.live_orders == 4
    with pytest.raises(JournalError, match=rf"cannot be measured: it begins with command .*, since {missing}; use"):
        read_journal_flow(path)
    snapshot_path(path).unlink()
    with pytest.raises(JournalDamagedError, match=r"is missing, and .* does not exist; put the segment back"):
        JournaledEngine.recover(path)


def test_a_gap_hides_no_damage_after_it(tmp_path: Path) -> None:
    path = journal_of(tmp_path / "day.journal", 6)
    with JournaledEngine.recover(path) as engine:
        engine.snapshot()
        engine.rotate()
        engine.process(limit(7))
    for number in (2, 3):
        segment_path(path, number).unlink()
    content = bytearray(segment_path(path, 5).read_bytes())
    content[-20] ^= 1
    segment_path(path, 5).write_bytes(content)
    gap = f"{segment_path(path, 2)} and 1 other are missing"
    damage = rf"{gap}; damaged at block 4, byte .* of {segment_path(path, 5)}, after 4 commands: its command checksum"
    with JournaledEngine.recover(path) as engine:
        assert engine.recovery is not None and re.match(damage, engine.recovery.damage or "")
        assert engine.counters.live_orders == 7
    assert re.match(rf"{damage}.*; put the segments back", check_journal(path).problem or "")
    os.truncate(path, path.stat().st_size - 20)
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content.ljust(len(content) + 20, b"!"))
    assert re.match(damage, check_journal(path).problem or "")
    snapshot_path(path).unlink()
    assert f"{gap}, and {snapshot_path(path)} does not exist; put the segments" in (check_journal(path).problem or "")


def test_another_journal_is_no_sign_of_a_gap(tmp_path: Path) -> None:
    path = journal_of(tmp_path / "orders", 3)
    with JournaledEngine.recover(path) as engine:
        engine.compact()
    journal_of(tmp_path / "elsewhere", 1).rename(segment_path(path, 1))
    assert (check_journal(path).gap, check_journal(path).problem) == (None, None)


def test_a_reader_is_not_told_of_damage_when_a_segment_begins_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer rotates twice between the reader's opening the file and its listing the others."""
    path = journal_of(tmp_path / "day.journal", 1)
    with JournaledEngine.recover(path) as engine:
        left = [2]

        def listed(journal: Path) -> list[int]:
            while left[0] > 0:
                left[0] -= 1
                engine.rotate()
            return numbered_segments(journal)

        monkeypatch.setattr(journal_file, "numbered_segments", listed)
        with JournalFile(path) as file:
            assert (file.head.segment, file.first) == (3, 1)
            file.check(file.stop)


@pytest.mark.parametrize("name", ["day.journal.0000001", "day.journal.000000", f"day.journal.{'9' * 200}"])
def test_a_file_that_no_segment_is_called_is_left_alone(tmp_path: Path, name: str) -> None:
    path = journal_of(tmp_path / "day.journal", 2)
    (tmp_path / name).write_bytes(b"mine")
    with JournaledEngine.recover(path) as engine:
        engine.compact()
    assert (tmp_path / name).read_bytes() == b"mine"


def test_advice_holds_for_any_name(tmp_path: Path) -> None:
    path = journal_of(tmp_path / "a b'c;$(touch planted).journal", 1)
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(JournalDamagedError) as raised:
        JournaledEngine.recover(path)
    advice = str(raised.value).partition("truncate the file: ")[2]
    assert subprocess.run(["sh", "-c", advice], cwd=tmp_path, check=False).returncode == 0
    JournaledEngine.recover(path).close()
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_advice_about_many_segments_is_short(tmp_path: Path) -> None:
    path = journal_of(tmp_path / "day.journal", 16)
    os.truncate(segment_path(path, 2), segment_path(path, 2).stat().st_size - 1)
    with pytest.raises(JournalDamagedError, match=r"remove \S+000003 to day\.journal\.000015; mv") as raised:
        JournaledEngine.recover(path)
    assert "000009" not in str(raised.value)


def failing_at(count: int, call: Callable[[Path], None]) -> Callable[[Path], None]:
    """A call that fails from the nth time on."""
    left = [count]

    def made(folder: Path) -> None:
        left[0] -= 1
        if left[0] <= 0:
            raise OSError(5, "Input/output error")
        call(folder)

    return made


def test_a_new_name_that_may_not_be_on_the_disk_ends_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is appended after that could be lost with the name."""
    path = tmp_path / "day.journal"
    engine = JournaledEngine.create(path, orders=100, trades=10)
    engine.process(limit(1))
    with monkeypatch.context() as patched:
        patched.setattr(creation, "flush_folder", failing_at(2, creation.flush_folder))
        with pytest.raises(JournalWriteError, match=r"on disk is unknown: .* failed: Input/output error"):
            engine.rotate()
    assert not engine.can_go_on
    with pytest.raises(JournalWriteError, match="on disk is unknown"):
        engine.process(limit(2))
    with pytest.raises(JournalWriteError, match="on disk is unknown"):
        engine.close()
    with JournaledEngine.recover(shutil.copytree(tmp_path, tmp_path / "copy") / path.name) as back:
        assert back.orders()["order_id"].tolist() == [1]
