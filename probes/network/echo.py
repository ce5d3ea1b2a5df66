"""The messages between `lowlat bench --peer` and `lowlat bench --listen`: 64 bytes either way.

    0   magic       8 bytes, with the version
    8   kind        1: a question, 2: its answer
    16  key         8 random bytes of whoever asks
    24  sequence    from 1
    32  previous    in an answer: the sequence of an earlier question with this key
    40  kernel_ns   in an answer: how long that one stayed, by stamps of the kernel, or -1
    48  hardware_ns in an answer: how long that one stayed, by stamps of the network card, or -1
    56  unused      8 bytes

A host learns when a packet left it only after the packet has left. So an answer tells how long an earlier question
stayed, as the follow-up of IEEE 1588 does, but without a message of its own: one question never has two answers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

MAGIC: Final = b"lowlatE1"
QUESTION: Final = 1
ANSWER: Final = 2
UNKNOWN_NS: Final = -1

_LAYOUT: Final = struct.Struct("!8sB7x8sQQqq8x")
SIZE: Final = _LAYOUT.size


@dataclass(frozen=True, slots=True)
class EchoMessage:
    """One message; times in ns."""

    kind: int
    key: bytes
    sequence: int
    previous: int = 0
    kernel_ns: int = UNKNOWN_NS
    hardware_ns: int = UNKNOWN_NS

    def packed(self) -> bytes:
        """As it travels."""
        fields = (self.kind, self.key, self.sequence, self.previous, self.kernel_ns, self.hardware_ns)
        return _LAYOUT.pack(MAGIC, *fields)


def unpacked(data: bytes) -> EchoMessage | None:
    """Read a message; None for what is not exactly one of ours."""
    if len(data) != SIZE or not data.startswith(MAGIC):
        return None
    _, *fields = _LAYOUT.unpack(data)
    return EchoMessage(*fields)
