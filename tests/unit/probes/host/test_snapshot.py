"""A snapshot gives the same result on another machine, and a bad one does no harm."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from pathlib import Path

import pytest

from lowlat.documents import values
from lowlat.errors import InputError, OutputPathError
from lowlat.probes.host import snapshot as capture_module
from lowlat.probes.host.facts import host_facts
from lowlat.probes.host.host_tree import LIVE, FolderTree, HostTree
from lowlat.probes.host.snapshot import capture, open_root
from lowlat.probes.topology import read_topology
from lowlat.probes.topology.document import TopologyDocument

FILES = {
    "proc/cpuinfo": "model name : Some CPU\n",
    "proc/self/cgroup": "0::/\n",
    "proc/self/status": "Cpus_allowed_list: 0-1\n",
    "sys/devices/system/cpu/online": "0-1\n",
    "sys/devices/system/cpu/cpu0/topology/core_cpus": "3\n",
    "sys/devices/system/cpu/cpu1/topology/core_cpus": "3\n",
    "sys/devices/system/cpu/cpu0/cache/index0/level": "1\n",
    "sys/devices/system/cpu/cpu0/cpuidle/state0/name": "POLL\n",
    "sys/devices/system/node/node0/cpumap": "3\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "host"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def answers(tree: HostTree) -> dict[str, object]:
    document = values(TopologyDocument.of(read_topology(tree)))
    facts = values(host_facts(tree))
    for changing in ("load_average", "steal_percent"):
        del facts[changing]
    for node in document["nodes"]["value"] or ():
        del node["memory_free_bytes"]
    return {"topology": document, "facts": facts}


def test_snapshot_of_this_host_gives_the_same_answer(tmp_path: Path) -> None:
    assert capture(tmp_path / "here.tar.xz", with_identity=True) > 10
    expected = answers(LIVE)
    from_archive = answers(open_root(tmp_path / "here.tar.xz"))
    # Sources differ where the archive tells what only the running host can be asked for.
    assert from_archive["topology"] == expected["topology"]
    assert {k: v for k, v in from_archive["facts"].items() if k != "load_average"} == expected["facts"]


def test_snapshot_of_a_folder_gives_the_same_answer(tmp_path: Path, folder: Path) -> None:
    capture(tmp_path / "copy.tar.xz", FolderTree(folder))
    assert answers(open_root(tmp_path / "copy.tar.xz")) == answers(open_root(folder))


def test_unpacked_snapshot_gives_the_same_answer(tmp_path: Path, folder: Path) -> None:
    capture(tmp_path / "copy.tar.xz", FolderTree(folder))
    with tarfile.open(tmp_path / "copy.tar.xz") as archive:
        # extractall(filter=...) came with 3.11.4; Debian 12 has 3.11.2.
        archive.extraction_filter = lambda member, _: member
        archive.extractall(tmp_path / "unpacked")
    assert answers(open_root(tmp_path / "unpacked")) == answers(open_root(folder))
    name = tmp_path / "unpacked/sys/devices/system/cpu/cpu0/cpuidle/state0/name"
    assert name.read_text() == "POLL\n"


def test_archive_of_a_named_folder_is_read(tmp_path: Path, folder: Path) -> None:
    with tarfile.open(tmp_path / "named.tar.gz", "w:gz") as archive:
        archive.add(folder, arcname="./rack-7/dump")
    assert answers(open_root(tmp_path / "named.tar.gz")) == answers(open_root(folder))


def test_links_in_an_archive_are_followed_inside_it(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "links.tar", "w") as archive:
        entry = tarfile.TarInfo("sys/real/online")
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"0-1\n"))
        for name, target in (
            ("sys/devices/system/cpu", "../../real"),
            ("sys/absolute", "/sys/real"),
            ("sys/loop", "loop"),
            ("sys/dangling", "nowhere"),
            ("sys/outside", "../../../../etc"),
        ):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
    tree = open_root(tmp_path / "links.tar")
    assert tree.text("sys/devices/system/cpu/online") == "0-1"
    assert tree.text("sys/absolute/online") == "0-1"
    assert tree.text("sys/loop/x") is None
    assert tree.names("sys/loop") == ()
    assert not tree.exists("sys/dangling")
    assert tree.text("sys/outside/passwd") is None
    assert tree.link_target("sys/dangling") == "nowhere"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_a_snapshot_is_as_private_as_the_umask_says(tmp_path: Path, folder: Path, umask: int, mode: int) -> None:
    path = tmp_path / "host.tar.xz"
    before = os.umask(umask)
    try:
        capture(path, FolderTree(folder))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_roots_that_are_no_host(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        open_root(tmp_path / "nothing")
    with pytest.raises(InputError, match="has no readable sys/"):
        open_root(tmp_path)
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(InputError, match="not a readable snapshot"):
        open_root(tmp_path / "text")
    with tarfile.open(tmp_path / "empty.tar.xz", "w:xz"):
        pass
    with pytest.raises(InputError, match="has no readable sys/"):
        open_root(tmp_path / "empty.tar.xz")


def test_cut_off_archive_is_refused(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "cut.tar.xz"
    capture(path, FolderTree(folder))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="not a readable snapshot"):
        open_root(path)


def test_archive_that_unpacks_to_gigabytes_is_refused(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture(tmp_path / "copy.tar.xz", FolderTree(folder))
    monkeypatch.setattr(capture_module, "ARCHIVE_BYTES_MAX", 10)
    with pytest.raises(InputError, match="it holds more than 10 B, the limit"):
        open_root(tmp_path / "copy.tar.xz")


def test_snapshot_is_written_whole_or_not_at_all(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputPathError, match=r"ends in \.tar\.xz"):
        capture(tmp_path / "host.zip", FolderTree(folder))
    with pytest.raises(OutputPathError, match="cannot be written: No such file"):
        capture(tmp_path / "absent" / "host.tar.xz", FolderTree(folder))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", fail)
    with pytest.raises(OutputPathError, match="No space left"):
        capture(tmp_path / "host.tar.xz", FolderTree(folder))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["host"]


@pytest.mark.parametrize(
    ("path", "content", "kept"),
    [
        ("proc/1/environ", b"TOKEN=secret\0container=lxc\0", b"container=lxc"),
        (
            "proc/self/mountinfo",
            b"9 8 0:1 / / rw - ext4 /dev/sda1 rw\n10 9 0:2 / /home rw - nfs server.example:/home rw\n",
            b"9 8 0:1 / / rw - ext4 /dev/sda1 rw",
        ),
    ],
)
def test_snapshot_keeps_the_lines_that_are_read_and_no_secrets(
    tmp_path: Path, folder: Path, path: str, content: bytes, kept: bytes
) -> None:
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_bytes(content)
    capture(tmp_path / "copy.tar.xz", FolderTree(folder))
    copy = open_root(tmp_path / "copy.tar.xz")
    assert copy.read_bytes(path) == kept
    assert answers(copy) == answers(open_root(folder))
