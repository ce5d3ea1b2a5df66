"""ITCH files: every framing gives the events of the plain decoder, and what is wrong is named or counted."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.engine.flow.readers.itch import open_itch
from lowlat.engine.flow.readers.itch.file import EVENTS_MAX
from lowlat.engine.flow.registry import reader_of
from lowlat.errors import InputError
from tests.itch_by_hand import (
    DTYPES,
    capture,
    capture_ng,
    datagram,
    interleaved,
    linked,
    message,
    packet,
    packets,
    prefixed,
    rows,
    small_day,
)
from tests.plain_itch import BadMessageError, PlainEvent, plain_events, readable

DAY = small_day()
ALL = ReadOptions()


def opened(folder: Path, data: bytes, options: ReadOptions = ALL, name: str = "day.itch") -> OrderEventStream:
    path = folder / name
    path.write_bytes(data)
    return open_itch(path, options)


def events_of(stream: OrderEventStream) -> list[PlainEvent]:
    """The stream's events, once it is read whole: the names of its symbols are complete then."""
    blocks = [block.copy() for block in stream.blocks]
    return [event for block in blocks for event in readable(block, stream.symbols)]


def refusal(folder: Path, data: bytes, options: ReadOptions = ALL) -> str:
    with pytest.raises(InputError) as caught:
        events_of(opened(folder, data, options))
    return str(caught.value).removeprefix(str(folder / "day.itch"))


def framed(frames: list[bytes], **fields: object) -> bytes:
    """Payloads as a capture on Ethernet."""
    return capture([linked(datagram(frame)) for frame in frames], **fields)  # type: ignore[arg-type]


def test_every_message_type_is_written_and_means_what_the_plain_decoder_says(tmp_path: Path) -> None:
    assert {chr(each[0]) for each in DAY} == DTYPES.keys()
    stream = opened(tmp_path, prefixed(DAY))
    assert events_of(stream) == plain_events(DAY)
    assert stream.symbols == ["AAPL", "BRK.A"]
    assert stream.messages["add order (A)"] == 1 and stream.messages["stock directory (R)"] == 2
    assert sum(stream.messages.values()) == len(DAY)
    left_out = {"crosses of no shares": 1, "operational halts of other markets": 1, "about no order": 13}
    assert stream.left_out == left_out and not stream.faults
    assert len(plain_events(DAY)) + sum(left_out.values()) == len(DAY)


@pytest.mark.parametrize("name", ["day.itch.gz", "bare"])
def test_compressed_and_bare_files_hold_the_same(tmp_path: Path, name: str) -> None:
    data = b"".join(DAY) if name == "bare" else gzip.compress(prefixed(DAY))
    assert events_of(opened(tmp_path, data, name=name)) == plain_events(DAY)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("link_type", "vlans"), [(1, 0), (1, 1), (1, 2), (101, 0), (113, 0), (228, 0), (276, 0)])
def test_captures_of_every_link_hold_the_same(tmp_path: Path, order: str, link_type: int, vlans: int) -> None:
    frames = [linked(datagram(each), link_type, vlans) for each in packets(DAY, 4)]
    data = capture(frames, order=order, nanoseconds=vlans == 1, link_type=link_type)
    for each in (data, capture_ng(frames, order=order, link_type=link_type)):
        stream = opened(tmp_path, each)
        assert events_of(stream) == plain_events(DAY) and not stream.faults


def test_lost_and_repeated_packets_are_counted_and_the_next_event_says_so(tmp_path: Path) -> None:
    sent = packets(DAY, 4)
    lines = [sent[0], sent[0], packet([], 5), *sent[2:], packet([], 32, count=0xFFFF)]
    stream = opened(tmp_path, framed(lines))
    found = events_of(stream)
    assert stream.faults == {"gaps in the sequence": 1, "messages lost in gaps": 4}
    assert stream.left_out["repeated or late messages"] == 4
    assert stream.left_out["heartbeats"] == stream.left_out["ends of the session"] == 1
    whole = plain_events(DAY[:4] + DAY[8:])
    assert [event.flags & ~8 for event in found] == [event.flags for event in whole]
    assert [event.flags & 8 for event in found] == [0, 8] + [0] * (len(found) - 2)


def test_packets_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    sent = packets(DAY, 4)
    stream = opened(tmp_path, framed([sent[0], sent[2], sent[1], *sent[3:6], sent[7], sent[6]]))
    assert events_of(stream) == plain_events(DAY)
    assert stream.faults == {"late packets, put in order": 2}


def test_messages_lost_at_the_end_are_known_from_heartbeats(tmp_path: Path) -> None:
    stream = opened(tmp_path, framed([*packets(DAY[:28], 4), packet([], 32)]))
    assert events_of(stream) == plain_events(DAY[:28])
    assert stream.faults["messages lost in gaps"] == 3


def test_a_packet_that_repeats_in_part_gives_only_what_is_new(tmp_path: Path) -> None:
    stream = opened(tmp_path, framed([packet(DAY[:10], 1), packet(DAY[5:20], 6), packet(DAY[15:], 16)]))
    assert events_of(stream) == plain_events(DAY)
    assert stream.left_out["repeated or late messages"] == 10


def test_other_traffic_is_left_out_and_counted(tmp_path: Path) -> None:
    itch = [linked(datagram(each)) for each in packets(DAY, 4)]
    others = [
        bytes(60),
        linked(datagram(b"query")),
        linked(datagram(packet(DAY, 1), protocol=6)),
        linked(datagram(packet(DAY, 1), version=6)),
        linked(datagram(packet(DAY[:3], 1) + b"more")),
    ]
    foreign = [linked(datagram(each)) for each in packets(DAY, 8, session=b"0000000002")]
    fragment = linked(datagram(packet(DAY[:3], 1), fragment=0x2000))
    stream = opened(tmp_path, capture([*others, *itch, fragment, *foreign]))
    assert events_of(stream) == plain_events(DAY)
    assert stream.left_out["packets that are not MoldUDP64 over IPv4"] == len(others)
    assert stream.left_out["packets of another session"] == len(foreign)
    assert stream.faults == {"fragments of IP packets": 1}


def test_packets_that_were_captured_in_part_are_a_fault_and_a_gap(tmp_path: Path) -> None:
    frames = [linked(datagram(each)) for each in (packet(DAY[:2], 1), packet(DAY[2:20], 3), packet(DAY[20:], 21))]
    stream = opened(tmp_path, capture(frames, cut=300))
    events_of(stream)
    assert stream.faults["packets captured only in part"] == 2  # the second and the third are longer


def test_only_the_symbols_that_are_asked_for(tmp_path: Path) -> None:
    stream = opened(tmp_path, prefixed(DAY), ReadOptions(symbols=frozenset({"BRK.A"})))
    assert events_of(stream) == plain_events(DAY, frozenset({"BRK.A"}))
    assert stream.symbols == ["BRK.A"] and stream.left_out["of other symbols"] == 14


def test_a_symbol_that_the_file_does_not_name_is_an_error(tmp_path: Path) -> None:
    told = refusal(tmp_path, prefixed(DAY), ReadOptions(symbols=frozenset({"AAPL", "ZZZ"})))
    assert told == ": it has no symbol ZZZ among 2 symbols; see --symbols"


def test_nothing_at_the_end_or_later(tmp_path: Path) -> None:
    until = 9 * 10**9
    stream = opened(tmp_path, prefixed(DAY), ReadOptions(until_ns=until))
    assert events_of(stream) == plain_events(DAY, until_ns=until) and not stream.faults
    assert max(event.time_ns for event in plain_events(DAY, until_ns=until)) == 8 * 10**9


def test_symbols_may_be_named_late_or_never(tmp_path: Path) -> None:
    named = {"stock": "MSFT", "side": b"S", "shares": 1, "price": 1}
    messages = [
        message("D", locate=7, order_id=1),
        message("A", locate=7, order_id=2, **named),
        message("X", locate=9, order_id=3, shares=1),
    ]
    stream = opened(tmp_path, prefixed(messages))
    found = events_of(stream)
    assert [event.symbol for event in found] == ["MSFT", "MSFT", "locate 9"]


def test_a_code_that_changes_its_symbol_is_a_fault(tmp_path: Path) -> None:
    again = [message("R", 19 * 10**9, locate=1, stock="ZZZ"), message("D", 19 * 10**9, locate=1, order_id=99)]
    stream = opened(tmp_path, prefixed([*DAY, *again]))
    assert events_of(stream)[-1].symbol == "ZZZ"
    assert stream.faults == {"stock locate codes given to another symbol": 1, "times that go back": 1}


def test_times_that_go_back_are_counted(tmp_path: Path) -> None:
    stream = opened(tmp_path, prefixed([*DAY[:10], *DAY[8:9], *DAY[10:]]))
    assert len(events_of(stream)) == len(plain_events(DAY)) + 1
    assert stream.faults == {"times that go back": 1}


def test_unknown_types_are_counted_and_skipped_behind_a_length(tmp_path: Path) -> None:
    stream = opened(tmp_path, prefixed([*DAY[:5], b"z" + bytes(70), *DAY[5:]]))
    assert len(events_of(stream)) == len(plain_events(DAY))
    assert stream.messages["unknown type 0x7a"] == stream.left_out["of unknown types"] == 1
    told = refusal(tmp_path, b"".join([*DAY[:20], b"z"]))
    assert f"byte {len(b''.join(DAY[:20]))}, type: 122 is no message type" in told


def test_a_day_without_its_end_says_so(tmp_path: Path) -> None:
    stream = opened(tmp_path, prefixed(DAY[:-1], end=False))
    assert len(events_of(stream)) == len(plain_events(DAY))
    assert stream.faults == {"the end of messages (system event C) is missing": 1}


ADD = {"locate": 1, "stock": "A", "order_id": 1, "side": b"B", "shares": 1, "price": 1}


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (message("A", **ADD | {"side": b"x"}), "side: 'x' is not B or S"),
        (message("A", **ADD | {"side": b"\xff"}), "side: 0xff is not B or S"),
        (message("A", **ADD | {"shares": 0}), "shares: 0 is not a number of shares"),
        (message("A", **ADD | {"order_id": 0}), "order reference number: 0 is not the number of an order"),
        (message("U", locate=1, order_id=1, shares=1), "order reference number: 0 is not the number of an order"),
        (message("D", locate=1), "order reference number: 0 is not the number of an order"),
        (message("P", **ADD | {"side": b"C"}), "side: 'C' is not B or S"),
        (message("H", locate=1, state=b"Z"), "trading state: 'Z' is not H, P, Q or T"),
        (message("R", locate=3, stock=" A"), "stock: it is not a symbol, padded with spaces"),
        (message("S", 86_400 * 10**9), "timestamp: 86400000000000 ns is beyond the end of the day"),
        (message("A", **ADD)[:30], "length: 30 is not 36, that of type A"),
    ],
)  # fmt: skip
def test_a_message_that_cannot_be_is_named(tmp_path: Path, bad: bytes, said: str) -> None:
    ahead = DAY[:20]
    at = len(prefixed(ahead, end=False)) + 2
    told = refusal(tmp_path, prefixed([*ahead, bad, *DAY[20:]]))
    assert told == f", message 21 at byte {at:,}, {said}; the file is damaged or no ITCH 5.0"
    if len(bad) in {len(message("A")), len(message("D"))}:
        with pytest.raises(BadMessageError):
            plain_events([*ahead, bad])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty; expected ITCH messages"),
        (struct.pack("<H", 12) + DAY[0], "the lengths of its messages are little-endian"),
        (prefixed([b"T\0\0\0\1", b"S\0\0\0\0O"]), "it begins with a message of seconds (type T): ITCH 4.1 or older"),
        (prefixed([DAY[8][:34]]), "its first message, add order (A), has 34 bytes, and in ITCH 5.0 36"),
        (b"time,type\n1,2\n", "it begins with 74 69 6d 65 2c 74 79 70: neither ITCH 5.0 messages"),
        (bytes(2), "it holds no ITCH message"),
        (framed([b"query", b"answer"]), "it holds no ITCH message in 2 other packets"),
    ],
)
def test_what_is_no_itch_is_named(tmp_path: Path, data: bytes, said: str) -> None:
    assert refusal(tmp_path, data).startswith(f": {said}")


def test_faults_of_a_capture_are_named(tmp_path: Path) -> None:
    good = framed(packets(DAY, 4))
    assert "byte 20, link type: 147 is not one that is read" in refusal(tmp_path, good[:20] + b"\x93" + good[21:])
    long = bytearray(good)
    long[24 + 8 : 24 + 12] = b"\xff" * 4
    assert "byte 32, captured length: 4294967295 is above 262144" in refusal(tmp_path, bytes(long))
    far = [packet(DAY[:4], 1), packet(DAY[4:], 1 << 40)]
    assert "sequence number: 1099511627776 cannot follow 5" in refusal(tmp_path, framed(far))


def test_faults_of_a_pcapng_are_named(tmp_path: Path) -> None:
    frames = [linked(datagram(each)) for each in packets(DAY, 4)]
    good = capture_ng(frames)
    interface, first = good.index(struct.pack("<II", 1, 20)), good.index(struct.pack("<I", 6), 80)
    assert "link type: 147 is not one that is read" in refusal(tmp_path, capture_ng(frames, link_type=147))
    for at, number, said in (
        (4, 27, "byte 4, block length: 27 is not that of a block"),
        (interface + 16, 24, f"byte {interface + 4}, block length: 20 is not that of a block"),
        (first + 8, 7, f"byte {first + 8}, interface: 7 is not described"),
        (first + 20, 999, f"byte {first + 20}, captured length: 999 is above"),
    ):
        bad = good[:at] + struct.pack("<I", number) + good[at + 4 :]
        assert said in refusal(tmp_path, bad)
    short = good[:interface] + struct.pack("<III", 6, 12, 12) + good[interface:]
    assert f"byte {interface + 4}, block length: it is too short" in refusal(tmp_path, short)
    stream = opened(tmp_path, capture_ng(frames, cut=200))
    events_of(stream)
    assert stream.faults["packets captured only in part"] > 0


def test_bytes_behind_the_end_of_the_session_are_an_error(tmp_path: Path) -> None:
    assert "length: there are bytes behind the end of the session" in refusal(tmp_path, prefixed(DAY) + bytes(3))


FRAMINGS = {"prefixed": prefixed(DAY), "bare": b"".join(DAY), "capture": framed(packets(DAY, 4))}
FRAMINGS["pcapng"] = capture_ng([linked(datagram(each)) for each in packets(DAY, 4)])
SHORT = [*DAY[:3], *DAY[8:10], DAY[-1]]
CUT = {"prefixed": prefixed(SHORT), "bare": b"".join(SHORT), "capture": framed(packets(SHORT, 3))}
CUT["pcapng"] = capture_ng([linked(datagram(each)) for each in packets(SHORT, 3)])


@pytest.mark.parametrize("framing", CUT)
def test_every_cut_is_an_error_or_loses_only_what_is_behind_it(tmp_path: Path, framing: str) -> None:
    whole = plain_events(SHORT)
    read = 0
    for end in range(len(CUT[framing])):
        try:
            found = events_of(opened(tmp_path, CUT[framing][:end]))
        except InputError as error:
            assert end < 30 or "the file ends after" in str(error) or "it holds no ITCH message" in str(error)
        else:
            read += 1
            assert found == whole[: len(found)]
    assert read <= 2 * len(SHORT)  # where a message, or the mark of the end, ends


def test_large_files_are_read_in_blocks_whose_memory_is_used_again(tmp_path: Path) -> None:
    count = 3 * EVENTS_MAX
    adds = rows(
        "A", count, np.arange(count), locate=1, order_id=1 + np.arange(count), side=b"S", shares=1, stock=b"A       "
    )
    stream = opened(tmp_path, interleaved([(np.arange(count), adds)]).tobytes())
    sizes, where, ids = [], set(), 0
    for block in stream.blocks:
        sizes.append(len(block))
        where.add(block.ctypes.data)
        assert (np.diff(block["order_id"].astype(np.int64)) == 1).all() and block["order_id"][0] == ids + 1
        ids += len(block)
    assert ids == count and len(where) == 1 and max(sizes) == EVENTS_MAX


@pytest.mark.parametrize("data", FRAMINGS.values(), ids=FRAMINGS)
def test_a_file_is_recognized_by_content(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "unnamed"
    path.write_bytes(data)
    assert reader_of(path).name == "itch"


@pytest.mark.parametrize(
    "name", ["01302019.NASDAQ_ITCH50.gz", "S081321-v50.txt.gz", "20190730.BX_ITCH_50.gz", "a.pcap", "b.itch"]
)
def test_a_file_is_recognized_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"not told by its content")
    assert reader_of(path).name == "itch"
