"""NASDAQ TotalView-ITCH 5.0 files as level-3 events, whole days in bounded memory. BX and PSX have the same format.

"Nasdaq TotalView-ITCH 5.0":
https://www.nasdaqtrader.com/content/technicalsupport/specifications/dataproducts/NQTVITCHSpecification.pdf. Times count
from midnight in New York; prices are integers of 10^-4 dollar (`UNIT`).

The first bytes tell how a file holds its messages (`framing.py`): each behind its length in two bytes, as the files of
emi.nasdaq.com (BinaryFILE); back to back; or in a capture (pcap, pcapng) of MoldUDP64 packets.

How each message is converted
-----------------------------
A F add                    ADD
E execute                  EXECUTE, NO_SIDE, NO_PRICE: it trades at its own price
C execute with price       EXECUTE, NO_SIDE; with AUCTION if it is not printable: the cross prints it
X cancel                   REDUCE, NO_SIDE, NO_PRICE
D delete                   CANCEL, NO_SIDE, NO_PRICE
U replace                  REPLACE with the new id, NO_SIDE
P trade                    TRADE, with an order that was not displayed
Q cross                    CROSS, unless no shares were crossed
B broken trade             BUST
H trading action           PHASE: T `CONTINUOUS`, Q (quotation only) `CALL`, H and P `HALTED`
h operational halt         the same, if Nasdaq's own (market Q); those of BX and PSX do not stop the books of the others
S R Y L V W K J I N O      no event: counted
unknown types              counted, and skipped where the length is told; where messages are back to back, an error

Every event is the last of its group (LAST). The symbol is that of the stock locate code. A directory message (R) names
it, or any other that has the name; a code that none has named is `locate NUMBER`.

Captures: the first MoldUDP64 session is read, each message once and in order, from one line or both. A packet that is
too early is held until the one ahead of it comes. That one is lost once 256 packets wait, or at the end: its messages
are counted, and the next event has GAP.
"""

from __future__ import annotations

import re
from typing import Final

from lowlat.compression import COMPRESSED
from lowlat.engine._core import itch_messages
from lowlat.engine.flow.readers.itch.file import open_itch
from lowlat.engine.flow.readers.itch.framing import CAPTURES, PCAPNG
from lowlat.engine.flow.registry import Reader

_SUFFIXES: Final = (".itch", ".itch50", ".nasdaq_itch50", ".bx_itch_50", ".psx_itch_50", "-v50.txt", ".pcap", ".pcapng")


def _beginnings() -> bytes:
    """The first bytes of a capture; of a message behind its length; of a system event and the message behind it."""
    messages = [(kind.encode(), length) for kind, length, _ in itch_messages()]
    captures = [re.escape(magic) for magic in sorted((*CAPTURES, PCAPNG))]
    prefixed = [b"\\x00" + re.escape(bytes([length])) + kind for kind, length in messages]
    bare = rb"S\x00\x00..[\x00-\x4e].{5}[OSQMEC][" + b"".join(kind for kind, _ in messages) + b"]"
    return b"(?s:" + b"|".join([*captures, *prefixed, bare]) + b")"


def _kind(start: bytes) -> str:
    return "pcap capture" if start[:4] in CAPTURES else "pcapng capture" if start[:4] == PCAPNG else "NASDAQ ITCH file"


READER: Final = Reader(
    name="itch",
    noun="NASDAQ ITCH file",
    sentence="a NASDAQ TotalView-ITCH 5.0 file, or a .pcap or .pcapng of its MoldUDP64 packets",
    begins=re.compile(_beginnings()),
    suffixes=tuple(f"{suffix}{packed}" for suffix in _SUFFIXES for packed in ("", *COMPRESSED)),
    kind=_kind,
    open=open_itch,
)
