"""The messages between `lowlat bench --peer` and `lowlat bench --listen`: 64 bytes either way.

    0   magic       8 bytes, with the version
    8   kind        1: request, 2: response
    16  key         8 random bytes chosen by the client
    24  sequence    from 1
    32  previous    in a response: the sequence of an earlier request with this key
    40  kernel_ns   in a response: how long that request stayed, by kernel timestamps, or -1
    48  hardware_ns in a response: how long that request stayed, by network card timestamps, or -1
    56  unused      8 bytes

A host learns when a packet left only after it has left. So a response reports how long an earlier request stayed, like
the follow-up of IEEE 1588 but without a separate message: one request never has two responses.
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
        """The message as bytes."""
        fields = (self.kind, self.key, self.sequence, self.previous, self.kernel_ns, self.hardware_ns)
        return _LAYOUT.pack(MAGIC, *fields)


def unpacked(data: bytes) -> EchoMessage | None:
    """Parse a message; None if the bytes are not exactly one message of this protocol."""
    if len(data) != SIZE or not data.startswith(MAGIC):
        return None
    _, *fields = _LAYOUT.unpack(data)
    return EchoMessage(*fields)
