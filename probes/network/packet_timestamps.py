"""When a packet left and reached this host, by the kernel's and by the network card's clock (SO_TIMESTAMPING).

See Documentation/networking/timestamping.rst of Linux. The kernel timestamps a packet when it passes it to the driver
or receives it from the driver: outside of system calls, scheduling and this program. A card timestamps it at the wire,
if supported and enabled; nothing here changes a card's settings.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from lowlat.errors import UsageError

Ancillary: TypeAlias = list[tuple[int, int, bytes]]

SO_TIMESTAMPING: Final = 37  # asm-generic/socket.h; its messages are of the same type
_TX_HARDWARE, _TX_SOFTWARE, _RX_HARDWARE, _RX_SOFTWARE, _SOFTWARE, _RAW_HARDWARE = 1, 2, 4, 8, 16, 64
_TX_BOTH = 1 << 14  # SOF_TIMESTAMPING_OPT_TX_SWHW: both software and hardware
_FLAGS: Final = _TX_HARDWARE | _TX_SOFTWARE | _RX_HARDWARE | _RX_SOFTWARE | _SOFTWARE | _RAW_HARDWARE | _TX_BOTH
_STAMPS: Final = struct.Struct("@6q")  # scm_timestamping: seconds and nanoseconds, by the kernel, unused, by the card
_PACKET_BYTES: Final = 2048
_ANCILLARY_BYTES: Final = 512


@dataclass(frozen=True, slots=True)
class Stamps:
    """One packet's timestamps, each in ns of its own clock: only differences on the same clock are meaningful."""

    kernel_ns: int | None = None
    hardware_ns: int | None = None

    def merged(self, other: Stamps) -> Stamps:
        """The two combined; the kernel reports them one after the other."""
        return Stamps(
            self.kernel_ns if other.kernel_ns is None else other.kernel_ns,
            self.hardware_ns if other.hardware_ns is None else other.hardware_ns,
        )


@dataclass(frozen=True, slots=True)
class Packet:
    """A received packet."""

    data: bytes
    stamps: Stamps
    sender: tuple[str, int]
    ancillary: Ancillary


def can_stamp() -> bool:
    """Whether this platform can timestamp packets."""
    return sys.platform.startswith("linux")


def enable_stamps(on: socket.socket) -> None:
    """Enable packet timestamps on this socket, both ways. On failure, closes the socket and raises `UsageError`."""
    try:
        on.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, _FLAGS)
    except OSError as error:
        on.close()
        raise UsageError(
            f"this kernel does not timestamp packets (SO_TIMESTAMPING: {error.strerror}); run outside of its sandbox"
        ) from error


def received_packet(on: socket.socket) -> Packet | None:
    """The next received packet; None if there is none. Raises `OSError`."""
    try:
        data, ancillary, _, sender = on.recvmsg(_PACKET_BYTES, _ANCILLARY_BYTES)
    except BlockingIOError:
        return None
    return Packet(data, stamps_in(ancillary), sender, ancillary)


def sent_packets(on: socket.socket) -> Iterator[tuple[bytes, Stamps]]:
    """The kernel's reports on sent packets: the packet, possibly with headers, and a timestamp."""
    while True:
        try:
            data, ancillary, _, _ = on.recvmsg(_PACKET_BYTES, _ANCILLARY_BYTES, socket.MSG_ERRQUEUE)
        except BlockingIOError:
            return
        yield data, stamps_in(ancillary)


def stamps_in(ancillary: Iterable[tuple[int, int, bytes]]) -> Stamps:
    """The timestamps in a packet's ancillary data; zeros mean that there is none."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPING) and len(data) == _STAMPS.size:
            seconds, rest, _, _, card_seconds, card_rest = _STAMPS.unpack(data)
            kernel_ns, hardware_ns = seconds * 10**9 + rest, card_seconds * 10**9 + card_rest
            return Stamps(kernel_ns or None, hardware_ns or None)
    return Stamps()
