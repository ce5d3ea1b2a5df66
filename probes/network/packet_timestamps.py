"""When a packet left this host and when it came, by the kernel's and by the network card's clock (SO_TIMESTAMPING).

See Documentation/networking/timestamping.rst of Linux. The kernel stamps a packet where it hands it to the driver, and
where the driver hands it over: outside of system calls, scheduling and this program. A card stamps it at the wire, if
it can and someone has switched that on; nothing here changes a card's settings.
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
_TX_BOTH = 1 << 14  # SOF_TIMESTAMPING_OPT_TX_SWHW: not only the better of the two
_FLAGS: Final = _TX_HARDWARE | _TX_SOFTWARE | _RX_HARDWARE | _RX_SOFTWARE | _SOFTWARE | _RAW_HARDWARE | _TX_BOTH
_STAMPS: Final = struct.Struct("@6q")  # scm_timestamping: seconds and nanoseconds, by the kernel, unused, by the card
_PACKET_BYTES: Final = 2048
_ANCILLARY_BYTES: Final = 512


class StampsError(UsageError):
    """A system, such as some sandboxes, that cannot tell when packets left and came."""


@dataclass(frozen=True, slots=True)
class Stamps:
    """One packet's times, each in ns of its own clock: only differences on one clock mean something."""

    kernel_ns: int | None = None
    hardware_ns: int | None = None

    def merged(self, other: Stamps) -> Stamps:
        """Both of them; the kernel reports them one after the other."""
        return Stamps(
            self.kernel_ns if other.kernel_ns is None else other.kernel_ns,
            self.hardware_ns if other.hardware_ns is None else other.hardware_ns,
        )


@dataclass(frozen=True, slots=True)
class Packet:
    """One that came."""

    data: bytes
    stamps: Stamps
    sender: tuple[str, int]
    ancillary: Ancillary


def can_stamp() -> bool:
    """Whether this platform stamps packets."""
    return sys.platform.startswith("linux")


def enable_stamps(on: socket.socket) -> None:
    """Have packets of this socket stamped, both ways. Raises `StampsError`, with the socket closed."""
    try:
        on.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, _FLAGS)
    except OSError as error:
        on.close()
        raise StampsError(
            f"this kernel does not stamp packets (SO_TIMESTAMPING: {error.strerror}); run outside of its sandbox"
        ) from error


def received_packet(on: socket.socket) -> Packet | None:
    """The next packet that has come; None when there is none. Raises `OSError`."""
    try:
        data, ancillary, _, sender = on.recvmsg(_PACKET_BYTES, _ANCILLARY_BYTES)
    except BlockingIOError:
        return None
    return Packet(data, stamps_in(ancillary), sender, ancillary)


def sent_packets(on: socket.socket) -> Iterator[tuple[bytes, Stamps]]:
    """What the kernel has reported of packets sent: the packet, of which headers may be a part, and a stamp."""
    while True:
        try:
            data, ancillary, _, _ = on.recvmsg(_PACKET_BYTES, _ANCILLARY_BYTES, socket.MSG_ERRQUEUE)
        except BlockingIOError:
            return
        yield data, stamps_in(ancillary)


def stamps_in(ancillary: Iterable[tuple[int, int, bytes]]) -> Stamps:
    """The stamps among a packet's ancillary data; zeros are how the kernel says that there is none."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPING) and len(data) == _STAMPS.size:
            seconds, rest, _, _, card_seconds, card_rest = _STAMPS.unpack(data)
            kernel_ns, hardware_ns = seconds * 10**9 + rest, card_seconds * 10**9 + card_rest
            return Stamps(kernel_ns or None, hardware_ns or None)
    return Stamps()
