"""Level-3 events of any format as a flow of commands, with the venue's executions as the expected answer.

A builder knows events and no format. It sends each aggressive order, and keeps what it hit at the venue.

How each event is converted
---------------------------
ADD       LIMIT, GTC
REDUCE    REDUCE (CANCEL if nothing is left)
CANCEL    CANCEL, whatever the size
REPLACE   CANCEL, and LIMIT with the new id
UPSERT    REDUCE where that is enough, else CANCEL and LIMIT
CLEAR     CANCEL of every order
EXECUTE   executions of one aggressive order form one *burst*: a LIMIT, IOC on the other side with their summed size and
          the worst price among them, and a new id, above all ids of the file. Executions belong together if they follow
          one another, but for events that do not change the book, and name the same aggressive order or, where the feed
          names none, have the same time and side. They are the burst's expected fills; neighbors with the same resting
          order count as one fill. An order that the file adds before it tells what that traded enters afterward, with
          what is left of it.
PHASE     PHASE. Executions of one time that are an auction's (flag AUCTION, or outside of continuous trading) are
          what an engine's uncross must give, if the displayed orders in a CALL phase explain them. Otherwise hidden
          orders took part: they are applied as the venue tells them, by CANCEL and REDUCE (origin APPLIED), and not
          checked.
TRADE, CROSS, BUST: skipped and counted, because they do not change the visible book.

An event that names an order alone (flags NO_SIDE, NO_PRICE) has the side and the price with which that order entered;
if no event tells its side, it is left out and counted.

An event that contradicts the book is believed and counted: the newest add of an id changes, a reduction by more than an
order has takes all, an order is reduced whatever side and price the event gives. Only what names an order that is not
in the book is skipped. A price of 0 on what is no add means that the feed does not tell it: it is that of the order.

Ghosts
------
A file of a few price levels does not tell what happens outside of them, so orders stay that the venue no longer has.
They are taken out (origin REMOVED) when something shows that they were gone: a displayed add crosses them; executions
pass over them, and no later event names them; or the venue's own book, if given, does not have them. An order that
later events name is alive: if an add locks or crosses it, both stand as the venue shows them, in a CALL phase, until
it says otherwise.

Rows of one time are one step of the venue: a cancel or reduction of the same time that explains a burst or makes room
for an add is applied before it. So an order that self-match prevention cancels in place of its fill is explained, and
counted. An iceberg order that traded is explained by an UPSERT of the same time: it may have traded more than it
showed, and enters at the back with what it shows next.

Orders whose arrival is not in the file
---------------------------------------
*Never added* (no event adds it): its quantity is the sum that later events take; side and price are those of the first
such event. If the venue numbers orders as they arrive, an id shows when an order came. If the id is below that of the
file's first add, or the venue numbers otherwise, the order is *seeded*: entered before the first row. Otherwise it
enters just before the first add with a larger id, or just before its own first event, whichever comes first; or, if it
would lock or cross the book there, before its own first event.

*Late rows* (an add with an id below that of an order already queued at that price, where ids grow): the order is *moved
up* to just before the earliest entry of an order with a larger id. That order held the price throughout, so the best
price never differs from the file's. If the level traded in between, the row stays where it is. An id that was used
before does not show when its order came.

Departures
----------
If the venue fills a different order than price-time priority would on the book that the file describes, an engine must
differ. To count this once and keep it from affecting the rest, commands after such a burst (origin RESTORED) restore
the level to the file's state: CANCEL or REDUCE in place, and from the first order that has to be entered again, CANCEL
and LIMIT for the rest of the queue.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lowlat import units
from lowlat.engine.feed.records import OrderAction
from lowlat.engine.feed.stream import OrderEventStream
from lowlat.engine.feed.telling import Progress, Telling
from lowlat.engine.flow.recording.changes import SIDELESS, Changes
from lowlat.engine.flow.recording.columns import EventColumns, columns_of
from lowlat.engine.flow.recording.command_log import positions_of
from lowlat.engine.flow.recording.completion import completed
from lowlat.engine.flow.recording.model import Bursts, Ints, Origin, RecordedAuction, RecordedFlow
from lowlat.engine.flow.recording.quantities import too_much
from lowlat.engine.flow.recording.venue_book import VenueBook
from lowlat.engine.flow.recording.walk import Walk
from lowlat.engine.matching.price_grid import tick_of
from lowlat.engine.matching.records import QUANTITY_MAX, Commands, CommandType

_ENTERING = np.isin(np.arange(256), [OrderAction.ADD, OrderAction.REPLACE, OrderAction.UPSERT])


def recorded_flow(
    stream: OrderEventStream, book: VenueBook | None = None, progress: Progress | None = None
) -> RecordedFlow:
    """The flow of a stream's events, which are read to the end.

    `book`: what the venue displayed after each event of a stream of one symbol. It finds ghosts, if it has a row for
    each event, and it tells how many levels the stream displays, if nothing else does. `progress`: told how many events
    have become commands.

    Raises `InputError`, naming file and row, for a quantity that no order can have, and what reading raises.
    """
    changes = Changes()
    symbols = columns_of(stream)
    rows = None if book is None else book.rows_of(symbols[0])
    book = book if rows else None
    levels = stream.displayed_levels or (book.levels if book else None)
    parts = []
    walked = _Walked(sum(map(len, symbols)), progress)
    for number in range(len(symbols)):
        symbols[number], sideless = completed(symbols[number])
        if sideless:
            changes.left_out[SIDELESS] += sideless
        walk = _walk(symbols[number], changes, stream, book, walked)
        symbols[number] = symbols[number].without_orders()  # before the commands take as much memory
        parts.append(_part(number, symbols[number], walk))
    changes.left_out += stream.left_out
    changes.faults += stream.faults
    whole = parts[0] if len(parts) == 1 else _merged(parts)
    return RecordedFlow(
        path=stream.path,
        commands=whole.commands,
        seeded=int(np.count_nonzero(whole.origin == Origin.SEEDED)),
        origin=whole.origin,
        row=whole.row,
        time_ns=whole.time_ns,
        bursts=whole.bursts,
        auctions=whole.auctions,
        rows=dict(stream.messages),
        changes=changes,
        book_rows=rows,
        orders=changes.orders + changes.never_added + changes.moved_up,
        symbols=tuple(stream.symbols),
        displayed_levels=levels,
        ticks=tuple(_tick(part.commands) for part in parts),
        unit=stream.unit,
    )


class _Walked:
    """How many of all events have become commands."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total = 0, total
        self._telling = None if progress is None else Telling(progress)

    def add(self, count: int) -> None:
        self._done += count
        if self._telling is not None:
            of = units.counted(self._total, "event")
            self._telling.tell(lambda _: f"commands of {self._done:,} of {of} made", lambda: self._done / self._total)


def _walk(
    events: EventColumns, changes: Changes, stream: OrderEventStream, book: VenueBook | None, walked: _Walked
) -> Walk:
    _check(stream.path, events)
    walk = Walk(events, changes, stream.path, by_arrival=stream.ids_by_arrival, book=book)
    walk.run(walked.add)
    return walk


def _check(path: Path, events: EventColumns) -> None:
    """Refuse the first order that no engine holds."""
    too_large = np.flatnonzero(_ENTERING[events.action] & (events.quantity > QUANTITY_MAX))
    if len(too_large):
        at = too_large[0]
        raise too_much(path, events.row[at], f"an order has {events.quantity[at]}")


@dataclass(frozen=True, eq=False, slots=True)
class _Part:
    """The commands of one symbol, or of all. `place`: where the event of each stands in the stream; -1: before it."""

    commands: Commands
    origin: NDArray[np.uint8]
    place: Ints
    row: Ints
    time_ns: Ints
    bursts: Bursts
    auctions: tuple[RecordedAuction, ...]


def _part(number: int, events: EventColumns, walk: Walk) -> _Part:
    log = walk.log()
    position = positions_of(log.sequence())
    sent, settled = walk.sent(position), tuple(walk.settled(position))
    commands, origin, index = log.commands(position, number)
    row, time_ns = (column[index].astype(np.int64) for column in (events.row, events.time_ns))
    place = index if events.places is None else events.places[index]
    return _Part(commands, origin, np.where(origin == Origin.SEEDED, -1, place), row, time_ns, sent, settled)


def _merged(parts: list[_Part]) -> _Part:
    """All symbols in the order of the file."""
    names = ("commands", "origin", "place", "row", "time_ns")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    order = np.argsort(joined["place"], kind="stable")
    position = positions_of(order)
    firsts = np.cumsum([0, *(len(part.commands) for part in parts[:-1])])
    bursts = [part.bursts for part in parts]
    command = position[np.concatenate([each.command + first for each, first in zip(bursts, firsts, strict=True)])]
    lengths = np.concatenate([np.diff(each.first_fill) for each in bursts])
    fills = np.concatenate([each.fills for each in bursts])
    by_command = np.argsort(command)
    merged = Bursts(
        command=command[by_command],
        fills=fills[np.argsort(np.repeat(command, lengths), kind="stable")],
        first_fill=np.concatenate(([0], np.cumsum(lengths[by_command]))),
    )
    auctions = [
        replace(each, command=int(position[each.command + first]))
        for part, first in zip(parts, firsts, strict=True)
        for each in part.auctions
    ]
    auctions.sort(key=lambda each: each.command)
    return _Part(**{name: column[order] for name, column in joined.items()}, bursts=merged, auctions=tuple(auctions))


def _tick(commands: Commands) -> int:
    return tick_of(commands["price"][commands["kind"] == CommandType.LIMIT])
