"""A journal in segments is one journal: rotation and compaction change neither books nor what is recovered, whatever
step a crash leaves them at, and segments that do not belong together are refused.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from lowlat import files
from lowlat.engine import _core
from lowlat.engine.flow.readers.journal import read_journal_flow
from lowlat.engine.journal import creation
from lowlat.engine.journal import engine as journal_engine
from lowlat.engine.journal.dump import Listing
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.journal.errors import (
    JournalDamagedError,
    JournalError,
    JournalExistsError,
    JournalHeldError,
    JournalWriteError,
    SnapshotError,
)
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.header import SNAPSHOT, SnapshotHead, pack_head, read_head
from lowlat.engine.journal.names import new_path, segment_path, snapshot_path
from lowlat.engine.journal.records import Fault, SyncPolicy
from lowlat.engine.journal.verify import check_journal
from lowlat.engine.matching.commands import command, commands
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import Commands, CommandType
from lowlat.errors import BusyError, UsageError
from tests import journal_by_hand
from tests.property.world_streams import WORLD_STREAMS

WORLD = WORLD_STREAMS["deep"]


def limits(*ids: int) -> Commands:
    return commands(*(command(CommandType.LIMIT, each, price=100, quantity=5) for each in ids))


def state(engine: Engine) -> bytes:
    return _core.save_state(engine.matcher)[0]


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path / "files" / "day.journal"


@pytest.fixture
def three(path: Path) -> Path:
    """Three segments of a batch of two orders each."""
    with JournaledEngine.create(path, sync=SyncPolicy.NONE) as engine:
        for first in (1, 3, 5):
            engine.process(limits(first, first + 1))
            if first < 5:
                engine.rotate()
    return path


def orders(path: Path) -> list[int]:
    with JournaledEngine.recover(path) as engine:
        return engine.orders()["order_id"].tolist()


@pytest.mark.parametrize("sync", SyncPolicy)
def test_a_journal_in_segments_recovers_as_one_file_does(path: Path, sync: SyncPolicy) -> None:
    stream = WORLD.commands([7], 3_000)
    plain = Engine.of(WORLD.settings)
    with JournaledEngine.journaling(path, WORLD.settings, sync=sync, segment_bytes=30_000) as engine:
        for start in range(0, len(stream), 100):
            batch = stream[start : start + 100]
            assert np.array_equal(engine.process(batch), plain.process(batch))
        assert state(engine) == state(plain)
    assert len(names(path.parent)) > 4
    with JournaledEngine.recover(path) as back:
        assert back.recovery is not None and back.recovery.commands == len(stream)
        assert state(back) == state(plain)
    flow = read_journal_flow(path)
    assert flow.commands.tobytes() == stream.tobytes()
    check = check_journal(path)
    assert (check.state, check.problem, check.tally.commands) == ("sound", None, len(stream))
    assert [each.number for each in check.segments] == list(range(1, len(check.segments) + 1))
    assert check.size == sum(file.stat().st_size for file in path.parent.iterdir())


def test_segments_are_chained_as_the_format_says(three: Path) -> None:
    files = [segment_path(three, 1), segment_path(three, 2), three]
    assert names(three.parent) == ["day.journal", "day.journal.000001", "day.journal.000002"]
    read = [journal_by_hand.read(file.read_bytes()) for file in files]
    assert [each.said["segment"] for each in read] == [1, 2, 3]
    assert [(each.said["blocks"], each.said["sequence"]) for each in read] == [(0, 0), (1, 2), (2, 4)]
    assert len({each.said["identity"] for each in read}) == 1
    for before, after in zip(files, read[1:], strict=False):
        assert after.said["chain"] == int.from_bytes(before.read_bytes()[-4:], "little")


def test_an_engine_rotates_when_its_segment_is_full(path: Path) -> None:
    with JournaledEngine.create(path, sync=SyncPolicy.NONE, segment_bytes=4_096) as engine:
        for first in range(0, 1_000, 50):
            engine.process(limits(*range(first, first + 50)))
    sizes = [each.stat().st_size for each in path.parent.iterdir()]
    assert len(sizes) == 7 and max(sizes) < 4_096 + 2_000
    with JournaledEngine.recover(path, segment_bytes=4_096) as engine:
        assert engine.counters.commands == 1_000 and engine.segment_bytes == 4_096
    for wrong in (0, 4_095, -1, 1e6, True):
        with pytest.raises(UsageError, match=r"segment_bytes: .* is outside 4096"):
            JournaledEngine.recover(path, segment_bytes=wrong)  # type: ignore[arg-type]


def test_progress_costs_the_same_with_many_segments(path: Path) -> None:
    """It is told after each of them: verify took quadratic time."""

    def calls(file: JournalFile) -> int:
        assert file.size_before(file.end) == file.size
        made = itertools.count()
        sys.setprofile(lambda *_: next(made))
        try:
            file.size_before(file.end)
        finally:
            sys.setprofile(None)
        return next(made)

    counts = []
    with JournaledEngine.create(path, orders=100, trades=10, sync=SyncPolicy.NONE) as engine:
        for segments in (1, 12):
            while engine.rotate() != segment_path(path, segments):
                pass
            with JournalFile(path) as file:
                counts.append(calls(file))
    assert counts[0] == counts[1]


def test_compaction_leaves_the_snapshot_and_what_follows(three: Path) -> None:
    with JournaledEngine.recover(three) as engine:
        done = engine.compact()
        assert (done.snapshot.path, done.snapshot.sequence) == (snapshot_path(three), 6)
        assert [each.path for each in done.removed] == [segment_path(three, number) for number in (1, 2, 3)]
        assert min(each.size for each in done.removed) > 100
        assert names(three.parent) == ["day.journal", "day.journal.snapshot"]
        engine.process(limits(7))
    with JournaledEngine.recover(three) as back:
        assert back.recovery is not None
        assert (back.recovery.commands, back.recovery.replayed, back.recovery.damage) == (7, 1, None)
        assert back.orders()["order_id"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    check = check_journal(three)
    assert (check.state, check.problem, check.tally.commands) == ("sound", None, 1)
    assert check.recovered is not None and check.recovered.end.sequence == 7
    with pytest.raises(JournalError, match="cannot be measured: it begins with command 6, since compaction"):
        read_journal_flow(three)
    with JournalFile(three) as file:
        assert [block.sequence for block in Listing(file).blocks()] == [6]


def test_compaction_keeps_as_many_segments_as_it_is_told(three: Path) -> None:
    with JournaledEngine.recover(three) as engine:
        done = engine.compact(keep=2)
        assert [each.path for each in done.removed] == [segment_path(three, 1)]
        assert engine.compact(keep=99).removed == ()
        for wrong in (-1, 1.0, True):
            with pytest.raises(UsageError, match=r"keep: .* is not a number of segments"):
                engine.compact(wrong)  # type: ignore[arg-type]
    assert orders(three) == [1, 2, 3, 4, 5, 6]


def test_without_its_snapshot_a_compacted_journal_is_refused(three: Path) -> None:
    with JournaledEngine.recover(three) as engine:
        engine.compact()
        engine.process(limits(7))
    snapshot = snapshot_path(three).read_bytes()
    snapshot_path(three).write_bytes(snapshot[:-1] + bytes([snapshot[-1] ^ 1]))
    told = r"begins with command 6, since compaction removed those before, and .*is damaged.*from a copy"
    with pytest.raises(JournalDamagedError, match=told):
        JournaledEngine.recover(three)
    check = check_journal(three)
    assert check.recovered is None and "since compaction removed" in (check.problem or "")
    snapshot_path(three).unlink()
    with pytest.raises(JournalDamagedError, match="does not exist; put the snapshot back"):
        JournaledEngine.recover(three)
    snapshot_path(three).write_bytes(snapshot)
    assert orders(three) == [1, 2, 3, 4, 5, 6, 7]


def test_nothing_is_removed_when_the_snapshot_cannot_be_written(three: Path) -> None:
    with JournaledEngine.recover(three) as engine:
        snapshot_path(three).mkdir()
        with pytest.raises(SnapshotError, match="is a directory"):
            engine.compact()
        engine.process(limits(7))
    snapshot_path(three).rmdir()
    assert orders(three) == [1, 2, 3, 4, 5, 6, 7]


class Killed(BaseException):
    """Raised where a process is killed."""


def killed_at(step: int, path: Path) -> bool:
    """Compact a journal, but die before this change of names or sync; returns whether there was one."""
    left = [step]

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def until_killed(*arguments: object, **options: object) -> object:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return call(*arguments, **options)

        return until_killed

    engine = JournaledEngine.recover(path)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(creation.os, "link", counted(os.link))
        patched.setattr(files.os, "fsync", counted(os.fsync))
        patched.setattr(Path, "replace", counted(Path.replace))
        patched.setattr(Path, "unlink", counted(Path.unlink))
        try:
            engine.compact()
        except Killed:
            return True
    return False


def test_a_compaction_that_dies_at_any_step_loses_nothing(three: Path, tmp_path: Path) -> None:
    """See also tests/power_cut, where the disk loses what was not synced, too."""
    for step in itertools.count():
        path = Path(shutil.copytree(three.parent, tmp_path / f"killed at {step}")) / three.name
        killed = killed_at(step, path)
        assert orders(path) == [1, 2, 3, 4, 5, 6], step
        with JournaledEngine.recover(path) as back:
            back.process(limits(7))
            back.compact()
        # An unfinished snapshot stays behind under a name of its own.
        assert [name for name in names(path.parent) if name[0] != "."] == ["day.journal", "day.journal.snapshot"]
        assert orders(path) == [1, 2, 3, 4, 5, 6, 7]
        if not killed:
            break
    assert step >= 10


def test_a_rotation_that_fails_leaves_the_journal_as_it_was(three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_paths: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    before = names(three.parent)
    with JournaledEngine.recover(three) as engine:
        with monkeypatch.context() as patched:
            patched.setattr(creation.os, "link", refuse)
            with pytest.raises(JournalError, match=r"cannot start a new segment of .*: Operation not permitted"):
                engine.rotate()
        assert names(three.parent) == before and engine.can_go_on
        segment_path(three, 3).write_bytes(b"mine")
        with pytest.raises(JournalError, match=rf"cannot start .*: {segment_path(three, 3)} is there; move it away"):
            engine.rotate()
        assert segment_path(three, 3).read_bytes() == b"mine"
        segment_path(three, 3).unlink()
        new_path(three).mkdir()
        with pytest.raises(JournalError, match=r"cannot remove .*day\.journal\.new"):
            engine.rotate()
        new_path(three).rmdir()
        engine.process(limits(7))
        engine.rotate()
    assert orders(three) == [1, 2, 3, 4, 5, 6, 7]


def test_a_journal_in_segments_has_one_writer(three: Path) -> None:
    with JournaledEngine.recover(three) as engine:
        for _ in range(2):
            with pytest.raises(JournalHeldError, match="is being written by another engine"):
                JournaledEngine.recover(three)
            engine.rotate()
        with _core.MatcherClaim(engine.matcher), pytest.raises(BusyError):
            engine.rotate()
    with pytest.raises(JournalError, match="was closed"):
        engine.rotate()


def test_damage_in_a_segment_is_named_with_what_to_do(three: Path) -> None:
    second = segment_path(three, 2)
    content = bytearray(second.read_bytes())
    content[-20] ^= 1
    second.write_bytes(content)
    with pytest.raises(
        JournalDamagedError, match=rf"damaged at block 1, byte .* of {second}, after 2 commands"
    ) as raised:
        JournaledEngine.recover(three)
    assert check_journal(three).state == "damaged"
    advice = str(raised.value).partition("keep a copy and truncate the file: ")[2]
    assert os.system(advice) == 0  # as it says
    assert orders(three) == [1, 2]


def test_a_damaged_head_is_named_with_what_to_do(three: Path) -> None:
    with JournaledEngine.recover(three) as engine:
        engine.snapshot()
    second = segment_path(three, 2)
    content = bytearray(second.read_bytes())
    content[40] ^= 1
    second.write_bytes(content)
    told = (
        rf"{second} has a damaged header: .* put it back from a copy, or move it away if the snapshot is from after it"
    )
    with pytest.raises(JournalDamagedError, match=told):
        JournaledEngine.recover(three)
    second.unlink()
    assert orders(three) == [1, 2, 3, 4, 5, 6]


def test_a_journal_that_is_replaced_while_it_is_recovered_is_left_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was truncated where the other one ends."""
    with JournaledEngine.create(path) as engine:
        engine.process(limits(1))
    whole, kept = path.read_bytes(), path.with_name("kept")

    def replaced(path: Path) -> int:
        descriptor = creation.continue_journal(path)
        path.rename(kept)
        JournaledEngine.create(path).close()
        return descriptor

    monkeypatch.setattr(journal_engine, "continue_journal", replaced)
    with pytest.raises(JournalError, match="was replaced by another file meanwhile; recover again"):
        JournaledEngine.recover(path)
    assert kept.read_bytes() == whole


@pytest.mark.parametrize("cut", [1, 60, 112])
def test_a_segment_that_another_follows_is_never_torn(three: Path, cut: int) -> None:
    """Rotation syncs it, so a missing end is a loss; also one that ends between two blocks."""
    first = segment_path(three, 1)
    os.truncate(first, first.stat().st_size - cut)
    with pytest.raises(JournalDamagedError, match="the segment ends there, but the next one continues from elsewhere"):
        JournaledEngine.recover(three)
    with JournalFile(three) as file:
        assert (file.fault, file.end.sequence, file.end.segment) == (Fault.CUT, 0, 1)


@pytest.mark.parametrize("count", [1, 16, 600])
def test_zeros_behind_a_segment_are_no_blocks(three: Path, count: int) -> None:
    """Some file systems leave them; they ended verify with an internal error."""
    os.truncate(segment_path(three, 1), segment_path(three, 1).stat().st_size + count)
    check = check_journal(three)
    assert (check.state, check.problem, check.tally.commands) == ("sound", None, 6)
    with JournalFile(three) as file:
        assert [block.sequence for block in Listing(file).blocks()] == [0, 2, 4]
    assert orders(three) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("tail", "end"), [(b"", "sound"), (b"x" * 100, "torn")])
def test_a_hole_of_a_terabyte_is_not_read(path: Path, tail: bytes, end: str) -> None:
    with JournaledEngine.create(path, orders=100, trades=10) as engine:
        engine.process(limits(1))
    size = path.stat().st_size
    os.truncate(path, 1 << 40)
    with path.open("ab") as file:
        file.write(tail)
    check = check_journal(path)
    assert (check.state, check.problem, check.tally.commands) == (end, None, 1)
    assert orders(path) == [1] and path.stat().st_size == size


def test_a_snapshot_as_long_as_a_disk_is_left_out(three: Path) -> None:
    """A sparse file, and a head that says so: it was an error that memory ran out."""
    with JournaledEngine.recover(three) as engine:
        snapshot = engine.snapshot().path
    said, _, _ = read_head(memoryview(snapshot.read_bytes()), SNAPSHOT, SnapshotHead.from_json, "")
    head, _ = pack_head(SNAPSHOT, msgspec.structs.replace(said, state_bytes=1 << 40).to_json())
    snapshot.write_bytes(head)
    os.truncate(snapshot, len(head) + (1 << 40))
    with JournaledEngine.recover(three) as back:
        assert back.recovery is not None
        assert "its state has 1,024 GiB: more than there is memory" in (back.recovery.snapshot_fault or "")
        assert back.counters.commands == 6


@pytest.mark.parametrize("from_end", [112, 40])
def test_a_lost_end_that_a_snapshot_is_from_is_told(three: Path, from_end: int) -> None:
    """Where a disk loses what it had synced, zeros look like a batch that was never acknowledged: the snapshot knows
    better.
    """
    with JournaledEngine.recover(three) as engine:
        engine.snapshot()
    size = three.stat().st_size
    with three.open("r+b") as file:
        file.seek(size - from_end)
        file.write(bytes(from_end))
    told = rf"{three} has lost its end: its snapshot was taken at byte {size} of segment 3, and its blocks end at byte"
    with pytest.raises(JournalDamagedError, match=told):
        JournaledEngine.recover(three)
    assert (check_journal(three).state, three.stat().st_size) == ("damaged", size)
    snapshot_path(three).unlink()
    assert orders(three) == [1, 2, 3, 4]


def test_segments_that_do_not_belong_together_are_refused(three: Path, tmp_path: Path) -> None:
    whole = {file.name: file.read_bytes() for file in three.parent.iterdir()}

    def put_back() -> None:
        for name, content in whole.items():
            (three.parent / name).write_bytes(content)

    segment_path(three, 2).unlink()
    with pytest.raises(JournalDamagedError, match=r"000002 is missing, and .*snapshot does not exist; put the segment"):
        JournaledEngine.recover(three)
    put_back()
    for stranger in (b"", b"something else"):
        segment_path(three, 2).write_bytes(stranger)
        with pytest.raises(JournalDamagedError, match=r"000002 is not segment 2 of .*; put it back from a copy"):
            JournaledEngine.recover(three)
    put_back()
    shutil.copy(segment_path(three, 1), segment_path(three, 2))
    with pytest.raises(JournalDamagedError, match=r"day\.journal\.000002 is not segment 2 of .*day\.journal"):
        JournaledEngine.recover(three)
    put_back()
    JournaledEngine.create(tmp_path / "other").close()
    shutil.copy(tmp_path / "other", segment_path(three, 1))
    with pytest.raises(JournalDamagedError, match=r"day\.journal\.000001 is not segment 1 of"):
        JournaledEngine.recover(three)
    put_back()
    shutil.copy(segment_path(three, 1), three)
    with pytest.raises(JournalDamagedError, match=r"000001 is newer than .*day\.journal, which is segment 1"):
        JournaledEngine.recover(three)
    three.unlink()
    with pytest.raises(JournalExistsError, match=r"day\.journal\.000001 exists; remove it"):
        JournaledEngine.create(three)
    assert not three.exists()


def test_a_snapshot_of_an_earlier_segment_is_used(three: Path) -> None:
    with JournaledEngine.recover(three) as engine:
        engine.snapshot()
        for first in (7, 9):
            engine.rotate()
            engine.process(limits(first, first + 1))
    with JournaledEngine.recover(three) as back:
        assert back.recovery is not None
        assert (back.recovery.commands, back.recovery.replayed, back.recovery.snapshot_fault) == (10, 4, None)
    check = check_journal(three)
    assert check.snapshot is not None and (check.snapshot.sequence, check.problem) == (6, None)


@pytest.mark.parametrize("sync", SyncPolicy)
@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("unlinked", "was removed or renamed"),
        ("renamed", "was removed or renamed"),
        ("replaced", "was replaced by another file"),
        ("truncated", "was truncated"),
        ("appended", "was written by somebody else"),
    ],
)
def test_a_journal_that_is_changed_under_its_engine_is_missed_at_the_next_commit(
    path: Path, sync: SyncPolicy, what: str, told: str
) -> None:
    engine = JournaledEngine.create(path, sync=sync)
    engine.process(limits(1))
    before = state(engine)
    match what:
        case "unlinked":
            path.unlink()
        case "renamed":
            path.rename(path.with_name("elsewhere"))
        case "replaced":
            shutil.copy(path, path.with_name("copy"))
            path.with_name("copy").rename(path)
        case "truncated":
            os.truncate(path, path.stat().st_size - 1)
        case "appended":
            with path.open("ab") as file:
                file.write(b"!")
    for refused in (lambda: engine.process(limits(2)), engine.drain_trades, engine.snapshot, engine.rotate):
        with pytest.raises(JournalWriteError, match=f"{told} while this engine was writing it; none of the batch"):
            refused()
        assert not engine.can_go_on and state(engine) == before
    with pytest.raises(JournalWriteError, match=told):
        engine.close()


def test_closing_tells_of_a_journal_that_is_gone(path: Path) -> None:
    engine = JournaledEngine.create(path)
    engine.process(limits(1))
    path.unlink()
    with pytest.raises(JournalWriteError, match="was removed or renamed"):
        engine.close()


def test_a_journal_that_is_cut_while_it_is_read_is_an_error(path: Path) -> None:
    with JournaledEngine.create(path, orders=10, sync=SyncPolicy.NONE) as engine:
        for _ in range(4):
            engine.process(np.tile(limits(1), 100_000))
    with JournalFile(path) as file:
        blocks = file.blocks()
        next(blocks)
        os.truncate(path, 500)
        with pytest.raises(JournalError, match="became shorter while it was read; read it again"):
            list(blocks)
    with JournalFile(path) as file:
        heads = file.heads(file.beginning, file.end)
        assert list(heads) == []
