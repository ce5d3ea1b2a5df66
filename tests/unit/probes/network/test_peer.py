"""The network's share of a round trip: each part on one clock, from timestamps taken outside both programs."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from lowlat.engine.bench.kernel_stages import peer_stages
from lowlat.errors import FormatError, NotValidError, UsageError
from lowlat.probes.latency_summary import LatencySummary
from lowlat.probes.network import nic, packet_timestamps, peer
from lowlat.probes.network.echo import ANSWER, QUESTION, SIZE, EchoMessage, unpacked
from lowlat.probes.network.echo_server import KEYS_MAX, EchoServer
from lowlat.probes.network.packet_timestamps import Stamps, stamps_in
from lowlat.probes.network.peer import PeerPath, RoundTrip, measure_peer
from lowlat.probes.network.peer_address import is_own, parse_address, shown_address
from lowlat.probes.reading import known, unknown
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.skipif(not packet_timestamps.can_stamp(), reason="only Linux stamps packets")


class Stopped(Exception):  # noqa: N818 (what ends a server is no error)
    """Ends a server's thread."""


@contextmanager
def serving() -> Iterator[EchoServer]:
    """A server on a free port of 127.0.0.1, in a thread."""
    with EchoServer(0, "127.0.0.1") as server:
        answer_next = server._answer_next
        stop = threading.Event()

        def answer_unless_stopped() -> None:
            if stop.is_set():
                raise Stopped
            answer_next()

        server._answer_next = answer_unless_stopped  # type: ignore[method-assign]

        def run() -> None:
            with pytest.raises(Stopped):
                server.run()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield server
        finally:
            stop.set()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waking:
                waking.sendto(b"", ("127.0.0.1", server.port))
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


Passes = Callable[[int, bytes], list[bytes]]


@contextmanager
def relayed(port: int, passes: Passes, delay_s: float = 0.0) -> Iterator[int]:
    """A relay before the server: `passes` transforms each packet from the client."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far,
    ):
        near.bind(("127.0.0.1", 0))
        far.connect(("127.0.0.1", port))
        far.settimeout(PATIENCE_S)
        ended = threading.Event()

        def run() -> None:
            for count in range(1 << 30):
                data, asker = near.recvfrom(2048)
                if ended.is_set():
                    return
                for each in passes(count, data):
                    time.sleep(delay_s)
                    far.send(each)
                    near.sendto(far.recv(2048), asker)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield near.getsockname()[1]
        finally:
            ended.set()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waking:
                waking.sendto(b"", near.getsockname())
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def trip(sent: Stamps, received: Stamps, kernel: int | None = 30, hardware: int | None = None) -> RoundTrip:
    return RoundTrip(1_000, sent, received, kernel, hardware)


def test_half_trip_by_kernels_is_half_of_what_the_peer_does_not_explain() -> None:
    """Left at 100, back at 200, 30 of it at the peer: 35 each way. The card's part is unknown."""
    found = trip(Stamps(100), Stamps(200))
    assert (found.half_trip_ns, found.nic_ns) == (35, None)


def test_with_cards_the_network_is_between_the_cards_and_the_rest_is_theirs() -> None:
    """Between drivers 100; between cards 80, of which 20 at the peer: 30 each way, and 10 each way in our card."""
    found = trip(Stamps(100, 7_005), Stamps(200, 7_085), kernel=30, hardware=20)
    assert (found.half_trip_ns, found.nic_ns) == (30, 10)


@pytest.mark.parametrize(
    "found",
    [
        trip(Stamps(), Stamps(200)),
        trip(Stamps(100), Stamps()),
        trip(Stamps(100), Stamps(200), kernel=None),
        trip(Stamps(100), Stamps(200), kernel=101),  # the peer says longer than the whole: a clock was set
        trip(Stamps(100), Stamps(90)),
    ],
)
def test_stamps_that_lack_or_contradict_give_nothing(found: RoundTrip) -> None:
    assert found.half_trip_ns is None


def test_stamps_are_read_as_the_kernel_writes_them() -> None:
    both = struct.pack("@6q", 1, 5, 0, 0, 2, 7)
    assert stamps_in([(socket.SOL_SOCKET, 37, both)]) == Stamps(1_000_000_005, 2_000_000_007)
    assert stamps_in([(socket.SOL_SOCKET, 37, bytes(48))]) == Stamps(None, None)
    assert stamps_in([(socket.SOL_SOCKET, 37, both[:40]), (socket.IPPROTO_IP, 8, bytes(12))]) == Stamps()


def test_messages_are_64_bytes_and_nothing_else_is_one() -> None:
    message = EchoMessage(ANSWER, b"12345678", 9, previous=8, kernel_ns=70, hardware_ns=-1)
    assert SIZE == len(message.packed()) == 64
    assert unpacked(message.packed()) == message
    for foreign in (b"", bytes(64), message.packed()[:63], message.packed() + b"\0", b"x" + message.packed()[1:]):
        assert unpacked(foreign) is None


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("10.0.0.2:9000", "10.0.0.2", 9000),
        ("[::1]:9", "::1", 9),
        ("[fe80::1%eth0]:9", "fe80::1%eth0", 9),
        ("a:1", "a", 1),
    ],
)
def test_addresses(text: str, host: str, port: int) -> None:
    assert parse_address(text) == (host, port)
    assert shown_address(host, port) == text


@pytest.mark.parametrize("text", ["", "a", "a:", ":9", "::1:9000", "a:0", "a:65536", "a:-1", "a:9x", "[]:9", "a b:9"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match=r"write 10\.0\.0\.2:9000"):
        parse_address(text)


@pytest.mark.parametrize(
    ("local", "remote", "own"),
    [
        ("127.0.0.1", "127.0.0.5", True),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1", True),
        ("10.0.0.1", "10.0.0.1", True),
        ("fe80::1%eth0", "fe80::2%eth0", False),
        ("10.0.0.1", "10.0.0.2", False),
    ],
)
def test_what_is_on_this_host_is_no_network(local: str, remote: str, own: bool) -> None:
    assert is_own(local, remote) is own


def test_round_trips_on_loopback_are_measured_and_told_not_to_be_a_network() -> None:
    with serving() as server:
        found = measure_peer(f"127.0.0.1:{server.port}")
    assert (found.loopback, found.sent) == (True, found.seen.samples)
    assert found.network.value is None
    assert str(found.network.reason).startswith("loopback: not a network")
    assert found.nic.value is None
    if found.half_trip.value is None:
        pytest.skip(f"not available here: {found.half_trip.reason}")
    assert 2 * found.half_trip.value.p50_ns < found.seen.p50_ns  # what programs and system calls take lies outside


def half_trip_ns(found: PeerPath) -> int:
    """Half a trip at the median."""
    if found.half_trip.value is None:
        pytest.skip(f"not available here: {found.half_trip.reason}")
    return round(found.half_trip.value.p50_ns)


def test_a_delay_on_the_way_shows_and_stamps_taken_after_it_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ROUND_TRIPS": 12, "WARM_UP": 2, "SAMPLES_MIN": 10}.items():
        monkeypatch.setattr(peer, name, value)
    with serving() as server:
        with relayed(server.port, lambda _, data: [data]) as port:
            # Far longer than the relay takes by itself, on this host as busy as it is.
            delay_ns = max(20_000_000, 10 * half_trip_ns(measure_peer(f"127.0.0.1:{port}")))
        with relayed(server.port, lambda _, data: [data], delay_ns / 1e9) as port:
            assert half_trip_ns(measure_peer(f"127.0.0.1:{port}")) >= delay_ns / 2
            monkeypatch.setattr(peer, "sent_packets", partial(late_departures, delay_ns=delay_ns))
            assert half_trip_ns(measure_peer(f"127.0.0.1:{port}")) < delay_ns / 2


def late_departures(on: socket.socket, delay_ns: int) -> Iterator[tuple[bytes, Stamps]]:
    """Departures with timestamps as if taken after the relay had kept the packet."""
    for data, stamps in packet_timestamps.sent_packets(on):
        assert stamps.kernel_ns is not None
        yield data, Stamps(stamps.kernel_ns + delay_ns)


def test_lost_messages_are_counted_and_copies_and_strangers_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tenth message is dropped on the way, every seventh arrives twice."""
    monkeypatch.setattr(peer, "ROUND_TRIPS", 200)

    def passes(count: int, data: bytes) -> list[bytes]:
        return [] if count % 10 == 9 else [data, data] if count % 7 == 6 else [data]

    with serving() as server, relayed(server.port, passes) as port:
        found = measure_peer(f"127.0.0.1:{port}")
    assert found.lost >= found.sent // 10 - 1
    # A tenth is lost: the 99th percentile is the limit, not that of what came through.
    assert found.seen == LatencySummary(found.seen.p50_ns, found.limit_ns, found.sent)
    assert found.half_trip.value is None or found.half_trip.value.p99_ns == found.limit_ns // 2
    basis = peer_stages(found)["network"].parts[0].basis
    assert f"{found.lost} of {found.sent} lost" in basis


@pytest.mark.slow
def test_an_answer_seen_after_the_limit_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a busy host: it is there in time, but this program sleeps until after the limit."""
    monkeypatch.setattr(peer, "ROUND_TRIPS", 100)
    limit_s = 0.05
    for bound in ("CONTACT_S", "PATIENCE_MIN_S"):
        monkeypatch.setattr(peer, bound, limit_s)
    received = 0

    def received_late(on: socket.socket) -> packet_timestamps.Packet | None:
        nonlocal received
        packet = packet_timestamps.received_packet(on)
        received += packet is not None
        if packet is not None and received % 4 == 0:
            time.sleep(limit_s)
        return packet

    with serving() as server:
        monkeypatch.setattr(peer, "received_packet", received_late)
        found = measure_peer(f"127.0.0.1:{server.port}")
    assert found.lost >= found.sent // 5
    assert found.seen == LatencySummary(found.seen.p50_ns, found.limit_ns, found.sent)


def test_a_peer_that_answers_too_rarely_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "DURATION_MAX_S", 0.5)

    with (
        serving() as server,
        relayed(server.port, lambda count, data: [data] if count < 5 else []) as port,
        pytest.raises(NotValidError, match=r"answered 0 of .* messages, too few"),
    ):
        measure_peer(f"127.0.0.1:{port}")


def test_a_peer_that_never_answers_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "CONTACT_S", 0.01)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        with pytest.raises(NotValidError, match=r"no answer from 127\.0\.0\.1:"):
            measure_peer(f"127.0.0.1:{deaf.getsockname()[1]}")


def test_a_closed_port_and_an_unknown_host_are_the_users_affair() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as once:
        once.bind(("127.0.0.1", 0))
        port = once.getsockname()[1]
    with pytest.raises(UsageError, match=r"nothing listens at 127\.0\.0\.1"):
        measure_peer(f"127.0.0.1:{port}")
    with pytest.raises(UsageError, match="cannot find host"):
        measure_peer(f"{'x' * 70}:9000")  # no label of a name may be so long: nobody is asked


def ask(server: EchoServer, on: socket.socket, data: bytes) -> None:
    on.sendto(data, ("127.0.0.1", server.port))


def test_a_listener_answers_questions_and_nothing_else_with_as_many_bytes() -> None:
    """No reply to garbage, to other sizes, to replies (two listeners would never stop); one reply per request."""
    question = EchoMessage(QUESTION, b"k" * 8, 1).packed()
    garbage = [b"", b"x", bytes(64), question[:63], question + b"x", question * 2]
    garbage += [EchoMessage(ANSWER, b"k" * 8, 1).packed(), EchoMessage(77, b"k" * 8, 1).packed()]
    with serving() as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as on:
        on.settimeout(PATIENCE_S)
        for each in garbage:
            ask(server, on, each)
        ask(server, on, question)
        answer = on.recv(2048)  # the first that comes is that of the question, which was sent last
        assert len(answer) == SIZE
        assert unpacked(answer) == EchoMessage(ANSWER, b"k" * 8, 1)
        on.setblocking(False)
        with pytest.raises(BlockingIOError):
            on.recv(2048)
    assert (server.answered, server.ignored) == (1, len(garbage))


def test_a_listener_remembers_only_so_many() -> None:
    with serving() as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as on:
        on.settimeout(PATIENCE_S)
        for number in range(KEYS_MAX + 10):
            ask(server, on, EchoMessage(QUESTION, number.to_bytes(8, "big"), 1).packed())
            on.recv(2048)
        assert len(server._stays) == KEYS_MAX


def test_a_port_that_is_taken_is_refused() -> None:
    with EchoServer(0, "127.0.0.1") as server, pytest.raises(UsageError, match="Address already in use"):
        EchoServer(server.port, "127.0.0.1")
    with pytest.raises(UsageError, match=r"203.0.113.77"):
        EchoServer(0, "203.0.113.77")


def test_why_a_card_does_not_stamp() -> None:
    assert nic.interface_of("127.0.0.1") == "lo"
    assert nic.stamps_in_hardware("lo").value in (False, None)
    assert nic.stamps_in_hardware("no-such-nic").value is None
    assert nic.why_no_hardware_stamps("203.0.113.77") == "no interface has address 203.0.113.77"


def test_a_card_that_could_is_told_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nic, "stamps_in_hardware", lambda _: known(True, "x"))
    assert "'hwstamp_ctl -i lo -t 1 -r 1' turns it on" in nic.why_no_hardware_stamps("127.0.0.1")


def test_stages_are_network_and_card() -> None:
    spread = known(LatencySummary(10, 20, 500), "measured: network card timestamps")
    found = PeerPath(
        "10.0.0.2:9",
        False,
        503,
        3,
        20_000_000,
        LatencySummary(90, 99, 500),
        spread,
        spread,
        known(LatencySummary(1, 2, 500), "x"),
    )
    stages = peer_stages(found)
    assert {name: stage.value_ns for name, stage in stages.items()} == {"network": 20, "NIC": 2}
    assert "network card timestamps; 3 of 503 lost, counted at the limit of 20.0 ms" in stages["network"].basis
    assert [part.name for part in stages["network"].parts] == ["round trip", "peer processing"]
    here = PeerPath(
        "127.0.0.1:9", True, 500, 0, 20_000_000, LatencySummary(90, 99, 500), spread, spread, unknown("x", "none")
    )
    assert peer_stages(here)["network"].value_ns is None
    assert peer_stages(here)["network"].basis.startswith("loopback: not a network")
    assert peer_stages(None) == {}


class Refusing(socket.socket):
    """A socket of a system without packet timestamps, like some sandboxes."""

    def setsockopt(self, *_: object) -> None:
        raise OSError(92, "Protocol not available")


def test_a_system_without_packet_stamps_says_so_and_leaves_no_socket() -> None:
    made = Refusing(socket.AF_INET, socket.SOCK_DGRAM)
    with pytest.raises(packet_timestamps.UsageError, match="SO_TIMESTAMPING: Protocol not available"):
        packet_timestamps.enable_stamps(made)
    assert made.fileno() == -1
