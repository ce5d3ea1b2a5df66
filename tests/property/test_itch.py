"""The native ITCH decoder agrees with the plain one, whatever the messages, the framing and the pieces of the file."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowlat.engine._core import ITCH_EVENTS_MIN, ItchFraming, ItchStream
from lowlat.engine.feed.records import ORDER_EVENT, OrderAction, OrderEventFlag, OrderEvents
from tests.itch_by_hand import DTYPES, capture, capture_ng, datagram, linked, message, packets, prefixed, small_day
from tests.plain_itch import BadMessageError, PlainEvent, plain_events, readable
from tests.property.strategies import PROPERTY

SYMBOLS = ("A", "AAPL", "BRK.A", "ZXZZT")
_CODES = {
    "event_code": "OSQMEC",
    "state": "HPQT",
    "side": "BS",
    "printable": "YN",
    "market": "QBX",
    "action": "HT",
}


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A message whose fields are right, or seldom cut, of an unknown type or with any bytes at all."""
    kind = draw(st.sampled_from(sorted(DTYPES)))
    number = draw(st.integers(0, len(SYMBOLS) - 1))
    fields: dict[str, object] = {"locate": number + 1}
    for name in (DTYPES[kind].names or ())[5:]:
        size = DTYPES[kind][name].itemsize
        if name == "stock":
            fields[name] = SYMBOLS[number]
        elif name in _CODES:
            fields[name] = draw(st.sampled_from(_CODES[name])).encode()
        elif DTYPES[kind][name].kind == "u":
            fields[name] = draw(st.integers(1, 2 ** (8 * size) - 1))
    made = message(kind, draw(st.integers(0, 86_400 * 10**9 - 1)), **fields)
    match draw(st.integers(0, 40)):
        case 0:
            return made[:-1]
        case 1:
            return b"z" + made[1:]
        case 2:
            at = draw(st.integers(1, len(made) - 1))
            return made[:at] + draw(st.binary(min_size=1, max_size=1)) + made[at + 1 :]
    return made


def native_events(
    data: bytes, framing: ItchFraming, cuts: list[int], wanted: frozenset[str], until_ns: int | None
) -> list[PlainEvent]:
    """The events of bytes that come in pieces. Raises `BadMessageError` at a fault."""
    stream = ItchStream(framing, sorted(wanted), until_ns)
    events, found = np.empty(ITCH_EVENTS_MIN, ORDER_EVENT), []
    for begin, end in pairwise(sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})):
        start, piece = 0, data[begin:end]
        while start < len(piece):
            used, count = stream.decode(piece, start, events)
            found.append(events[:count].copy())
            start += used
    while count := stream.finish(events):
        found.append(events[:count].copy())
    if stream.fault is not None:
        raise BadMessageError(stream.fault[1])
    return [event for block in found for event in readable(block, stream.symbols_from(0))]


def framed(day: list[bytes], framing: ItchFraming, each: int, mixed: random.Random | None = None) -> bytes:
    """A file; of a capture, the packets behind the first may be out of order."""
    if framing is ItchFraming.PREFIXED:
        return prefixed(day)
    if framing is ItchFraming.BARE:
        return b"".join(day)
    sent = packets(day, each)
    late = sent[1:]
    if mixed is not None:
        mixed.shuffle(late)
    frames = [linked(datagram(packet)) for packet in [*sent[:1], *late]]
    return capture(frames) if framing is ItchFraming.PCAP else capture_ng(frames)


@PROPERTY
@given(
    day=st.lists(messages(), max_size=40),
    framing=st.sampled_from(ItchFraming),
    each=st.integers(1, 9),
    cuts=st.lists(st.integers(0, 4_000), max_size=6),
    wanted=st.frozensets(st.sampled_from(SYMBOLS), max_size=2),
    until_ns=st.none() | st.integers(0, 86_400 * 10**9),
    mixed=st.randoms(),
)
def test_the_decoders_agree(
    day: list[bytes],
    framing: ItchFraming,
    each: int,
    cuts: list[int],
    wanted: frozenset[str],
    until_ns: int | None,
    mixed: random.Random,
) -> None:
    if framing is ItchFraming.BARE:  # where nothing tells a length, a message of another one is a file of another kind
        day = [each for each in day if each[:1].decode() in DTYPES and len(each) == DTYPES[chr(each[0])].itemsize]
    data = framed(day, framing, each, mixed)
    try:
        expected = plain_events(day, wanted, 86_400 * 10**9 if until_ns is None else until_ns)
    except BadMessageError as bad:
        with pytest.raises(BadMessageError) as caught:
            native_events(data, framing, cuts, wanted, until_ns)
        assert caught.value.args == bad.args
    else:
        assert native_events(data, framing, cuts, wanted, until_ns) == expected


@PROPERTY
@given(data=st.data(), framing=st.sampled_from(ItchFraming))
def test_any_change_of_a_file_is_a_fault_or_is_read_to_the_end(data: st.DataObject, framing: ItchFraming) -> None:
    day = bytearray(framed(small_day(), framing, 4))
    for at, byte in data.draw(st.lists(st.tuples(st.integers(0, len(day) - 1), st.integers(0, 255)), max_size=8)):
        day[at] = byte
    try:
        found = native_events(bytes(day), framing, [], frozenset(), None)
    except BadMessageError:
        return
    assert all(event.action in set(OrderAction) for event in found)


def _changed(
    field: str, change: Callable[[OrderEvents], object], *actions: OrderAction
) -> Callable[[OrderEvents], None]:
    def spoil(events: OrderEvents) -> None:
        chosen = np.isin(events["action"], actions) if actions else np.ones(len(events), bool)
        events[field][chosen] = np.asarray(change(events[chosen]))

    return spoil


BROKEN: dict[str, Callable[[OrderEvents], None]] = {
    "sides swapped": _changed("side", lambda events: events["side"] ^ 1, OrderAction.ADD),
    "a cancel takes a part": _changed("action", lambda _: OrderAction.REDUCE, OrderAction.CANCEL),
    "the replaced order keeps its id": _changed("other_id", lambda events: events["order_id"], OrderAction.REPLACE),
    "a hidden trade is of a displayed order": _changed("action", lambda _: OrderAction.EXECUTE, OrderAction.TRADE),
    "rows from 0": _changed("row", lambda events: events["row"] - 1),
    "symbols of other codes": _changed("symbol", lambda events: events["symbol"] ^ 1),
    "the cross is printed twice": _changed(
        "flags", lambda events: events["flags"] & (OrderEventFlag.AUCTION - 1), OrderAction.EXECUTE
    ),
    "a halt is a call": _changed("quantity", lambda events: np.minimum(events["quantity"], 1), OrderAction.PHASE),
    "32 bits of shares": _changed("quantity", lambda events: events["quantity"] & 0xFFFF_FFFF, OrderAction.CROSS),
    "signed prices": _changed("price", lambda events: events["price"].astype(np.int32), OrderAction.ADD),
    "microseconds": _changed("time_ns", lambda events: events["time_ns"] // 1_000),
}


@pytest.mark.parametrize("fault", [None, *BROKEN])
def test_a_broken_decoder_is_told_from_a_right_one(fault: str | None) -> None:
    stream = ItchStream(ItchFraming.PREFIXED, [], None)
    events = np.zeros(ITCH_EVENTS_MIN, ORDER_EVENT)
    _, count = stream.decode(prefixed(small_day()), 0, events)
    if fault is not None:
        BROKEN[fault](events[:count])
    assert (readable(events[:count], stream.symbols_from(0)) == plain_events(small_day())) == (fault is None)
