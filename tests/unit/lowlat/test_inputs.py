"""Files are opened without waiting, refused unless they are files, and read up to a limit."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lowlat import inputs
from lowlat.errors import InputError
from lowlat.inputs import beginning, is_refusal, open_regular, opened, read_bytes, real_path

LIMIT = 100


def test_a_file_of_the_limit_is_read_and_one_byte_more_is_not(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(LIMIT))
    assert read_bytes(file, LIMIT) == bytes(LIMIT)
    file.write_bytes(bytes(LIMIT + 1))
    with pytest.raises(InputError, match=rf"^{file}: it is larger than 100 B, the limit$"):
        read_bytes(file, LIMIT)


def test_a_file_whose_size_the_kernel_does_not_tell_is_bounded_too() -> None:
    assert read_bytes(Path("/proc/self/status"), 1 << 20)
    with pytest.raises(InputError, match="it is larger than 10 B"):
        read_bytes(Path("/proc/self/status"), 10)


def test_a_sparse_file_of_a_terabyte_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="larger than"):
        read_bytes(tmp_path / "sparse", 1 << 30)


def test_a_file_with_nothing_more_now_is_not_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads of /proc/kmsg, whose type is that of a file, fail like those of this empty pipe, but for root only."""
    ends = os.pipe2(os.O_NONBLOCK)
    monkeypatch.setattr(inputs, "open_regular", lambda *_, **__: os.dup(ends[0]))
    with pytest.raises(
        InputError, match=r"^kmsg: cannot be read: it has no end, and nothing more now; name a regular file$"
    ):
        read_bytes(Path("kmsg"), LIMIT)
    with opened(Path("kmsg")) as stream, pytest.raises(BlockingIOError):
        stream.read()
    for end in ends:
        os.close(end)


def test_a_loop_of_links_and_a_name_of_no_file_have_no_other_path(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert real_path(tmp_path / "a") == tmp_path / "a"
    assert real_path(tmp_path / "link") == tmp_path / "file"
    assert real_path("a\0b") == Path("a\0b")


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "socket", "link to a device"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "it"
    expected = {"pipe": "it is a named pipe", "folder": "it is a directory; name a file in it"}
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
        expected["socket"] = "No such device or address"
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(InputError, match=f"^{path}: .*{expected.get(kind, 'it is a device')}"):
        read_bytes(path, LIMIT)
    with pytest.raises(OSError) as refused:
        open_regular(path)
    assert is_refusal(refused.value) == (kind != "socket")
    assert beginning(path, 4) == b""


def test_missing_and_impossible_names(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none: no such file"):
        read_bytes(tmp_path / "none", LIMIT)
    with pytest.raises(InputError, match="a file name cannot contain NUL"):
        read_bytes(Path("a\0b"), LIMIT)
    with pytest.raises(InputError, match="cannot be read: File name too long"):
        read_bytes(tmp_path / ("x" * 300), LIMIT)


def test_a_pipe_of_the_shell_is_read_to_its_end_and_bounded() -> None:
    """Also when its other end writes late: it is not taken for empty."""
    program = (
        "import sys; from pathlib import Path; from lowlat.inputs import read_bytes\n"
        "print(read_bytes(Path('/dev/stdin'), 5))"
    )
    late = f"(sleep 0.2; printf hello) | '{sys.executable}' -P -c \"{program}\""
    assert subprocess.run(late, shell=True, capture_output=True, check=True).stdout == b"b'hello'\n"
    endless = f"cat /dev/zero | '{sys.executable}' -P -c \"{program}\""
    done = subprocess.run(endless, shell=True, capture_output=True, check=False)
    assert b"it is larger than 5 B" in done.stderr
