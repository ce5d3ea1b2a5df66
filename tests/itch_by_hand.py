"""Writes NASDAQ TotalView-ITCH 5.0: messages of every type as numpy rows, their framings, MoldUDP64 packets, captures.

The layouts are typed from the specification ("Nasdaq TotalView-ITCH 5.0",
https://www.nasdaqtrader.com/content/technicalsupport/specifications/dataproducts/NQTVITCHSpecification.pdf), apart from
those of the decoder under test.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_HEAD: Final = "type:S1 locate:>u2 tracking:>u2 time_high:>u2 time_low:>u4"
_ADD: Final = "order_id:>u8 side:S1 shares:>u4 stock:S8 price:>u4"
_EXECUTED: Final = "order_id:>u8 shares:>u4 match:>u8"
_FIELDS: Final[Mapping[str, str]] = {
    "S": "event_code:S1",
    "R": "stock:S8 category:S1 status:S1 round_lot:>u4 round_lots_only:S1 classification:S1 sub_type:S2 authenticity:S1"
    " short_sale:S1 ipo:S1 luld_tier:S1 etp:S1 leverage:>u4 inverse:S1",
    "H": "stock:S8 state:S1 reserved:S1 reason:S4",
    "Y": "stock:S8 action:S1",
    "L": "mpid:S4 stock:S8 primary:S1 mode:S1 state:S1",
    "V": "level_1:>u8 level_2:>u8 level_3:>u8",
    "W": "level:S1",
    "K": "stock:S8 release_time:>u4 qualifier:S1 price:>u4",
    "J": "stock:S8 reference:>u4 upper:>u4 lower:>u4 extension:>u4",
    "h": "stock:S8 market:S1 action:S1",
    "A": _ADD,
    "F": f"{_ADD} mpid:S4",
    "E": _EXECUTED,
    "C": f"{_EXECUTED} printable:S1 price:>u4",
    "X": "order_id:>u8 shares:>u4",
    "D": "order_id:>u8",
    "U": "order_id:>u8 new_id:>u8 shares:>u4 price:>u4",
    "P": f"{_ADD} match:>u8",
    "Q": "shares:>u8 stock:S8 price:>u4 match:>u8 cross:S1",
    "B": "match:>u8",
    "I": "paired:>u8 imbalance:>u8 direction:S1 stock:S8 far:>u4 near:>u4 reference:>u4 cross:S1 variation:S1",
    "N": "stock:S8 interest:S1",
    "O": "stock:S8 eligible:S1 lowest:>u4 highest:>u4 near:>u4 near_time:>u8 lower:>u4 upper:>u4",
}


def _dtype(fields: str) -> np.dtype[np.void]:
    return np.dtype([tuple(field.split(":")) for field in f"{_HEAD} {fields}".split()])


DTYPES: Final[Mapping[str, np.dtype[np.void]]] = {kind: _dtype(fields) for kind, fields in _FIELDS.items()}
"""The layout of each message type."""


def rows(kind: str, count: int, time_ns: NDArray[np.int64] | int, **columns: object) -> NDArray[np.void]:
    """That many messages of a type; fields that are not given are 0, and text is padded with spaces."""
    made = np.zeros(count, DTYPES[kind])
    made["type"] = kind.encode()
    made["time_high"] = np.asarray(time_ns) >> 32
    made["time_low"] = np.asarray(time_ns) & 0xFFFF_FFFF
    for name, column in columns.items():
        made[name] = column
    return made


def padded(stock: str) -> bytes:
    """A symbol as it stands in a message."""
    return stock.encode().ljust(8)


def message(kind: str, time_ns: int = 0, **fields: object) -> bytes:
    """One message; `stock` may be text."""
    named = {name: padded(value) if name == "stock" else value for name, value in fields.items()}  # type: ignore[arg-type]
    return rows(kind, 1, time_ns, **named).tobytes()


def prefixed(messages: Iterable[bytes], *, end: bool = True) -> bytes:
    """Each behind its length in two bytes; a length of zero ends the session."""
    return b"".join(struct.pack(">H", len(each)) + each for each in messages) + bytes(2) * end


def interleaved(
    parts: Sequence[tuple[NDArray[np.int64], NDArray[np.void]]], *, prefix: bool = True
) -> NDArray[np.uint8]:
    """The messages of all parts, each at its position among 0, 1, ... of all, as bytes."""
    ahead = 2 if prefix else 0
    lengths = np.zeros(sum(len(positions) for positions, _ in parts), np.int64)
    for positions, messages in parts:
        lengths[positions] = messages.dtype.itemsize + ahead
    ends = np.cumsum(lengths)
    data = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    for positions, messages in parts:
        size = messages.dtype.itemsize
        whole = np.empty((len(messages), size + ahead), np.uint8)
        whole[:, ahead:] = messages.view(np.uint8).reshape(-1, size)
        whole[:, :ahead] = np.array([size], ">u2").view(np.uint8)[2 - ahead :] if prefix else 0
        starts = ends[positions] - (size + ahead)
        # A window on the data at each byte, so that rows are copied whole.
        windows = np.lib.stride_tricks.sliding_window_view(data, size + ahead, writeable=True)
        windows[starts] = whole
    return data


def packet(messages: Sequence[bytes], first: int, session: bytes = b"0000000001", count: int | None = None) -> bytes:
    """A MoldUDP64 packet with the messages from number `first` on."""
    said = len(messages) if count is None else count
    return struct.pack(">10sQH", session, first, said) + prefixed(messages, end=False)


def packets(messages: Sequence[bytes], each: int, first: int = 1, session: bytes = b"0000000001") -> list[bytes]:
    """Packets with `each` messages."""
    return [packet(messages[at : at + each], first + at, session) for at in range(0, len(messages), each)]


def datagram(payload: bytes, *, protocol: int = 17, fragment: int = 0, version: int = 4) -> bytes:
    """UDP over IPv4, with options in the IP header, which is legal and rare."""
    udp = struct.pack(">HHHH", 26_400, 26_400, 8 + len(payload), 0) + payload
    head = struct.pack(
        ">BBHHHBBHII", version << 4 | 6, 0, 24 + len(udp), 0, fragment, 64, protocol, 0, 0x0A000001, 0xE9360C6F
    )
    return head + bytes(4) + udp


def linked(ip: bytes, link_type: int = 1, vlans: int = 0) -> bytes:
    """An IP packet behind the header of its link; Ethernet pads what is shorter than 60 bytes."""
    tags = b"".join(struct.pack(">HH", 0x88A8 if n == 0 and vlans > 1 else 0x8100, 100 + n) for n in range(vlans))
    heads = {
        1: bytes(12) + tags + b"\x08\x00",
        101: b"",
        113: bytes(14) + b"\x08\x00",
        228: b"",
        276: b"\x08\x00" + bytes(18),
    }
    framed = heads[link_type] + ip
    return framed.ljust(60, b"\0") if link_type == 1 else framed


def capture(
    frames: Iterable[bytes], *, order: str = "<", nanoseconds: bool = False, link_type: int = 1, cut: int = 1 << 18
) -> bytes:
    """A classic pcap file; of each frame `cut` bytes were captured."""
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    data = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 1 << 18, link_type)]
    for frame in frames:
        data += [struct.pack(f"{order}IIII", 0, 0, min(cut, len(frame)), len(frame)), frame[:cut]]
    return b"".join(data)


def capture_ng(frames: Iterable[bytes], *, order: str = "<", link_type: int = 1, cut: int = 1 << 18) -> bytes:
    """A pcapng file, with blocks that are passed over, a simple packet first, and options behind the others."""
    frames = list(frames)

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        length = struct.pack(f"{order}I", 12 + len(body))
        return struct.pack(f"{order}I", kind) + length + body + length

    data = [
        block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1)),
        block(4, b"names"),
        block(1, struct.pack(f"{order}HHI", link_type, 0, 0)),
        *[block(3, struct.pack(f"{order}I", len(simple)) + simple) for simple in frames[:1]],
    ]
    for frame in frames[1:]:
        head = struct.pack(f"{order}IIIII", 0, 1, 2, min(cut, len(frame)), len(frame))
        kept = frame[:cut]
        data.append(block(6, head + kept + bytes(-len(kept) % 4) + bytes(8)))
    return b"".join(data)


def small_day() -> list[bytes]:
    """A message of every type, in an order that makes sense, for two symbols."""
    second = 10**9
    apple, other = {"locate": 1, "stock": "AAPL"}, {"locate": 2, "stock": "BRK.A"}
    order = {"order_id": 11, "side": b"B", "shares": 300, "price": 1_850_000}
    return [
        message("S", 1 * second, event_code=b"O"),
        message("R", 2 * second, **apple, round_lot=100),
        message("R", 2 * second, **other, round_lot=1),
        message("H", 3 * second, **apple, state=b"T"),
        message("Y", 3 * second, **apple, action=b"0"),
        message("L", 3 * second, **apple, mpid=b"ABCD", primary=b"Y", mode=b"N", state=b"A"),
        message("V", 4 * second, level_1=1, level_2=2, level_3=3),
        message("K", 4 * second, **apple, release_time=34_200, qualifier=b"A", price=1_800_000),
        message("A", 5 * second, **apple, **order),
        message("F", 6 * second, **other, order_id=12, side=b"S", shares=5, price=4_000_000_000, mpid=b"WXYZ"),
        message("O", 6 * second, **other, eligible=b"Y", lowest=1, highest=2, near=3, near_time=4, lower=5, upper=6),
        message("I", 7 * second, **apple, paired=10, imbalance=20, direction=b"B", cross=b"O"),
        message("Q", 8 * second, **apple, shares=5_000_000_000, price=1_851_000, match=1, cross=b"O"),
        message("Q", 8 * second, **other, shares=0, price=0, match=2, cross=b"O"),
        message("C", 8 * second, locate=1, order_id=11, shares=50, match=1, printable=b"N", price=1_851_000),
        message("E", 9 * second, locate=1, order_id=11, shares=100, match=3),
        message("C", 10 * second, locate=1, order_id=11, shares=10, match=4, printable=b"Y", price=1_849_900),
        message("X", 11 * second, locate=1, order_id=11, shares=40),
        message("U", 12 * second, locate=1, order_id=11, new_id=13, shares=80, price=1_849_800),
        message("P", 13 * second, **apple, side=b"B", shares=70, price=1_850_100, match=5),
        message("B", 14 * second, locate=1, match=5),
        message("N", 14 * second, **apple, interest=b"A"),
        message("J", 15 * second, **apple, reference=1, upper=2, lower=3, extension=1),
        message("W", 15 * second, level=b"1"),
        message("H", 16 * second, **apple, state=b"H", reason=b"T1  "),
        message("h", 16 * second, **other, market=b"Q", action=b"H"),
        message("h", 16 * second, **other, market=b"B", action=b"H"),
        message("H", 17 * second, **apple, state=b"Q"),
        message("H", 18 * second, **apple, state=b"T"),
        message("D", 19 * second, locate=1, order_id=13),
        message("S", 20 * second, event_code=b"C"),
    ]
