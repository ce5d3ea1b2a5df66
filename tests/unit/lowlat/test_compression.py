"""Compressed files are read to the end of every stream, and refused as soon as they unpack to too much."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lowlat import compression
from lowlat.compression import CHUNK_BYTES, COMPRESSED, Bound, chunks, compression_of
from lowlat.errors import InputError
from lowlat.limits import FLOW_RATIO_MAX, STREAMS_FREE, UNPACKED_BYTES_FREE

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def zipped(content: bytes, *more: bytes, method: int = zipfile.ZIP_DEFLATED, piped: bool = False) -> bytes:
    """An archive of one file, or several. `piped`: as written to a pipe, with sizes behind the content."""
    stream = Pipe() if piped else io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for number, each in enumerate((content, *more)):
            archive.writestr(f"day{number}.csv", each)
    return stream.getvalue()


class Pipe(io.BytesIO):
    """What cannot go back."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError


SQUEEZE: dict[str, Callable[[bytes], bytes]] = {
    ".xz": lzma.compress,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": zstd.compress,
    ".zip": zipped,
}
PATH = Path("file")
LARGE = Bound(1 << 30)
EACH = pytest.mark.parametrize("kind", COMPRESSED)
STREAMS = pytest.mark.parametrize("kind", [kind for kind in COMPRESSED if kind != ".zip"])


class Counted(io.BytesIO):
    """A stream that tells how much was read."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


def unpacked(data: bytes, kind: str | None, bound: Bound = LARGE) -> bytes:
    return b"".join(chunks(PATH, io.BytesIO(data), kind, bound))


@EACH
def test_streams_of_any_length_come_back(kind: str) -> None:
    for content in (b"", b"a", bytes(range(256)) * 20_000, bytes(3 * CHUNK_BYTES)):
        data = SQUEEZE[kind](content)
        assert unpacked(data, kind) == content
        assert all(len(piece) <= CHUNK_BYTES for piece in chunks(PATH, io.BytesIO(data), kind, LARGE))
        assert compression_of(data) == kind


@STREAMS
def test_several_streams_are_one_file(kind: str) -> None:
    assert unpacked(SQUEEZE[kind](b"one ") + SQUEEZE[kind](b"two"), kind) == b"one two"
    assert unpacked(SQUEEZE[kind](b"one") + bytes(8), kind) == b"one", "padding"


class Sized:
    """A decoder that tells how much it was given, all in all."""

    given = 0

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def decompress(self, data: bytes, most: int) -> bytes:
        Sized.given += len(data)
        piece: bytes = self._inner.decompress(data, most)
        return piece


@STREAMS
def test_small_streams_are_not_given_all_that_follows(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its end each copies what it was given and has not used."""
    magic, decoder_of = compression._DECODERS[kind]
    monkeypatch.setattr(Sized, "given", 0)
    monkeypatch.setitem(compression._DECODERS, kind, (magic, lambda: Sized(decoder_of())))  # type: ignore[index]
    large, small = random.Random(1).randbytes(400_000), SQUEEZE[kind](b"one ")
    data = SQUEEZE[kind](large) + 300 * small
    assert unpacked(data, kind) == large + 300 * b"one "
    assert len(data) <= Sized.given < 3 * len(data) + 300 * (1 << 12)


@STREAMS
def test_too_many_small_streams_are_refused(kind: str) -> None:
    one = SQUEEZE[kind](b"")
    stream = Counted(one * (STREAMS_FREE * 2))
    with pytest.raises(
        InputError, match=f"file: cannot be read as {kind}: it consists of too many small streams; unpack"
    ):
        list(chunks(PATH, stream, kind, LARGE))
    assert unpacked(one * (STREAMS_FREE // 10) + SQUEEZE[kind](b"one"), kind) == b"one"


@pytest.mark.parametrize("kind", [".xz", ".gz"])
def test_padding_of_any_length(kind: str) -> None:
    for zeros in (1, 4_095, 4_096, 4_097, 2 * CHUNK_BYTES):
        assert (
            unpacked(SQUEEZE[kind](b"one ") + bytes(zeros) + SQUEEZE[kind](b"two") + bytes(zeros), kind) == b"one two"
        )


def test_zeros_alone_are_no_empty_file() -> None:
    """They are one of the format before `.xz`."""
    with pytest.raises(InputError, match=r"file: cannot be read as \.xz: Input format not supported"):
        unpacked(bytes(100), ".xz")


def test_plain_files_are_bounded_too() -> None:
    assert unpacked(b"abc", None, Bound(3)) == b"abc"
    with pytest.raises(InputError, match="file: it holds more than 2 B, the limit"):
        unpacked(b"abc", None, Bound(2))


@pytest.mark.parametrize("kind", [".xz", ".gz"])
def test_every_flipped_bit_is_found(kind: str) -> None:
    """But of those without a meaning: the time in a header of gzip, and several in bzip2."""
    data = SQUEEZE[kind](b"1.5,1,2,10,1000100,-1\n" * 30)
    for place in range(10 if kind == ".gz" else 0, len(data)):
        flipped = bytearray(data)
        flipped[place] ^= 1
        with pytest.raises(InputError, match=f"file: (cannot be read as {kind}|the compressed stream is truncated)"):
            unpacked(bytes(flipped), kind)


@EACH
def test_a_stream_that_is_cut_anywhere_is_truncated(kind: str) -> None:
    data = SQUEEZE[kind](b"1.5,1,2,10,1000100,-1\n" * 30)
    for length in range(len(data)):
        with pytest.raises(InputError, match="the compressed stream is truncated"):
            unpacked(data[:length], kind)


@STREAMS
def test_a_bomb_is_refused_after_what_its_size_allows(kind: str) -> None:
    one = SQUEEZE[kind](bytes(8 << 20))
    stream = Counted(one * 200)
    given = 0
    with pytest.raises(InputError, match=r"file: its first .* unpack to more than .*: above 20 times as much"):
        for piece in chunks(PATH, stream, kind, Bound(1 << 40, FLOW_RATIO_MAX, UNPACKED_BYTES_FREE)):
            given += len(piece)
    assert given <= UNPACKED_BYTES_FREE + FLOW_RATIO_MAX * stream.taken
    assert unpacked(one, kind, Bound(8 << 20)) == bytes(8 << 20)
    with pytest.raises(InputError, match=r"it holds more than 8 MiB, the limit"):
        unpacked(one + SQUEEZE[kind](b"x"), kind, Bound(8 << 20))


def test_a_file_that_asks_for_much_memory_is_refused() -> None:
    """The preset with the largest dictionary is read; a larger one would be allocated before the first byte."""
    assert unpacked(lzma.compress(b"x", preset=9), ".xz") == b"x"
    huge = lzma.compress(
        b"x", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30, "mode": lzma.MODE_FAST, "mf": lzma.MF_HC3}]
    )
    with pytest.raises(InputError, match="Memory usage limit"):
        unpacked(huge, ".xz")


def test_a_zstandard_file_that_asks_for_much_memory_is_refused() -> None:
    window = zstd.CompressionParameter.window_log
    assert unpacked(zstd.compress(bytes(99), level=19), ".zst") == bytes(99)
    packer = zstd.ZstdCompressor(options={window: 27})
    huge = packer.compress(b"x" * 99, zstd.ZstdCompressor.FLUSH_BLOCK) + packer.flush()
    with pytest.raises(InputError, match=r"cannot be read as \.zst: .*too much memory"):
        unpacked(huge, ".zst")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_only_file_of_an_archive_is_read(method: int) -> None:
    content = bytes(range(256)) * 10_000
    assert unpacked(zipped(content, method=method), ".zip") == content
    if method:
        assert unpacked(zipped(content, piped=True), ".zip") == content


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (zipped(b"one", b"two"), "it does not hold exactly one file: unpack it, and name the file"),
        (zipped(b"one", b"two", piped=True), "it does not hold exactly one file"),
        (zipped(b"one", method=zipfile.ZIP_LZMA), "its compression, of number 14, is not read here"),
        (zipped(b"one", method=zipfile.ZIP_STORED).replace(b"one", b"two"), "its content does not have its checksum"),
        (zipped(b"one")[:6] + b"\1" + zipped(b"one")[7:], "it is encrypted"),
        (zipped(b"one") + b"more", "something follows its end"),
    ],
)
def test_archives_of_other_kinds_are_refused(data: bytes, why: str) -> None:
    with pytest.raises(InputError, match=rf"file: cannot be read as \.zip: {why}"):
        unpacked(data, ".zip")


def test_a_bomb_in_an_archive_is_refused() -> None:
    with pytest.raises(InputError, match=r"file: its first .* unpack to more than .*: above 20 times as much"):
        unpacked(zipped(bytes(8 << 20)), ".zip", Bound(1 << 40, FLOW_RATIO_MAX, UNPACKED_BYTES_FREE))
