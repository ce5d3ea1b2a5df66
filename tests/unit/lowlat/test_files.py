"""A result file is found unwritable before a long run, and is never seen half written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from lowlat.errors import OutputPathError
from lowlat.files import check_writable, write_atomically


def test_a_file_is_written_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    check_writable(target)
    assert list(tmp_path.iterdir()) == []
    write_atomically(target, "µ\n")
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_bytes() == b"\xc2\xb5\n"


def test_a_new_file_has_the_user_s_usual_mode(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    before = os.umask(0o027)
    try:
        write_atomically(target, "")
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


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
