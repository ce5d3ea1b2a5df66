"""For any bytes in a file, the reader returns a flow that an engine can run, or says what is wrong."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lowlat.engine.flow.readers.lobster import read_lobster
from lowlat.engine.flow.readers.lobster.book import read_book
from lowlat.engine.flow.recording import verify
from lowlat.engine.reference.engine import ReferenceEngine
from lowlat.errors import InputError, LobsterError

SOUND = b"""\
1.000000001,1,1,10,1000000,-1
1.5,1,2,10,1000100,-1
2,1,4,7,990000,1
2,1,3,7,990000,1
2.25,5,0,7,995050,1
3,4,1,10,1000000,-1
3,4,2,4,1000100,-1
4,2,3,2,990000,1
5,3,2,6,1000100,-1
6,4,3,5,990000,1
6,4,9,5,980000,1
7,7,0,0,-1,-1
"""
RELAXED = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def reads_or_complains(path: Path) -> None:
    """A flow that is read must run: the engine accepts every burst as an order, and the counts add up."""
    try:
        flow = read_lobster(path)
    except InputError as error:
        assert str(error).startswith(str(path))
        return
    check = verify(flow, ReferenceEngine(flow.instruments).process(flow.commands))
    assert check.total == len(flow.bursts)
    assert (check.matched, check.stray_trades, check.rejected) == (check.total - flow.changes.departures, 0, 0)


@RELAXED
@given(flips=st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_flipped_bytes(tmp_path: Path, flips: list[tuple[int, int]]) -> None:
    data = bytearray(SOUND)
    for place, byte in flips:
        data[place] = byte
    path = tmp_path / "messages.csv"
    path.write_bytes(data)
    reads_or_complains(path)


@RELAXED
@given(
    squeeze=st.sampled_from([(".xz", lzma.compress), (".gz", gzip.compress)]),
    place=st.integers(0, 10_000),
    byte=st.integers(0, 255),
    length=st.integers(0, 10_000),
)
def test_flipped_and_truncated_streams(
    tmp_path: Path, squeeze: tuple[str, object], place: int, byte: int, length: int
) -> None:
    suffix, compress = squeeze
    assert callable(compress)
    data = bytearray(compress(SOUND))
    data[place % len(data)] = byte
    path = tmp_path / f"messages.csv{suffix}"
    path.write_bytes(data[: length % (len(data) + 1)])
    reads_or_complains(path)


@RELAXED
@given(st.binary(max_size=200))
@example(b"\xb2,1,1,1,100,1")
@example(b"1,1,1,1,100,1\r")
@example(b"1,1,1,1,100,1\n\n")
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "messages.csv"
    path.write_bytes(data)
    reads_or_complains(path)
    try:
        assert read_book(path).best.shape[1] == 4
    except LobsterError as error:
        assert str(error).startswith(str(path))


FIELDS = st.tuples(
    st.integers(0, 3),
    st.integers(1, 5),
    st.integers(1, 6),
    st.integers(1, 5),
    st.sampled_from([99, 100, 101]),
    st.sampled_from([1, -1]),
)


@RELAXED
@given(st.lists(FIELDS, min_size=1, max_size=40))
def test_sound_fields_that_contradict_one_another(tmp_path: Path, fields: list[tuple[int, ...]]) -> None:
    """Rows that contradict each other are still read; each is a command, part of a burst, or counted as left out."""
    time, rows = 0, []
    for pause, kind, order_id, size, price, direction in fields:
        time += pause
        rows.append(f"{time},{kind},{order_id},{size},{price * 100},{direction}")
    path = tmp_path / "messages.csv"
    path.write_text("\n".join(rows))
    try:
        flow = read_lobster(path)
    except LobsterError as error:
        pytest.fail(str(error))
    assert sum(flow.rows.values()) == len(rows)
    assert sum(flow.changes.left_out.values()) <= len(rows)
    reads_or_complains(path)
