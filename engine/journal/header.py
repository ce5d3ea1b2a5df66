"""The head of a journal and of a snapshot: what the file is, and for which engine, in front of its records.

`docs/journal.md` draws it: 8 bytes of kind, version, length, checksum, and JSON padded with spaces.
"""

from __future__ import annotations

import secrets
import struct
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from lowlat.engine import _core
from lowlat.engine.journal.errors import JournalDamagedError, JournalVersionError, NoJournalError
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument, instruments
from lowlat.engine.matching.records import MatchAlgorithm, PoolPolicy, TickRounding

VERSION: Final = 1
JOURNAL: Final = b"LOWLATJ\0"
SNAPSHOT: Final = b"LOWLATS\0"
ALIGNMENT: Final = 32
"""Heads, like blocks, are a multiple of this long: records behind them are aligned."""

_FIXED: Final = struct.Struct("<8sIII")
_CHECKSUM_AT: Final = 16
HEAD_BYTES_MAX: Final = 1 << 26

Identity: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Checksum: TypeAlias = Annotated[int, Meta(ge=0, lt=2**32)]
Said = TypeVar("Said", bound=msgspec.Struct)


class JournalHead(msgspec.Struct, frozen=True, kw_only=True):
    """What a journal says of itself. `symbols`: tick, lot, band, unit, algorithm, rounding of each."""

    identity: Identity
    """128 random bits, as hexadecimal digits."""
    created: datetime
    orders: int
    trades: int
    when_orders_dry: PoolPolicy
    when_trades_dry: PoolPolicy
    symbols: list[tuple[int, int, int, int, Decimal, MatchAlgorithm, TickRounding]]

    @classmethod
    def of(cls, settings: EngineConfig) -> JournalHead:
        """A new journal's, for an engine of these settings."""
        return cls(
            identity=secrets.token_hex(16),
            created=datetime.now(UTC),
            orders=settings.orders,
            trades=settings.trades,
            when_orders_dry=settings.when_orders_dry,
            when_trades_dry=settings.when_trades_dry,
            symbols=[
                (each.tick, each.lot, each.price_min, each.price_max, each.unit, each.algorithm, each.off_tick)
                for each in settings.instruments
            ],
        )

    @property
    def settings(self) -> EngineConfig:
        """The settings of the engine whose journal it is. Raises `UsageError` for some that no engine can have."""
        return EngineConfig(
            instruments([Instrument(*symbol) for symbol in self.symbols]),
            self.orders,
            self.trades,
            self.when_orders_dry,
            self.when_trades_dry,
        )


class SnapshotHead(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot says of itself: where in which journal it stands, and the state that follows."""

    identity: Identity
    """The journal's."""
    end: Count
    blocks: Count
    sequence: Count
    chain: Checksum
    state_bytes: Count
    state_checksum: Checksum


def pack_head(kind: bytes, said: msgspec.Struct) -> tuple[bytes, int]:
    """The bytes of a head, and its checksum."""
    text = msgspec.json.encode(said)
    size = -(-(_FIXED.size + len(text)) // ALIGNMENT) * ALIGNMENT
    text = text.ljust(size - _FIXED.size)
    checksum = _core.crc32c(_FIXED.pack(kind, VERSION, size, 0) + text)
    return _FIXED.pack(kind, VERSION, size, checksum) + text, checksum


def read_head(data: memoryview, kind: bytes, what: type[Said], name: str) -> tuple[Said, int, int]:
    """What the head of a file says, its length, and its checksum. `name`: what errors call the file.

    Raises `NoJournalError`, `JournalVersionError`, `JournalDamagedError`.
    """
    if len(data) < _FIXED.size or bytes(data[:8]) != kind:
        raise NoJournalError(_no_head(data, kind, name))
    _, version, size, checksum = _FIXED.unpack(data[: _FIXED.size])
    if version != VERSION:
        raise JournalVersionError(
            f"{name} has version {version}, and this lowlat reads version {VERSION}; take the one that wrote it"
        )
    if not _FIXED.size < size <= min(len(data), HEAD_BYTES_MAX) or size % ALIGNMENT:
        raise JournalDamagedError(
            f"{name} has {len(data)} bytes, of which {size} are to be its head: it is damaged there, or never was whole"
        )
    head = bytearray(data[:size])
    head[_CHECKSUM_AT : _CHECKSUM_AT + 4] = bytes(4)
    if _core.crc32c(head) != checksum:
        raise JournalDamagedError(f"{name} is damaged in its head: its checksum does not match; nothing can be trusted")
    try:
        return msgspec.json.decode(bytes(head[_FIXED.size :]), type=what), size, checksum
    except msgspec.MsgspecError as error:
        raise JournalVersionError(f"{name} has a head that this lowlat cannot read: {error}") from error


def _no_head(data: memoryview, kind: bytes, name: str) -> str:
    if kind.startswith(bytes(data[:8])):  # all that there is of it, possibly nothing
        return f"{name} ends within its head: it was never a whole journal; remove it"
    return f"{name} is no journal: it does not begin with {kind[:7].decode()!r}"
