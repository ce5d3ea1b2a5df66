"""Round trips of a message to the `echo_server.py` of another host, split by kernel timestamps.

                 here                     network                 there
    send() ──► driver t1 ─── card T1 ──────────────► card ─── driver ──► program ─┐
    recv() ◄── driver t4 ─── card T4 ◄────────────── card ─── driver ◄── program ─┘

    half_trip = (t4 - t1 - stay) / 2      with the card's timestamps T1, T4 if available
    nic       = ((t4 - t1) - (T4 - T1)) / 2

A message without a response in time counts as lost at the limit that was waited for: the percentiles include it, so
that they do not improve when a network drops what it delays.

`stay` is how long the message stayed with the peer, on the peer's clock, by its card's timestamps if available, else by
its kernel's. Every difference uses a single clock, so no two clocks need to agree. The time of this program, its system
calls and scheduling is outside t1 to t4; that of the peer is inside `stay`. Without hardware timestamps, half_trip
includes the drivers and cards of both hosts. Halving assumes that both directions take equally long.
"""

from __future__ import annotations

import os
import secrets
import select
import socket
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from lowlat.errors import NotValidError, UsageError
from lowlat.probes.latency_summary import SAMPLES_MIN, LatencySummary
from lowlat.probes.network.echo import ANSWER, QUESTION, SIZE, EchoMessage, unpacked
from lowlat.probes.network.nic import why_no_hardware_stamps
from lowlat.probes.network.packet_timestamps import Stamps, can_stamp, enable_stamps, received_packet, sent_packets
from lowlat.probes.network.peer_address import is_own, parse_address, shown_address
from lowlat.probes.reading import Reading, known, not_applicable, unknown

ROUND_TRIPS: Final = 2_000
WARM_UP: Final = 50
DURATION_S: Final = 2.0
DURATION_MAX_S: Final = 12.0
"""Of a way so long that `SAMPLES_MIN` round trips take more than `DURATION_S`."""

CONTACT_TRIES: Final = 5
CONTACT_S: Final = 0.4
"""Each try waits longer than a round trip around the earth takes."""
PATIENCE: Final = 4
"""An answer later than so many usual round trips is lost to us; at least `PATIENCE_MIN_S`."""
PATIENCE_MIN_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One request and its response. `stay_*_ns`: how long the message stayed with the peer; None if not reported."""

    seen_ns: int
    """From before the send call to after the receive call, in this program."""
    sent: Stamps
    received: Stamps
    stay_kernel_ns: int | None
    stay_hardware_ns: int | None

    @property
    def stay_ns(self) -> int | None:
        """The stay by the peer's card, else by its kernel."""
        return self.stay_kernel_ns if self.stay_hardware_ns is None else self.stay_hardware_ns

    @property
    def kernel_ns(self) -> int | None:
        """From this host's driver and back to it: t4 - t1."""
        return _difference(self.sent.kernel_ns, self.received.kernel_ns)

    @property
    def hardware_ns(self) -> int | None:
        """From this host's card and back to it: T4 - T1."""
        return _difference(self.sent.hardware_ns, self.received.hardware_ns)

    @property
    def half_trip_ns(self) -> int | None:
        """One way between the hosts, averaged over both; None if a timestamp is missing or timestamps contradict."""
        whole = self.kernel_ns if self.hardware_ns is None else self.hardware_ns
        return _half(whole, self.stay_ns)

    @property
    def nic_ns(self) -> int | None:
        """One way between driver and wire on this host, averaged over both; None without hardware timestamps."""
        return _half(self.kernel_ns, self.hardware_ns)


def _difference(from_ns: int | None, to_ns: int | None) -> int | None:
    return None if from_ns is None or to_ns is None else to_ns - from_ns


def _half(whole_ns: int | None, part_ns: int | None) -> int | None:
    """Half of the rest; None if negative, as when a clock was set between two timestamps."""
    if whole_ns is None or part_ns is None or not 0 <= part_ns <= whole_ns:
        return None
    return (whole_ns - part_ns) // 2


@dataclass(frozen=True, slots=True)
class PeerPath:
    """The result of round trips to a peer."""

    peer: str
    loopback: bool
    """Whether the peer is this host: its packets never see a network."""
    sent: int
    lost: int
    """Sent and not answered within `limit_ns`."""
    limit_ns: int
    """How long a response was waited for; what `seen` holds for a lost message, and `half_trip` half of."""
    seen: LatencySummary
    stay: Reading[LatencySummary]
    half_trip: Reading[LatencySummary]
    nic: Reading[LatencySummary]

    @property
    def network(self) -> Reading[LatencySummary]:
        """One way over the network."""
        if self.loopback:
            return not_applicable(self.half_trip.source, f"loopback: not a network; {self.peer} is this host")
        return self.half_trip


def measure_peer(address: str) -> PeerPath:
    """Send requests to the server at `HOST:PORT` for about 2 s, one at a time, and split their round trips.

    Raises `FormatError`, `UsageError` if the host is not found or nothing listens there, and `NotValidError` if there
    are no responses, or too few.
    """
    if not can_stamp():
        raise UsageError("this platform does not timestamp packets; measure a peer on Linux")
    asker = _contact(*parse_address(address))
    try:
        asker.run()
        return asker.path()
    except OSError as error:
        raise _unreachable(asker.peer, error) from error
    finally:
        asker.close()


def _contact(host: str, port: int) -> _Asker:
    """Connect to the first of the host's addresses that responds."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "unknown host name"
        raise UsageError(f"cannot find host {host!r}: {why}; use an address, or a name that resolves") from error
    failed: UsageError | NotValidError | None = None
    for family, _, _, _, where in found:
        asker = None
        try:
            asker = _Asker(family, where)
            if asker.greet():
                return asker
            asker.close()
            failed = _silent(asker.peer)
        except OSError as error:
            failed = _unreachable(shown_address(str(where[0]), port), error)
            if asker is not None:
                asker.close()
    assert failed is not None, "a host that is found has an address"
    raise failed


def _silent(peer: str) -> NotValidError:
    return NotValidError(
        f"no answer from {peer} to {CONTACT_TRIES} messages; start 'lowlat bench --listen {peer.rpartition(':')[2]}' "
        "there, and allow UDP in both directions"
    )


def _unreachable(peer: str, error: OSError) -> UsageError:
    if isinstance(error, ConnectionRefusedError):
        return UsageError(
            f"nothing listens at {peer} (UDP); start 'lowlat bench --listen {peer.rpartition(':')[2]}' there"
        )
    return UsageError(f"cannot reach {peer}: {os.strerror(error.errno or 0)}; check address, route and firewall")


@dataclass(slots=True)
class _Asked:
    """What is known so far of one request."""

    seen_ns: int | None = None
    sent: Stamps = field(default_factory=Stamps)
    received: Stamps = field(default_factory=Stamps)
    stay_kernel_ns: int | None = None
    stay_hardware_ns: int | None = None


class _Asker:
    """Sends one request at a time; later data about it is stored by its sequence."""

    def __init__(self, family: int, where: tuple[object, ...]) -> None:
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._key = secrets.token_bytes(8)
        self._sequence = 0
        self._asked: dict[int, _Asked] = {}
        self._patience_s = CONTACT_S
        self._waiting = select.poll()
        try:
            enable_stamps(self._socket)
            self._socket.connect(where)
            self._socket.setblocking(False)
            remote, self.local = (str(name[0]) for name in (self._socket.getpeername(), self._socket.getsockname()))
        except OSError:
            self._socket.close()
            raise
        self.peer = shown_address(remote, int(self._socket.getpeername()[1]))
        self.loopback = is_own(self.local, remote)
        self._waiting.register(self._socket, select.POLLIN)

    def close(self) -> None:
        self._socket.close()

    @property
    def _limit_ns(self) -> int:
        return round(self._patience_s * 1e9)

    def greet(self) -> bool:
        """Whether the peer responds at all; sets how long to wait for a response."""
        seen_ns = [self._ask() for _ in range(CONTACT_TRIES)]
        answered = [ns for ns in seen_ns if ns is not None]
        if answered:
            usual_s = statistics.median(answered) / 1e9
            self._patience_s = min(max(PATIENCE * usual_s, PATIENCE_MIN_S), CONTACT_S)
        return bool(answered)

    def run(self) -> None:
        """Send requests until there are enough responses, or time is up."""
        for _ in range(WARM_UP):
            self._ask()
        self._asked.clear()
        begin, answered = time.monotonic(), 0
        while answered < ROUND_TRIPS:
            answered += self._ask() is not None
            elapsed_s = time.monotonic() - begin
            if elapsed_s > (DURATION_S if answered >= SAMPLES_MIN else DURATION_MAX_S):
                break

    def path(self) -> PeerPath:
        """The result of all requests. Raises `NotValidError` if too few had a response."""
        trips = [
            RoundTrip(a.seen_ns, a.sent, a.received, a.stay_kernel_ns, a.stay_hardware_ns)
            for a in self._asked.values()
            if a.seen_ns is not None
        ]
        sent = len(self._asked)
        if len(trips) < SAMPLES_MIN:
            raise NotValidError(
                f"{self.peer} answered {len(trips)} of {sent} messages, too few to measure; check for packet loss"
            )
        lost, limit_ns = sent - len(trips), self._limit_ns
        by = "network card" if any(trip.hardware_ns is not None for trip in trips) else "kernel"
        lacking = "for too many messages, a kernel timestamp is missing or contradicts the others"
        no_card = "loopback has no network card" if self.loopback else why_no_hardware_stamps(self.local)
        return PeerPath(
            peer=self.peer,
            loopback=self.loopback,
            sent=sent,
            lost=lost,
            limit_ns=limit_ns,
            seen=LatencySummary.of([*(trip.seen_ns for trip in trips), *[limit_ns] * lost]),
            stay=_spread(
                (trip.stay_ns for trip in trips), "reported by the peer", "the peer timestamped too few messages"
            ),
            half_trip=_spread(
                (trip.half_trip_ns for trip in trips), f"measured: {by} timestamps", lacking, [limit_ns // 2] * lost
            ),
            nic=_spread((trip.nic_ns for trip in trips), "measured: kernel and network card timestamps", no_card),
        )

    def _ask(self) -> int | None:
        """Send one request and wait for its response: the ns in between, or None on timeout."""
        self._sequence += 1
        sequence = self._sequence
        asked = self._asked[sequence] = _Asked()
        question = EchoMessage(QUESTION, self._key, sequence).packed()
        end_s = time.monotonic() + self._patience_s
        begin_ns = time.perf_counter_ns()
        self._socket.send(question)
        while asked.seen_ns is None and (left_s := end_s - time.monotonic()) > 0:
            self._waiting.poll(left_s * 1e3)
            self._take_answers(begin_ns, sequence)
            self._note_departures()
        return asked.seen_ns

    def _take_answers(self, begin_ns: int, sequence: int) -> None:
        while (packet := received_packet(self._socket)) is not None:
            now_ns = time.perf_counter_ns()
            answer = unpacked(packet.data)
            if answer is None or (answer.kind, answer.key) != (ANSWER, self._key):
                continue
            earlier = self._asked.get(answer.previous)
            if earlier is not None:
                earlier.stay_kernel_ns = answer.kernel_ns if answer.kernel_ns >= 0 else None
                earlier.stay_hardware_ns = answer.hardware_ns if answer.hardware_ns >= 0 else None
            # Late even if this program was the one that slept: no response is seen after more than a lost one counts.
            in_time = now_ns - begin_ns <= self._limit_ns
            if in_time and answer.sequence == sequence and self._asked[sequence].seen_ns is None:  # else a duplicate
                self._asked[sequence].seen_ns = now_ns - begin_ns
                self._asked[sequence].received = packet.stamps

    def _note_departures(self) -> None:
        for data, stamps in sent_packets(self._socket):
            message = unpacked(data[-SIZE:])
            asked = self._asked.get(message.sequence) if message else None
            if asked is not None:
                asked.sent = asked.sent.merged(stamps)


def _spread(
    values_ns: Iterable[int | None], source: str, reason: str, lost_ns: Sequence[int] = ()
) -> Reading[LatencySummary]:
    """The spread of the known values and those of lost messages, if enough are known."""
    there = [value for value in values_ns if value is not None]
    return (
        known(LatencySummary.of([*there, *lost_ns]), source) if len(there) >= SAMPLES_MIN else unknown(source, reason)
    )
