"""An unwritable result file is detected before a long run, and a file is never seen half written."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
from pathlib import Path

import pytest

from lowlat.errors import OutputPathError
from lowlat.files import check_writable, make_like, remove_abandoned, write_atomically, written_atomically


def test_a_file_is_written_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    check_writable(target)
    assert list(tmp_path.iterdir()) == []
    write_atomically(target, "µ\n")
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_bytes() == b"\xc2\xb5\n"


def test_an_existing_file_keeps_its_mode_and_a_link_its_aim(tmp_path: Path) -> None:
    target, link = tmp_path / "report.json", tmp_path / "latest.json"
    target.write_text("old")
    target.chmod(0o600)
    link.symlink_to(target)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("write", [check_writable, lambda path: write_atomically(path, "x")])
def test_a_path_that_cannot_be_written_is_an_error(tmp_path: Path, write: object) -> None:
    assert callable(write)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    (tmp_path / "file").write_text("")
    for path in (
        tmp_path,
        tmp_path / "missing" / "report.json",
        tmp_path / "file" / "report.json",
        tmp_path / ("n" * 300),
        loop,
        fifo,
        Path("/dev/null"),
        Path("/proc/report.json"),
    ):
        with pytest.raises(OutputPathError, match="cannot write"):
            write(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fifo", "file", "loop"]


def test_a_failure_while_writing_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(("umask", "mode"), [(0o027, 0o640), (0o077, 0o600)])
@pytest.mark.parametrize("existing", [None, 0o604])
def test_the_mode_is_the_umask_s_or_that_of_the_file_before(
    tmp_path: Path, umask: int, mode: int, existing: int | None
) -> None:
    target = tmp_path / "report.json"
    if existing is not None:
        target.write_text("old")
        target.chmod(existing)
    before = os.umask(umask)
    try:
        with written_atomically(target) as stream:
            meanwhile = os.fstat(stream.fileno())
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == (mode if existing is None else existing)
    assert meanwhile.st_mode == target.stat().st_mode, "never more open than in the end"


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_a_file_is_made_like_another(tmp_path: Path, mode: int) -> None:
    other, target = tmp_path / "private", tmp_path / "new"
    other.write_text("")
    other.chmod(mode)
    target.write_text("open to all before")
    with written_atomically(target, like=other) as stream:
        assert stat.S_IMODE(os.fstat(stream.fileno()).st_mode) == mode
    assert stat.S_IMODE(target.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away, and act as another user")
@pytest.mark.parametrize(
    ("user", "groups", "owner", "mode"),
    [
        (0, [0], (12_345, 23_456), 0o664),
        (34_567, [23_456], (34_567, 23_456), 0o664),
        (34_567, [45_678], (34_567, 45_678), 0o644),
    ],
)
def test_no_other_group_may_do_what_the_group_of_the_file_may(
    tmp_path: Path, user: int, groups: list[int], owner: tuple[int, int], mode: int
) -> None:
    """Root gives it to the owner; a member of its group gives it to that; nobody else's group may write it."""
    other, target = tmp_path / "shared", tmp_path / "new"
    other.write_text("")
    other.chmod(0o664)
    os.chown(other, 12_345, 23_456)
    target.write_text("")
    os.chown(target, user, 45_678)
    tmp_path.chmod(0o755)
    child = os.fork()
    if child == 0:
        try:
            os.chdir(tmp_path)  # the folders above are root's
            descriptor = os.open(target, os.O_RDWR)
            os.setgroups(groups)
            os.setgid(45_678 if user else 0)
            os.setuid(user)
            make_like(descriptor, Path("shared"))
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    found = target.stat()
    assert ((found.st_uid, found.st_gid), stat.S_IMODE(found.st_mode)) == (owner, mode)


def test_the_file_is_on_the_disk_before_its_name_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")
    seen: list[tuple[str, str]] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        fsync(descriptor)
        name = Path(f"/proc/self/fd/{descriptor}").readlink()
        seen.append(("folder" if name == tmp_path.resolve() else "file", target.read_text()))

    monkeypatch.setattr(os, "fsync", watched)
    write_atomically(target, "new")
    assert seen == [("file", "old"), ("folder", "new")]


def killed_while_writing(target: Path) -> Path:
    """Kill a process in the middle of a file; returns what it leaves."""
    there = set(target.parent.iterdir())
    child = os.fork()
    if child == 0:
        try:
            with written_atomically(target) as stream:
                stream.write(b"new" * 100_000)
                stream.flush()
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    (left,) = set(target.parent.iterdir()) - there
    return left


def test_a_kill_in_the_middle_leaves_the_old_content(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")
    assert killed_while_writing(target).stat().st_size == 300_000
    assert target.read_text() == "old"
    write_atomically(target, "newer")
    assert target.read_text() == "newer", "what the killed one left is in nobody's way"


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    """Not what a living one writes, nor a link, a folder or a file that only looks like it."""
    left = killed_while_writing(tmp_path / "a.json")
    others = [tmp_path / name for name in (".lowlat-1.tmp", f"{left.name}.old", "report.json")]
    for path in others:
        path.write_text("precious")
    link, folder = (tmp_path / f".lowlat-{digit * 16}.tmp" for digit in "01")
    link.symlink_to(others[-1])
    folder.mkdir()
    with written_atomically(tmp_path / "b.json") as stream:
        stream.write(b"whole")
        remove_abandoned(tmp_path)
    assert set(tmp_path.iterdir()) == {*others, link, folder, tmp_path / "b.json"}
    assert (tmp_path / "b.json").read_text() == "whole"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_another_user_left_stays(tmp_path: Path) -> None:
    left = killed_while_writing(tmp_path / "a.json")
    os.chown(left, 65_534, -1)
    remove_abandoned(tmp_path)
    assert left.exists()


def test_a_writer_whose_file_is_about_to_be_removed_takes_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`remove_abandoned` has locked it, and removes whatever has this name then."""
    lock, doomed = fcntl.flock, []

    def held(descriptor: int, how: int) -> None:
        if not doomed:
            doomed.extend(tmp_path.glob(".lowlat-*.tmp"))
            raise BlockingIOError
        doomed[0].unlink(missing_ok=True)
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", held)
    write_atomically(tmp_path / "a.json", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_writer_whose_file_was_removed_before_it_locked_it_takes_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, seen = fcntl.flock, []

    def late(descriptor: int, how: int) -> None:
        if not seen:
            seen.append(descriptor)
            monkeypatch.setattr(fcntl, "flock", lock)
            remove_abandoned(tmp_path)
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    write_atomically(tmp_path / "a.json", "whole")
    assert seen and [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "whole"
