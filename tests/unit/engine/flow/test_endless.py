"""A recording without an end, such as a pipe or a sparse file, is refused at the first record that is none."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from lowlat.engine.feed import source
from lowlat.engine.feed.stream import ReadOptions
from lowlat.engine.flow.registry import READERS
from lowlat.errors import InputError
from tests.dbn_files import dbn, record
from tests.fuzz.parsers.recordings import capture, capture_ng, datagram, linked, packets, prefixed, small_day

READ_MAX = 4 << 20
"""Bytes that may be read behind the beginning: a piece, and what a line or a frame may have."""


class Endless(io.RawIOBase):
    """A beginning, and the same byte for ever after. Whoever reads on is stopped."""

    def __init__(self, begin: bytes, filler: bytes) -> None:
        self._left, self._filler, self._given = begin, filler, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        assert self._given < READ_MAX, "it reads on without an end"
        part = (self._left + self._filler * len(view))[: len(view)]
        view[:] = part
        self._left, self._given = self._left[len(view) :], self._given + len(view)
        return len(view)


DAY = small_day()
FRAMES = [linked(datagram(each)) for each in packets(DAY, 4)]
CSV = (
    b"ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,price,size,channel_id,order_id,flags,ts_in_delta,"
    b"sequence,symbol\n"
)
BEGINNINGS: dict[str, tuple[str, bytes]] = {
    "itch": ("itch", prefixed(DAY)),
    "bare itch": ("itch", b"".join(DAY)),
    "pcap": ("itch", capture(FRAMES)),
    "pcapng": ("itch", capture_ng(FRAMES)),
    "dbn": ("dbn", dbn([record("A", 1, "B", 5, 5)], 3)),
    "dbn csv": ("dbn", CSV),
    "lobster": ("lobster", b"0.0,1,1,1,100,1\n"),
    "columns": ("columns", b"time_ns,row,order_id,other_id,price,quantity,symbol,action,side,flags\n"),
}
NOTHING = {f"{name}, no beginning": (name, b"") for name in ("itch", "dbn", "lobster", "columns")}
TEXTS = ("dbn csv", "lobster", "columns")
ENDLESS = [
    *((name, b"\0") for name in BEGINNINGS | NOTHING),
    *((name, filler) for name in TEXTS for filler in (b"\n", b" ", b"9")),
]
"""Zeros, as of a sparse file or a device. Records of unknown types that tell their length are passed over."""


@pytest.mark.parametrize(("name", "filler"), ENDLESS, ids=str)
def test_what_is_no_record_ends_the_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, filler: bytes
) -> None:
    reader, begin = (BEGINNINGS | NOTHING)[name]
    path = tmp_path / "day"
    path.write_bytes(begin)
    monkeypatch.setattr(source, "opened", lambda _path: io.BufferedReader(Endless(begin, filler)))
    with pytest.raises(InputError, match=r"/day"):
        for _ in READERS.get(reader).events(path, ReadOptions()).blocks:
            pass
