"""What a check of a journal found, as a `lowlat.journal/1` document."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from lowlat.bounded import Amount, Count, Positive
from lowlat.engine.journal.file import SegmentFacts
from lowlat.engine.journal.header import VERSION, Identity, JournalHead
from lowlat.engine.journal.verify import Executed, JournalCheck, SnapshotCheck, State
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.config_codec import to_words
from lowlat.engine.matching.records import MatchAlgorithm, PoolPolicy, TickRounding

SCHEMA: Final = "lowlat.journal/1"


def lower_names(*members: IntEnum) -> Meta:
    """The names of an enumeration's members as settings are written: in lower case."""
    return Meta(extra_json_schema={"enum": [each.name.lower() for each in members]})


Version: TypeAlias = Annotated[
    int, Meta(description="Version of the journal format", extra_json_schema={"const": VERSION})
]
Created: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z$",
        description="When the journal was created, UTC, RFC 3339",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSettings:
    """One symbol of the engine. Prices are in units of price, quantities in lots."""

    tick: Annotated[Positive, Meta(description="Prices are multiples of it")]
    lot: Annotated[Positive, Meta(description="Quantities are multiples of it")]
    price_min: Annotated[int, Meta(description="Lowest price")]
    price_max: Annotated[int, Meta(description="Highest price")]
    unit: Annotated[str, Meta(description="What one unit of price is worth, a decimal number")]
    algorithm: Annotated[
        str, lower_names(*MatchAlgorithm), Meta(description="Matching algorithm: who trades first at one price")
    ]
    off_tick: Annotated[
        str, lower_names(*TickRounding), Meta(description="What happens to a price that is not a multiple of the tick")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSettings:
    """Settings of the engine whose journal it is."""

    symbols: Annotated[tuple[SymbolSettings, ...], Meta(min_length=1, description="By symbol number, from 0")]
    orders: Annotated[Positive, Meta(description="Size of the order pool, orders")]
    trades: Annotated[Positive, Meta(description="Size of the trade tape, trades")]
    when_orders_dry: Annotated[
        str,
        lower_names(PoolPolicy.REJECT, PoolPolicy.GROW),
        Meta(description="What happens when the order pool is full"),
    ]
    when_trades_dry: Annotated[
        str, lower_names(*PoolPolicy), Meta(description="What happens when the trade tape is full")
    ]

    @classmethod
    def of(cls, settings: EngineConfig) -> JournalSettings:
        """Those of an engine."""
        words = to_words(settings)
        symbols = tuple(SymbolSettings(**each) for each in words.pop("symbols"))
        return cls(symbols=symbols, **words)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandCounts:
    """Commands that can be trusted."""

    all: Annotated[Count, Meta(description="All commands")]
    plain: Annotated[Count, Meta(description="Commands of 32 bytes")]
    wide: Annotated[Count, Meta(description="Commands of 64 bytes, with terms")]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEnd:
    """Where reading ended, behind the last block that can be trusted, and why."""

    state: Annotated[
        State,
        Meta(
            description="Of what follows. torn: a batch that was not written to its end; damaged: a block that is not "
            "as it was written, or that is missing"
        ),
    ]
    segment: Annotated[Positive, Meta(description="Number of the segment in which it is")]
    blocks: Annotated[Count, Meta(description="Blocks before the end: the number of a torn or damaged block")]
    byte: Annotated[Count, Meta(description="Offset of the end in the segment's file, bytes")]
    commands: Annotated[Count, Meta(description="Commands before the end")]
    reason: Annotated[str | None, Meta(description="What was found there; null: the file ends")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedEnd(JournalEnd):
    """Where a check ended, behind the last block that can be trusted, and why."""

    torn_bytes: Annotated[Count, Meta(description="Bytes of a torn batch, which recovery cuts off")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentUse:
    """One file of the journal."""

    file: Annotated[str, Meta(description="Path of the segment")]
    number: Annotated[Positive, Meta(description="Number of the segment, from 1; older ones were removed")]
    first_command: Annotated[Count, Meta(description="Commands in the segments before it")]
    size_bytes: Annotated[Count, Meta(description="Size of the file, bytes")]

    @classmethod
    def of(cls, facts: SegmentFacts) -> SegmentUse:
        """One of a check."""
        return cls(file=str(facts.path), number=facts.number, first_command=facts.sequence, size_bytes=facts.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotUse:
    """The snapshot beside the journal."""

    file: Annotated[str, Meta(description="Path of the snapshot")]
    used: Annotated[bool, Meta(description="Whether recovery uses it")]
    commands: Annotated[Count | None, Meta(description="Commands before the snapshot; null: it was not used")]
    fault: Annotated[str | None, Meta(description="Why it was not used; null: it was")]

    @classmethod
    def of(cls, check: SnapshotCheck) -> SnapshotUse:
        """What a check found."""
        return cls(file=str(check.path), used=check.sequence is not None, commands=check.sequence, fault=check.fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The engine that recovery makes, with the snapshot if that was used."""

    commands: Annotated[Count, Meta(description="Commands executed, before and after the snapshot")]
    replayed: Annotated[Count, Meta(description="Of these, after the snapshot")]
    live_orders: Annotated[Count, Meta(description="Orders that rest in its books")]
    trades: Annotated[Count, Meta(description="Trades since the start of the journal")]
    trades_on_tape: Annotated[Count, Meta(description="Trades still on the trade tape")]
    state: Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$", description="SHA-256 of books, tape and counters")]

    @classmethod
    def of(cls, recovered: Executed) -> Recovered:
        """What recovery executed, and the books then."""
        books = recovered.books
        assert books is not None  # recovery always executes
        return cls(
            commands=recovered.end.sequence,
            replayed=recovered.commands,
            live_orders=books.live_orders,
            trades=books.trades,
            trades_on_tape=books.trades_on_tape,
            state=f"sha256:{books.state}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySpeed:
    """How fast the whole journal was executed without its snapshot, checksums included; or only read, where compaction
    removed its first commands.
    """

    replay_ns: Annotated[Count, Meta(description="Time taken, nanoseconds")]
    commands_per_s: Annotated[Amount | None, Meta(description="Commands per second; null: none was executed")]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalDocument:
    """What a check of a journal found. Bytes count from the start of a segment's file, blocks and commands from the
    start of the journal. Nothing behind `end` is trusted.
    """

    schema: Annotated[Literal["lowlat.journal/1"], Meta(description="Kind and version of the document")] = SCHEMA
    file: Annotated[str, Meta(description="Path of the journal")]
    version: Version
    identity: Annotated[Identity, Meta(description="Random: no two journals have the same")]
    created: Created
    settings: JournalSettings
    held: Annotated[bool, Meta(description="Whether an engine had it open for writing")]
    segments: Annotated[
        tuple[SegmentUse, ...], Meta(min_length=1, description="Its files, oldest first; the last is being written")
    ]
    size_bytes: Annotated[Count, Meta(description="Size of all segments, bytes")]
    commands: CommandCounts
    drains: Annotated[Count, Meta(description="How often the trade tape was emptied")]
    end: CheckedEnd
    snapshot: Annotated[SnapshotUse | None, Meta(description="null: there is none")]
    recovered: Annotated[Recovered | None, Meta(description="null: recovery refuses")]
    problem: Annotated[str | None, Meta(description="What is damaged, and what to do; null: nothing is")]
    speed: ReplaySpeed

    @classmethod
    def of(cls, check: JournalCheck) -> JournalDocument:
        """The document of a check."""
        tally, end = check.tally, check.whole.end
        return cls(
            file=str(check.path),
            version=VERSION,
            identity=check.head.identity,
            created=created(check.head),
            settings=JournalSettings.of(check.head.settings),
            held=check.held,
            segments=tuple(map(SegmentUse.of, check.segments)),
            size_bytes=check.size,
            commands=CommandCounts(all=tally.commands, plain=tally.plain, wide=tally.wide),
            drains=tally.drains,
            end=CheckedEnd(
                state=check.state,
                segment=end.segment,
                blocks=end.blocks,
                byte=end.end,
                commands=end.sequence,
                reason=check.reason,
                torn_bytes=check.torn_bytes,
            ),
            snapshot=None if check.snapshot is None else SnapshotUse.of(check.snapshot),
            recovered=None if check.recovered is None else Recovered.of(check.recovered),
            problem=check.problem,
            speed=ReplaySpeed(replay_ns=check.replay_ns, commands_per_s=commands_per_s(check)),
        )


def commands_per_s(check: JournalCheck) -> float | None:
    """Commands executed in a second, blocks checked; None if there was none."""
    return check.whole.commands * 1e9 / check.replay_ns if check.whole.commands else None


def created(head: JournalHead) -> str:
    """When a journal was made, as documents say it."""
    return f"{head.created:%Y-%m-%dT%H:%M:%S.%fZ}"
