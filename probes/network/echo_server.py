"""The echo responder for `peer.py`. Each response reports how long an earlier request stayed here.

Anyone can send to an open port, with any source address. So a response is never longer than its request, a request has
at most one response, and only requests are answered: an attacker cannot make two of these servers loop. The state
kept about clients is bounded.
"""

from __future__ import annotations

import select
import socket
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, NoReturn

from lowlat.errors import UsageError
from lowlat.probes.network.echo import ANSWER, QUESTION, SIZE, UNKNOWN_NS, EchoMessage, unpacked
from lowlat.probes.network.packet_timestamps import (
    Ancillary,
    Packet,
    Stamps,
    can_stamp,
    enable_stamps,
    received_packet,
    sent_packets,
)
from lowlat.probes.network.peer_address import shown_address

KEYS_MAX: Final = 256
"""Of those who ask, remembered at once; the one silent for longest is forgotten first."""

_IP_PKTINFO: Final = 8  # linux/in.h; `socket` has it from Python 3.14


@dataclass(slots=True)
class _Stay:
    """The latest request of a key, and when its response left."""

    sequence: int
    came: Stamps
    left: Stamps = field(default_factory=Stamps)


class EchoServer:
    """Responds until interrupted. `port` 0 takes a free one; without `address`, listens on all, IPv6 and IPv4.

    Raises `UsageError`.
    """

    def __init__(self, port: int, address: str | None = None) -> None:
        if not can_stamp():
            raise UsageError("this platform does not timestamp packets; listen on Linux")
        self.answered = 0
        self.ignored = 0
        self._stays: OrderedDict[bytes, _Stay] = OrderedDict()
        self._socket = _bound(port, address)
        self._socket.setblocking(False)

    def __enter__(self) -> EchoServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def address(self) -> str:
        """The address it listens on, in the form that `--peer` accepts."""
        return shown_address(*self._socket.getsockname()[:2])

    @property
    def port(self) -> int:
        """The UDP port."""
        return int(self._socket.getsockname()[1])

    def run(self) -> NoReturn:
        """Respond until an exception such as KeyboardInterrupt."""
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        while True:
            waiting.poll()
            self._note_departures()
            self._answer_next()

    def _note_departures(self) -> None:
        """Record when responses left; the tail of each reported packet is the response itself."""
        for data, stamps in sent_packets(self._socket):
            message = unpacked(data[-SIZE:])
            stay = self._stays.get(message.key) if message else None
            if message and stay and stay.sequence == message.sequence:
                stay.left = stay.left.merged(stamps)

    def _answer_next(self) -> None:
        try:
            packet = received_packet(self._socket)
        except OSError:  # the error of an earlier response, such as an unreachable network
            return
        if packet is None:
            return
        question = unpacked(packet.data)
        if question is None or question.kind != QUESTION:
            self.ignored += 1
            return
        earlier = self._stays.pop(question.key, None)
        self._stays[question.key] = _Stay(question.sequence, packet.stamps)
        if len(self._stays) > KEYS_MAX:
            self._stays.popitem(last=False)
        self._send(_answer_to(question, earlier), packet)

    def _send(self, answer: EchoMessage, to: Packet) -> None:
        try:
            self._socket.sendmsg([answer.packed()], _sent_from(to.ancillary), 0, to.sender)
        except OSError:  # a forged address that cannot be reached, or no buffer space: the response is lost
            self.ignored += 1
        else:
            self.answered += 1


def _answer_to(question: EchoMessage, earlier: _Stay | None) -> EchoMessage:
    if earlier is None:
        return EchoMessage(ANSWER, question.key, question.sequence)
    return EchoMessage(
        ANSWER,
        question.key,
        question.sequence,
        previous=earlier.sequence,
        kernel_ns=_stayed(earlier.came.kernel_ns, earlier.left.kernel_ns),
        hardware_ns=_stayed(earlier.came.hardware_ns, earlier.left.hardware_ns),
    )


def _stayed(came_ns: int | None, left_ns: int | None) -> int:
    return UNKNOWN_NS if came_ns is None or left_ns is None or left_ns < came_ns else left_ns - came_ns


def _sent_from(ancillary: Ancillary) -> Ancillary:
    """Send the response from the address that received the request; a connected client socket accepts no other."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            return [(level, kind, data[:16] + bytes(4))]  # the address; routing chooses the interface
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            return [(level, kind, bytes(4) + data[4:8] + bytes(4))]
    return []


def _bound(port: int, address: str | None) -> socket.socket:
    """A socket on the address; without one, on all addresses, with IPv6 for both families if available."""
    failed: OSError | None = None
    for host in (address,) if address else ("::", "0.0.0.0"):
        made = None
        try:
            family, kind, protocol, _, where = socket.getaddrinfo(
                host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
            )[0]
            made = socket.socket(family, kind, protocol)
            _prepare(made)
            made.bind(where)
        except OSError as error:
            failed = error
            if made is not None:
                made.close()
        else:
            return made
    why = failed.strerror if failed else None
    raise UsageError(
        f"cannot listen on {address or 'any address'}, UDP port {port}: {why}; choose another port or address"
    )


def _prepare(made: socket.socket) -> None:
    enable_stamps(made)
    if made.family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        made.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
