"""The head of a journal or snapshot, before its records: the kind of file, and the engine's settings.

`docs/journal.md` shows it: 8 bytes of kind, version, length, checksum, and JSON padded with spaces.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from lowlat import units
from lowlat.engine import _core
from lowlat.engine.journal.errors import JournalDamagedError, JournalError, NoJournalError
from lowlat.engine.journal.names import SEGMENT_MAX
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.config_codec import from_plain, to_plain
from lowlat.limits import JOURNAL_HEAD_BYTES_MAX

VERSION: Final = 2
JOURNAL: Final = b"LOWLATJ\0"
SNAPSHOT: Final = b"LOWLATS\0"
ALIGNMENT: Final = 32
"""The length of heads is a multiple of this, so that the records after them are aligned."""

_FIXED: Final = struct.Struct("<8sIII")
_CHECKSUM_AT: Final = 16
HEAD_START_BYTES: Final = _FIXED.size
"""Size of what every head begins with."""

Identity: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Number: TypeAlias = Annotated[int, Meta(ge=1, le=SEGMENT_MAX)]
Checksum: TypeAlias = Annotated[int, Meta(ge=0, lt=2**32)]
Said = TypeVar("Said")


class JournalHead(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a journal's segment. In the file, the fields of `settings` follow `chain` directly, not nested."""

    identity: Identity
    """128 random bits, as hexadecimal digits; of all segments of a journal."""
    created: datetime
    """When the journal was created, UTC."""
    segment: Number = 1
    """Its number, from 1."""
    blocks: Count = 0
    """Blocks in the segments before it."""
    sequence: Count = 0
    """Commands in the segments before it."""
    chain: Checksum = 0
    """`head_checksum` of the last block before it, which may be a segment's head; 0 in the first segment."""
    settings: EngineConfig

    @classmethod
    def of(cls, settings: EngineConfig) -> JournalHead:
        """The head of a new journal for an engine with these settings."""
        return cls(identity=secrets.token_hex(16), created=datetime.now(UTC), settings=settings)

    def after(self, place: _core.JournalPosition) -> JournalHead:
        """The head of the segment that continues this one at its end. Raises `JournalError` after the last number."""
        if self.segment == SEGMENT_MAX:
            raise JournalError(f"segment {SEGMENT_MAX:,} is the last that a journal can have; start another journal")
        return JournalHead(
            identity=self.identity,
            created=self.created,
            segment=self.segment + 1,
            blocks=place.blocks,
            sequence=place.sequence,
            chain=place.chain,
            settings=self.settings,
        )

    def follows(self, place: _core.JournalPosition) -> bool:
        """Whether its segment continues one that ends at a position."""
        begins = (self.segment, self.blocks, self.sequence, self.chain)
        return begins == (place.segment + 1, place.blocks, place.sequence, place.chain)

    @classmethod
    def from_json(cls, text: bytes) -> JournalHead:
        """Raises `msgspec.MsgspecError`, and `UsageError` for settings that no engine can have."""
        said = msgspec.json.decode(text, type=dict[str, Any])
        origin = msgspec.convert(said, _Origin)
        return cls(**msgspec.structs.asdict(origin), settings=from_plain(said))

    def to_json(self) -> bytes:
        """The text in the file."""
        origin = {name: getattr(self, name) for name in _Origin.__struct_fields__}
        return msgspec.json.encode({**origin, **to_plain(self.settings)})


class _Origin(msgspec.Struct):
    """The fields of a journal's head that do not configure its engine."""

    identity: Identity
    created: datetime
    segment: Number
    blocks: Count
    sequence: Count
    chain: Checksum


class SnapshotHead(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a snapshot: its journal, its position in a segment, and the state that follows."""

    identity: Identity
    """The journal's."""
    segment: Number
    end: Count
    blocks: Count
    sequence: Count
    chain: Checksum
    state_bytes: Count
    state_checksum: Checksum

    @classmethod
    def from_json(cls, text: bytes) -> SnapshotHead:
        """Raises `msgspec.MsgspecError`."""
        return msgspec.json.decode(text, type=cls)

    def to_json(self) -> bytes:
        """The text in the file."""
        return msgspec.json.encode(self)


def pack_head(kind: bytes, text: bytes) -> tuple[bytes, int]:
    """The bytes of a head with this `text`, and its checksum."""
    size = -(-(_FIXED.size + len(text)) // ALIGNMENT) * ALIGNMENT
    text = text.ljust(size - _FIXED.size)
    checksum = _core.crc32c(_FIXED.pack(kind, VERSION, size, 0) + text)
    return _FIXED.pack(kind, VERSION, size, checksum) + text, checksum


def declared_size(start: bytes) -> int:
    """How long a head says that it is, up to the limit. `start`: its first `HEAD_START_BYTES`, or fewer."""
    return min(_FIXED.unpack(start)[2], JOURNAL_HEAD_BYTES_MAX) if len(start) == _FIXED.size else 0


def read_head(data: memoryview, kind: bytes, read: Callable[[bytes], Said], name: str) -> tuple[Said, int, int]:
    """The content of a file's head, its length, and its checksum. `name`: the file's name in errors.

    Raises `NoJournalError`, `JournalError`, `JournalDamagedError`, and what `read` raises except errors of JSON.
    """
    if len(data) < _FIXED.size or bytes(data[:8]) != kind:
        raise NoJournalError(_no_head(data, kind, name))
    _, version, size, checksum = _FIXED.unpack(data[: _FIXED.size])
    if version != VERSION:
        raise JournalError(
            f"{name} has version {version}, but this lowlat reads version {VERSION}; use the lowlat that wrote it"
        )
    if not _FIXED.size < size <= min(len(data), JOURNAL_HEAD_BYTES_MAX) or size % ALIGNMENT:
        raise JournalDamagedError(
            f"{name} has {units.counted(len(data), 'byte')}, but its header needs {size}: "
            "it is damaged, or was never complete"
        )
    head = bytearray(data[:size])
    head[_CHECKSUM_AT : _CHECKSUM_AT + 4] = bytes(4)
    if _core.crc32c(head) != checksum:
        raise JournalDamagedError(f"{name} has a damaged header: its checksum does not match; nothing can be trusted")
    try:
        return read(bytes(head[_FIXED.size :])), size, checksum
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise JournalError(f"{name} has a header that this lowlat cannot read: {error}") from error


def _no_head(data: memoryview, kind: bytes, name: str) -> str:
    if kind.startswith(bytes(data[:8])):  # the file ends here, possibly empty
        return f"{name} ends within its header: it was never a complete journal; remove it"
    return f"{name} is not a journal: it does not begin with {kind[:7].decode()!r}"
