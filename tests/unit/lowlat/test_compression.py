"""Compressed files are read to the end of every stream, and refused as soon as they unpack to too much."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from lowlat.compression import CHUNK_BYTES, COMPRESSED, Bound, chunks, compression_of
from lowlat.errors import InputError
from lowlat.limits import FLOW_RATIO_MAX, UNPACKED_BYTES_FREE

SQUEEZE: dict[str, Callable[[bytes], bytes]] = {".xz": lzma.compress, ".gz": gzip.compress, ".bz2": bz2.compress}
PATH = Path("file")
LARGE = Bound(1 << 30)
EACH = pytest.mark.parametrize("kind", COMPRESSED)


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


@EACH
def test_several_streams_are_one_file(kind: str) -> None:
    assert unpacked(SQUEEZE[kind](b"one ") + SQUEEZE[kind](b"two"), kind) == b"one two"
    assert unpacked(SQUEEZE[kind](b"one") + bytes(8), kind) == b"one", "padding"


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


@EACH
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
