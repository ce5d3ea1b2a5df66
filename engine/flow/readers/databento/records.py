"""DBN records of schema MBO: 56 bytes each, viewed as they are in the file.

A record begins with its length in words of four bytes and its type. Records of other types are counted and skipped by
their length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lowlat import units
from lowlat.errors import InputError

MboRecords: TypeAlias = NDArray[np.void]

MBO: Final = np.dtype(
    [
        ("length", "u1"),
        ("rtype", "u1"),
        ("publisher_id", "<u2"),
        ("instrument_id", "<u4"),
        ("ts_event", "<u8"),
        ("order_id", "<u8"),
        ("price", "<i8"),
        ("size", "<u4"),
        ("flags", "u1"),
        ("channel_id", "u1"),
        ("action", "u1"),
        ("side", "u1"),
        ("ts_recv", "<u8"),
        ("ts_in_delta", "<i4"),
        ("sequence", "<u4"),
    ]
)
"""One record; prices in 10^-9, times in nanoseconds since the Unix epoch, `action` and `side` as ASCII."""

MBO_TYPE: Final = 160
UNDEF_PRICE: Final = 2**63 - 1
UNDEF_SIZE: Final = 2**32 - 1
UNDEF_TIME: Final = 2**64 - 1
WORD_BYTES: Final = 4
_HEAD_BYTES: Final = 16
_MBO_WORDS: Final = MBO.itemsize // WORD_BYTES

F_LAST, F_TOB, F_SNAPSHOT, F_MBP, F_BAD_TS_RECV, F_MAYBE_BAD_BOOK = 128, 64, 32, 16, 8, 4

OTHER_TYPES: Final = {18: "status", 19: "definition", 20: "imbalance", 21: "error", 22: "symbol mapping",
                      23: "system", 24: "statistics"}  # fmt: skip


@dataclass(eq=False)
class MboBlock:
    """Consecutive records: `records` `MBO` (n,), and `row` uint64 (n,), the number of each in its file."""

    records: MboRecords
    row: NDArray[np.uint64]


def selected(records: MboRecords, chosen: slice | NDArray[np.bool_] | NDArray[np.int64]) -> MboRecords:
    """Some of the records. As rows of words, since numpy copies records field by field."""
    return _words(records)[chosen].reshape(-1).view(MBO)


def joined(*parts: MboRecords) -> MboRecords:
    """Records one after the other, copied in the same way."""
    return np.concatenate([_words(part) for part in parts]).reshape(-1).view(MBO)


def _words(records: MboRecords) -> NDArray[np.uint64]:
    return records.view(np.uint64).reshape(-1, MBO.itemsize // 8)


class RecordReader:
    """Cuts the bytes behind the metadata into records.

    Records of other types are counted in `messages`. `mapped` grows by each symbol mapping of a live stream: instrument
    id and the record's bytes.
    """

    def __init__(self, path: Path, start: int, tail_bytes: int, messages: Counter[str]) -> None:
        """`start`: where the first record begins. `tail_bytes`: what a live stream adds to each."""
        self._path, self._at, self._stride = path, start, MBO.itemsize + tail_bytes
        self._rows = 0
        self._messages = messages
        self.mapped: list[tuple[int, bytes]] = []

    def blocks(self, pieces: Iterator[bytes]) -> Iterator[MboBlock]:
        """The records of schema MBO. Raises `InputError` for a record without a length and a file that is cut short."""
        rest = b""
        for piece in pieces:
            data = rest + piece if rest else piece
            used = yield from self._whole(data)
            self._at += used
            rest = data[used:]
        if rest:
            raise self._error(0, f"the file ends {units.counted(len(rest), 'byte')} into a record; fetch it again")

    def _whole(self, data: bytes) -> Generator[MboBlock, None, int]:
        """The whole records of `data`; returns how many bytes they have."""
        count = len(data) // self._stride
        heads = np.ndarray((count,), "<u2", data, strides=(self._stride,)) if count else np.zeros(0, "<u2")
        if count and (heads == MBO_TYPE << 8 | self._stride // WORD_BYTES).all():
            yield self._block(data, np.arange(count, dtype=np.int64) * self._stride, count)
            return count * self._stride
        offsets, used = self._walk(data)
        types = np.frombuffer(data, "u1")[offsets + 1]
        chosen = (types == MBO_TYPE) & (np.frombuffer(data, "u1")[offsets] >= _MBO_WORDS)
        self._count_others(data, offsets[~chosen])
        yield self._block(data, offsets[chosen], len(offsets), np.flatnonzero(chosen))
        return used

    def _walk(self, data: bytes) -> tuple[NDArray[np.int64], int]:
        """Where each whole record begins, by the lengths that the records have, and where the last one ends."""
        offsets: list[int] = []
        at, size = 0, len(data)
        while at < size:
            count = data[at] * WORD_BYTES
            if at + count > size:
                break
            if count < _HEAD_BYTES:
                why = f"its length is {data[at]} words; a record has at least 4: fetch the file again"
                raise self._error(at, why, len(offsets))
            offsets.append(at)
            at += count
        return np.array(offsets, np.int64), at

    def _block(
        self, data: bytes, offsets: NDArray[np.int64], count: int, chosen: NDArray[np.int64] | None = None
    ) -> MboBlock:
        if self._stride == MBO.itemsize and chosen is None:
            records = np.frombuffer(data, MBO, count)
        else:
            every = np.frombuffer(data, "u1")
            records = every[offsets[:, None] + np.arange(MBO.itemsize)].reshape(-1).view(MBO)
        rows = np.arange(count) if chosen is None else chosen
        block = MboBlock(records, (rows + self._rows + 1).astype(np.uint64))
        self._rows += count
        return block

    def _count_others(self, data: bytes, offsets: NDArray[np.int64]) -> None:
        for at in offsets.tolist():
            kind = data[at + 1]
            self._messages[f"{OTHER_TYPES[kind]} record" if kind in OTHER_TYPES else f"record of type {kind}"] += 1
            if kind == 22:
                record = data[at : at + data[at] * WORD_BYTES]
                self.mapped.append((int.from_bytes(record[4:8], "little"), record))

    def _error(self, at: int, problem: str, before: int = 0) -> InputError:
        return InputError(f"{self._path}, record {self._rows + before + 1:,} at byte {self._at + at:,}: {problem}")
