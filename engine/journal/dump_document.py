"""The commands of a journal as a `lowlat.journal-commands/1` document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from lowlat.bounded import Count
from lowlat.documents import document_fields
from lowlat.engine.journal.document import Created, JournalEnd, Version, created
from lowlat.engine.journal.header import VERSION, Identity, JournalHead
from lowlat.engine.matching.records import COMMAND, CommandType, ExecInst, SelfTradePrevention, Side, TimeInForce

SCHEMA: Final = "lowlat.journal-commands/1"


def names(values: type[IntEnum]) -> Meta:
    """The names of an enumeration, as commands have them."""
    return Meta(extra_json_schema={"enum": [each.name for each in values]})


KindName: TypeAlias = Annotated[str, names(CommandType)] | Count
SideName: TypeAlias = Annotated[str, names(Side)] | Count
TimeInForceName: TypeAlias = Annotated[str, names(TimeInForce)] | Count
FlagName: TypeAlias = Annotated[str, names(ExecInst)] | Count
SelfTradeName: TypeAlias = Annotated[str, names(SelfTradePrevention)] | Count


@dataclass(frozen=True, slots=True)
class DumpedCommand:
    """One command of 32 bytes. A value that has no name, which a rejected command may hold, is a number."""

    command: Annotated[Count, Meta(description="Its number in the journal, from 0")]
    order_id: Annotated[Count, Meta(description="Id of the order")]
    price: Annotated[int, Meta(description="In the symbol's units of price")]
    quantity: Annotated[int, Meta(description="In lots; of a command about no order, the time or the phase")]
    symbol: Annotated[Count, Meta(description="Number of the symbol, from 0")]
    kind: Annotated[KindName, Meta(description="Type of command")]
    side: Annotated[SideName, Meta(description="Side of the book")]
    time_in_force: Annotated[TimeInForceName, Meta(description="Time in force")]
    flags: Annotated[tuple[FlagName, ...], Meta(description="Flags set; bits without a name as one number")]


@dataclass(frozen=True, slots=True)
class DumpedCommandWithTerms(DumpedCommand):
    """One command of 64 bytes: what few have to say comes last."""

    trigger: Annotated[int, Meta(description="A stop's price, or how far a trailing stop trails, in units of price")]
    expiry: Annotated[Count, Meta(description="When a GTD order expires, on the engine's clock")]
    display: Annotated[Count, Meta(description="Quantity that an iceberg order shows, in lots; 0: all of it")]
    owner: Annotated[Count, Meta(description="Participant whose order it is; 0: nobody's")]
    self_trade: Annotated[SelfTradeName, Meta(description="Self-trade prevention")]


@dataclass(frozen=True, slots=True)
class DumpedDrain:
    """The trade tape was emptied before a command."""

    command: Annotated[Count, Meta(description="Number of that command, from 0")]
    kind: Annotated[Literal["DRAIN"], Meta(description="Tells it from commands")] = "DRAIN"


@document_fields(renamed={"first": "from"})
@dataclass(frozen=True, slots=True, kw_only=True)
class DumpHeading:
    """Which journal it is, and which command is the first."""

    schema: Annotated[Literal["lowlat.journal-commands/1"], Meta(description="Kind and version of the document")] = (
        SCHEMA
    )
    file: Annotated[str, Meta(description="Path of the journal")]
    version: Version
    identity: Annotated[Identity, Meta(description="Random: no two journals have the same")]
    created: Created
    first: Annotated[Count, Meta(description="Number of the first command listed")]

    @classmethod
    def of(cls, file: str, head: JournalHead, first: int) -> DumpHeading:
        """The heading of a journal's dump."""
        return cls(file=file, version=VERSION, identity=head.identity, created=created(head), first=first)


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpDocument(DumpHeading):
    """Commands of a journal, in order."""

    # Nobody holds one of these: `dump.Listing.document` writes it in pieces.

    commands: Annotated[
        tuple[DumpedCommand | DumpedCommandWithTerms | DumpedDrain, ...],
        Meta(description="The commands, and where the trade tape was emptied"),
    ]
    end: Annotated[
        JournalEnd | None,
        Meta(description="null: the limit came first, and what follows was not looked at"),
    ]


def dumped_command(sequence: int, record: Sequence[int]) -> DumpedCommand:
    """One command, from the fields of its record."""
    order_id, price, quantity, symbol, kind, side, time_in_force, flags, *terms = record
    plain = (
        sequence,
        order_id,
        price,
        quantity,
        symbol,
        _KIND(kind),
        _SIDE(side),
        _TIME_IN_FORCE(time_in_force),
        tuple(flag_names(flags)),
    )
    if len(record) == len(COMMAND.names or ()):
        return DumpedCommand(*plain)
    trigger, expiry, display, owner, self_trade = terms
    return DumpedCommandWithTerms(*plain, trigger, expiry, display, owner, _SELF_TRADE(self_trade))


def named(values: type[IntEnum]) -> Callable[[int], str | int]:
    """A function that gives the name of a value, or the value."""
    by_value = {each.value: each.name for each in values}
    return lambda value: by_value.get(value, value)


def flag_names(flags: int) -> list[str | int]:
    """The names of the bits that are set; what has none comes last, as one number."""
    known = [flag for flag in ExecInst if flags & flag]
    rest = flags - sum(known)
    return [flag.name for flag in known] + ([rest] if rest else [])


_KIND: Final = named(CommandType)
_SIDE: Final = named(Side)
_TIME_IN_FORCE: Final = named(TimeInForce)
_SELF_TRADE: Final = named(SelfTradePrevention)
