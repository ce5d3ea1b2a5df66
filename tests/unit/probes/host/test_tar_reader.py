"""Archives are read as `tarfile` writes them, and a hostile or damaged one is refused at bounded cost."""

from __future__ import annotations

import io
import lzma
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lowlat.errors import FormatError, InputError
from lowlat.limits import ARCHIVE_HEADER_BYTES_MAX, TREE_FILE_BYTES_MAX
from lowlat.probes.host.snapshot import open_root
from lowlat.probes.host.tar_reader import TarEntry, entries

Add = Callable[..., None]
LONG = "sys/" + "d" * 90 + "/" + "f" * 120


def archive(make: Callable[[tarfile.TarFile], None], form: int = tarfile.PAX_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as made:
        make(made)
    return stream.getvalue()


def add(
    made: tarfile.TarFile, name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, target: str = ""
) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.type, entry.linkname = len(content), kind, target
    made.addfile(entry, io.BytesIO(content))


def raw(made: tarfile.TarFile, kind: bytes, content: bytes, size: int | None = None) -> None:
    """An entry of any kind, which may claim another size than it has."""
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = kind, len(content) if size is None else size
    assert made.fileobj is not None
    made.fileobj.write(entry.tobuf() + content + bytes(-len(content) % 512))


def sized(made: tarfile.TarFile, digits: bytes) -> None:
    """A device whose size is this text, with the right checksum."""
    entry = tarfile.TarInfo("x")
    entry.type = tarfile.CHRTYPE
    header = bytearray(entry.tobuf())
    header[124:135], header[148:156] = digits, b" " * 8
    header[148:155] = b"%06o\0" % sum(header)
    assert made.fileobj is not None
    made.fileobj.write(header)


def host(made: tarfile.TarFile) -> None:
    add(made, "sys/devices/system/cpu/online", b"0-1\n")
    add(made, "sys/kernel", kind=tarfile.DIRTYPE)


def read(data: bytes, piece: int = 1000) -> list[TarEntry]:
    """In pieces that do not match the blocks."""
    return list(entries(iter([data[at : at + piece] for at in range(0, len(data), piece)])))


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_tarfile_writes_is_read(form: int) -> None:
    names = [LONG] if form == tarfile.USTAR_FORMAT else [LONG, "sys/" + "é" * 150, "sys/" + "n" * 3000]
    if form == tarfile.USTAR_FORMAT:
        names = ["sys/" + "d" * 90 + "/" + "f" * 90]

    def make(made: tarfile.TarFile) -> None:
        for name in names:
            add(made, name, b"1" * 700)
            add(made, "sys/empty")
        add(made, "sys/folder", kind=tarfile.DIRTYPE)
        add(made, "sys/link", kind=tarfile.SYMTYPE, target="../" * 3 + "t" * 80)
        add(made, "sys/hard", kind=tarfile.LNKTYPE, target="sys/empty")
        add(made, "sys/device", kind=tarfile.CHRTYPE)

    found = read(archive(make, form))
    assert [entry for entry in found if entry.content] == [TarEntry(name, b"1" * 700) for name in names]
    assert (TarEntry("sys/empty", b"") in found and TarEntry("sys/folder/") in found) or TarEntry("sys/folder") in found
    assert TarEntry("sys/link", target="../" * 3 + "t" * 80) in found
    assert not [entry for entry in found if entry.name in ("sys/hard", "sys/device")]


HOSTILE: dict[str, tuple[Callable[[tarfile.TarFile], None], str]] = {
    "a long name": (
        lambda made: raw(made, tarfile.GNUTYPE_LONGNAME, b"a" * (ARCHIVE_HEADER_BYTES_MAX + 1)),
        "an extended header has 65,537 bytes; at most 65,536 are read",
    ),
    "a long target": (lambda made: raw(made, tarfile.GNUTYPE_LONGLINK, b"", 300 << 20), "an extended header has"),
    "a large PAX header": (lambda made: raw(made, tarfile.XHDTYPE, b"", 1 << 30), "an extended header has"),
    "a PAX header for all": (lambda made: raw(made, tarfile.XGLTYPE, b"", 1 << 30), "an extended header has"),
    "PAX records of no length": (lambda made: raw(made, tarfile.XHDTYPE, b"0 a=b\n"), "a PAX header is damaged"),
    "PAX records of many digits": (lambda made: raw(made, tarfile.XHDTYPE, b"9" * 9000), "a PAX header is damaged"),
    "a large file": (lambda made: raw(made, tarfile.REGTYPE, b"", TREE_FILE_BYTES_MAX + 1), "'x' has 4,194,305 bytes"),
    "a size of 88 bits": (lambda made: raw(made, tarfile.REGTYPE, b"", 2**80), "'x' has .* at most 4,194,304 are read"),
    "a size in PAX": (lambda made: raw(made, tarfile.XHDTYPE, b"19 size=9999999999\n"), "'f' has 9,999,999,999 bytes"),
    "a size below 0": (lambda made: sized(made, b"-0000001130"), "b'-0000001130.* is not a number"),
    "a size with an underscore": (lambda made: sized(made, b"00000000_12"), "b'00000000_12.* is not a number"),
    "a sparse file": (lambda made: raw(made, tarfile.GNUTYPE_SPARSE, b""), "make the archive without --sparse"),
    "3,000 folders deep": (lambda made: add(made, "sys/" + "d/" * 3000 + "f"), "is more than 64 directories deep"),
    "a target of 3,000 folders": (
        lambda made: add(made, "sys/l", kind=tarfile.SYMTYPE, target="../" * 3000),
        "is more than 64 directories deep",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused(tmp_path: Path, name: str) -> None:
    make, message = HOSTILE[name]

    def whole(made: tarfile.TarFile) -> None:
        host(made)
        make(made)
        add(made, "f")

    with pytest.raises(FormatError, match=message):
        read(archive(whole))
    (tmp_path / "host.tar").write_bytes(archive(whole))
    with pytest.raises(InputError, match=rf"host\.tar is not a readable snapshot: .*{message}"):
        open_root(tmp_path / "host.tar")


def test_300_000_links_are_too_many() -> None:
    link = tarfile.TarInfo("sys/l")
    link.type, link.linkname = tarfile.SYMTYPE, "x"
    pieces = iter([link.tobuf(tarfile.GNU_FORMAT) * 1000] * 300)
    with pytest.raises(FormatError, match="it has more than 200,000 entries or 50,000 links, the limit"):
        list(entries(pieces))


def test_an_archive_needs_its_end_mark() -> None:
    whole = archive(host)
    assert read(whole) and read(whole.rstrip(b"\0") + bytes(512 + 1024))
    data = whole.rstrip(b"\0")
    data += bytes(-len(data) % 512)
    for end in (b"", bytes(512), bytes(512) + b"x" * 512):
        with pytest.raises(FormatError, match=r"it ends before its end mark|its end mark is damaged"):
            read(data + end)
    with pytest.raises(FormatError, match="cut short, or not a tar archive"):
        read(b"")


def test_an_archive_of_zeros_ends_soon() -> None:
    """It is nothing but an end mark; 512 MiB of it took two seconds."""
    taken = []

    def zeros() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield bytes(1 << 20)

    with pytest.raises(FormatError, match="more than 4 MiB follow its end mark"):
        list(entries(zeros()))
    assert len(taken) == 5
    assert list(entries(iter([bytes(2 << 20)]))) == []  # padding of any usual size


def test_every_flipped_bit_of_a_compressed_snapshot_is_found(tmp_path: Path) -> None:
    """Without its checksum, most give another host."""
    data = lzma.compress(archive(host))
    path = tmp_path / "host.tar.xz"
    path.write_bytes(data)
    assert open_root(path).text("sys/devices/system/cpu/online") == "0-1"
    for place in range(len(data)):
        flipped = bytearray(data)
        flipped[place] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(InputError, match="is not a readable snapshot"):
            open_root(path)


def test_a_flipped_bit_in_a_header_is_found() -> None:
    data = archive(host)
    for place in range(512):
        flipped = bytearray(data)
        flipped[place] ^= 1
        with pytest.raises(FormatError):
            read(bytes(flipped))
