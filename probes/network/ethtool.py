"""What a network driver says of itself through the ethtool ioctl; reading needs no privilege."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from dataclasses import dataclass
from typing import Final

from lowlat.probes.reading import Reading, known, not_applicable

SIOCETHTOOL: Final = 0x8946
REQUEST: Final = struct.Struct("@16sP16x")
"""ifreq: the interface's name, and the address of the command."""
_GCOALESCE, _GRINGPARAM, _GPAUSEPARAM, _GEEE, _GGRO, _GFLAGS = 0x0E, 0x10, 0x12, 0x44, 0x2B, 0x25
_FLAG_LRO: Final = 1 << 15


@dataclass(frozen=True, slots=True)
class Coalescing:
    """How long a card may hold back the interrupt for a received packet."""

    rx_us: int
    adaptive_rx: bool


@dataclass(frozen=True, slots=True)
class Rings:
    """Slots for received packets, and the most that the card has."""

    rx: int
    rx_max: int


def coalescing(interface: str) -> Reading[Coalescing]:
    """Interrupt coalescing, as `ethtool -c`."""
    words = _ask(interface, _GCOALESCE, 23, "ETHTOOL_GCOALESCE")
    if words.value is None:
        return Reading(None, words.source, words.reason, words.applicable)
    return known(Coalescing(words.value[1], bool(words.value[10])), words.source)


def rings(interface: str) -> Reading[Rings]:
    """Sizes of the receive ring, as `ethtool -g`."""
    words = _ask(interface, _GRINGPARAM, 9, "ETHTOOL_GRINGPARAM")
    if words.value is None:
        return Reading(None, words.source, words.reason, words.applicable)
    return known(Rings(words.value[5], words.value[1]), words.source)


def pause_frames(interface: str) -> Reading[bool]:
    """Whether the card honors or sends pause frames, as `ethtool -a`."""
    return _any_of(_ask(interface, _GPAUSEPARAM, 4, "ETHTOOL_GPAUSEPARAM"), 2, 3)


def energy_efficient_ethernet(interface: str) -> Reading[bool]:
    """Whether the link may sleep, as `ethtool --show-eee`."""
    return _any_of(_ask(interface, _GEEE, 10, "ETHTOOL_GEEE"), 5)


def receive_offload(interface: str) -> Reading[bool]:
    """Whether the kernel merges received packets (GRO), as `ethtool -k`."""
    return _any_of(_ask(interface, _GGRO, 2, "ETHTOOL_GGRO"), 1)


def large_receive_offload(interface: str) -> Reading[bool]:
    """Whether the card merges received packets (LRO), as `ethtool -k`."""
    words = _ask(interface, _GFLAGS, 2, "ETHTOOL_GFLAGS")
    if words.value is None:
        return Reading(None, words.source, words.reason, words.applicable)
    return known(bool(words.value[1] & _FLAG_LRO), words.source)


def _any_of(words: Reading[tuple[int, ...]], *at: int) -> Reading[bool]:
    if words.value is None:
        return Reading(None, words.source, words.reason, words.applicable)
    return known(any(words.value[each] for each in at), words.source)


def _ask(interface: str, command: int, words: int, name: str) -> Reading[tuple[int, ...]]:
    """The 32-bit words that the driver answers; not applicable where it does not know the command."""
    import fcntl

    source = f"{name} of {interface}"
    block = struct.Struct(f"@{words}I")
    answer = ctypes.create_string_buffer(block.pack(command, *[0] * (words - 1)), block.size)
    request = REQUEST.pack(interface.encode(), ctypes.addressof(answer))
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, SIOCETHTOOL, request)
    except OSError as error:
        return not_applicable(source, f"the driver does not answer: {os.strerror(error.errno or 0)}")
    return known(block.unpack(answer.raw), source)
