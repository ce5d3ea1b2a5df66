"""A synthetic day of NASDAQ TotalView-ITCH 5.0 of any size, made a block at a time: its memory is that of live orders.

The mix is that of a Nasdaq day: adds and deletes each near two fifths, replaces a tenth, executions a few percent, and
imbalances, crosses and administrative messages now and then. Every message is about an order that is live; books never
cross, since bids are below a symbol's fixed middle and asks above it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.itch_by_hand import interleaved, message, prefixed, rows

Ints = NDArray[np.int64]

OPEN_NS: Final = 4 * 3_600 * 10**9
CLOSE_NS: Final = 20 * 3_600 * 10**9
BLOCK: Final = 1 << 17
"""Messages made at once, or half as many as orders may live."""
_ENDS: Final = {"D": 0.385, "U": 0.10, "E": 0.045, "X": 0.02, "C": 0.002}
"""Share of the messages that are about a live order. Deletes and replaces end it; the others take part of it."""
_REST: Final = {"P": 0.012, "I": 0.015, "L": 0.0005, "Y": 0.0002, "Q": 0.0003}
_MPID: Final = 0.04
"""Share of the adds that have an MPID."""


def names_of(symbols: int) -> NDArray[np.bytes_]:
    """Names of symbols: four letters each, padded."""
    letters = [(np.arange(symbols) // 26**power) % 26 + ord("A") for power in (3, 2, 1, 0)]
    names = np.full((symbols, 8), ord(" "), np.uint8)
    names[:, :4] = np.stack(letters, axis=1)
    return names.reshape(-1).view("S8")


@dataclass
class _Live:
    """The live orders, in slots; a slot is free if its id is 0."""

    order_id: Ints
    shares: Ints
    locate: Ints
    free: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    used: int = 0

    def some(self, random: np.random.Generator, count: int) -> Ints:
        """Slots of different live orders, at most so many."""
        drawn = np.unique(random.integers(0, max(1, self.used), count))
        live = drawn[self.order_id[drawn] != 0]
        return random.permutation(live)

    def take_slots(self, count: int) -> Ints:
        """Free slots, at most so many."""
        old, self.free = self.free[:count], self.free[count:]
        fresh = np.arange(self.used, min(len(self.order_id), self.used + count - len(old)))
        self.used += len(fresh)
        return np.concatenate([old, fresh])


class ItchDay:
    """The messages of a day, `messages` in all, with their prefixes.

    The day begins without orders, and more enter than end, until `live` are live at once.
    """

    def __init__(self, messages: int, symbols: int = 8_000, live: int = 2_000_000, seed: int = 1) -> None:
        self._messages, self._random = messages, np.random.default_rng(seed)
        self._names = names_of(symbols)
        self._middle = self._random.integers(500, 50_000, symbols) * 100
        self._live = _Live(*(np.zeros(live, np.int64) for _ in range(3)))
        self._next_id, self._next_match = 2, 1
        self._made = 0

    def blocks(self) -> Iterator[bytes]:
        """The day's bytes, one after the other, with the end of the session."""
        head = self._head()
        self._made = len(head)
        yield prefixed(head, end=False)
        while (left := self._messages - 1 - self._made) > 0:
            yield self._block(min(BLOCK, max(1_000, len(self._live.order_id) // 2), left))
        yield prefixed([message("S", CLOSE_NS, event_code=b"C")])

    def _head(self) -> list[bytes]:
        """Start of messages; each symbol's directory entry and trading state."""
        start = [message("S", OPEN_NS, event_code=b"O")]
        for kind, fields in (("R", {"round_lot": 100}), ("H", {"state": b"T"})):
            locates = np.arange(1, len(self._names) + 1)
            made = rows(kind, len(locates), OPEN_NS, locate=locates, stock=self._names, **fields)
            start += [row.tobytes() for row in made]
        return start[: max(1, self._messages - 1)]

    def _block(self, count: int) -> bytes:
        """The next messages. No order has two messages of one block, so their order is free."""
        time = OPEN_NS + ((self._made + np.arange(count)) * ((CLOSE_NS - OPEN_NS) / self._messages)).astype(np.int64)
        self._made += count
        position = self._random.permutation(count)
        parts, at = [], 0

        def placed(size: int) -> tuple[Ints, Ints]:
            nonlocal at
            at += size
            where = np.sort(position[at - size : at])
            return where, time[where]

        wanted = int(count * sum(_ENDS.values()))
        chosen = self._live.some(self._random, wanted * 5 // 4)[:wanted]
        bounds = (np.cumsum([0, *_ENDS.values()]) / sum(_ENDS.values()) * len(chosen)).astype(int)
        makers = {"D": self._deletes, "U": self._replaces, "E": self._executions, "X": self._cancels}
        makers["C"] = self._priced_executions
        for kind, begin, end in zip(_ENDS, bounds[:-1], bounds[1:], strict=True):
            slots = chosen[begin:end]
            where, when = placed(len(slots))
            parts.append((where, makers[kind](slots, when)))
        for kind, share in _REST.items():
            where, when = placed(int(count * share))
            parts.append((where, self._rest(kind, when)))
        parts += self._adds(placed, count - at)
        return interleaved(parts).tobytes()

    def _adds(self, placed, count: int) -> list[tuple[Ints, NDArray[np.void]]]:  # type: ignore[no-untyped-def]
        """Adds for the rest of a block; imbalances where no more orders may live."""
        slots = self._live.take_slots(count)
        with_mpid = int(len(slots) * _MPID)
        parts = []
        for kind, some in (("F", slots[:with_mpid]), ("A", slots[with_mpid:])):
            where, when = placed(len(some))
            parts.append((where, self._enter(kind, some, when)))
        where, when = placed(count - len(slots))
        return [*parts, (where, self._rest("I", when))]

    def _enter(self, kind: str, slots: Ints, when: Ints) -> NDArray[np.void]:
        live, count = self._live, len(slots)
        # A few symbols have most of the orders.
        symbol = (len(self._names) * self._random.random(count) ** 3).astype(np.int64)
        live.order_id[slots] = self._ids(count)
        live.shares[slots] = self._random.integers(1, 10, count) * 100
        live.locate[slots] = symbol + 1
        columns = {"locate": symbol + 1, "order_id": live.order_id[slots], "shares": live.shares[slots]}
        sides = (live.order_id[slots] & 1).astype(bool)
        prices = self._prices(symbol, sides)
        more = {"mpid": b"ABCD"} if kind == "F" else {}
        side = np.where(sides, b"B", b"S")
        return rows(kind, count, when, **columns, side=side, stock=self._names[symbol], price=prices, **more)

    def _prices(self, symbol: Ints, buys: NDArray[np.bool_]) -> Ints:
        """Below the middle for buys, above it for sells, mostly near it."""
        away = 100 * np.minimum(1 + (self._random.exponential(8, len(symbol))).astype(np.int64), 400)
        return self._middle[symbol] + np.where(buys, -away, away)

    def _ids(self, count: int) -> Ints:
        """New numbers of orders: one of each pair of an even and an odd one, which is a buy's."""
        self._next_id += 2 * count
        first = self._next_id - 2 * count
        return first + 2 * np.arange(count) + self._random.integers(0, 2, count)

    def _matches(self, count: int) -> Ints:
        self._next_match += count
        return np.arange(self._next_match - count, self._next_match)

    def _deletes(self, slots: Ints, when: Ints) -> NDArray[np.void]:
        live = self._live
        made = rows("D", len(slots), when, locate=live.locate[slots], order_id=live.order_id[slots])
        live.order_id[slots] = 0
        live.free = np.concatenate([live.free, slots])
        return made

    def _replaces(self, slots: Ints, when: Ints) -> NDArray[np.void]:
        live, count = self._live, len(slots)
        old, locate = live.order_id[slots], live.locate[slots]
        new = self._ids(count) & ~1 | (old & 1)  # the side stays
        live.order_id[slots] = new
        live.shares[slots] = self._random.integers(1, 10, count) * 100
        prices = self._prices(locate - 1, (old & 1).astype(bool))
        return rows("U", count, when, locate=locate, order_id=old, new_id=new, shares=live.shares[slots], price=prices)

    def _executions(self, slots: Ints, when: Ints) -> NDArray[np.void]:
        return self._taken("E", slots, when, match=self._matches(len(slots)))

    def _priced_executions(self, slots: Ints, when: Ints) -> NDArray[np.void]:
        price = self._middle[self._live.locate[slots] - 1]
        return self._taken("C", slots, when, match=self._matches(len(slots)), printable=b"Y", price=price)

    def _cancels(self, slots: Ints, when: Ints) -> NDArray[np.void]:
        return self._taken("X", slots, when)

    def _taken(self, kind: str, slots: Ints, when: Ints, **more: object) -> NDArray[np.void]:
        """A third or so of what the orders have, or all of it: then they are gone."""
        live = self._live
        shares = np.where(self._random.random(len(slots)) < 0.4, live.shares[slots], (live.shares[slots] + 2) // 3)
        columns = {"locate": live.locate[slots], "order_id": live.order_id[slots]}
        made = rows(kind, len(slots), when, **columns, shares=shares, **more)
        live.shares[slots] -= shares
        gone = slots[live.shares[slots] == 0]
        live.order_id[gone] = 0
        live.free = np.concatenate([live.free, gone])
        return made

    def _rest(self, kind: str, when: Ints) -> NDArray[np.void]:
        """Messages that are about no live order."""
        count = len(when)
        symbol = self._random.integers(0, len(self._names), count)
        known = {"locate": symbol + 1, "stock": self._names[symbol]}
        trade = {"shares": 100, "price": self._middle[symbol], "match": self._matches(count)}
        more: dict[str, object] = {
            "P": {"side": b"B", **trade},
            "Q": {"cross": b"I", **trade},
            "I": {"paired": 100, "direction": b"N", "cross": b"C"},
            "L": {"mpid": b"ABCD", "primary": b"Y", "mode": b"N", "state": b"A"},
            "Y": {"action": b"0"},
        }[kind]
        return rows(kind, count, when, **known, **more)
