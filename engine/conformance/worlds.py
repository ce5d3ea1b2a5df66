"""Random worlds of what an engine takes: few prices, few orders, much that goes wrong, so that everything interacts.

A world is made by its seed alone: the same seed and capabilities give the same commands.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

from lowlat.engine.conformance.rows import Row, stream_of
from lowlat.engine.foreign.records import Capability
from lowlat.engine.matching.commands import extended_command
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import (
    QUANTITY_MAX,
    Commands,
    CommandType,
    ExecInst,
    MatchAlgorithm,
    SelfTradePrevention,
    Side,
    TickRounding,
    TimeInForce,
    TradingPhase,
)

COMMANDS_MAX: Final = 250
"""Commands of the longest worlds."""
_MIDDLES: Final = (100, 100, 100, 0, -40, 10**9, 2**62)
_WRONG_QUANTITIES: Final = (0, -1, QUANTITY_MAX + 1)
_BOUNDED: Final = 60
"""How far a band reaches from the middle, in price units."""


class World:
    """The rules of a world's symbols, and its commands."""

    def __init__(self, claimed: frozenset[Capability], seed: str) -> None:
        """`claimed`: what the engine takes; nothing else is in it."""
        self._claimed, self._draw = claimed, random.Random(seed)
        self._middle = self._draw.choice(_MIDDLES)
        self._width = self._draw.choice((2, 4, 4, 12))
        self._extended = self._draw.random() < 0.5
        self._next_id, self._recent = 1, [1]
        self._clock = 0
        self.instruments = self._instruments()
        kinds = self._kinds()
        weights = [weight * self._draw.choice((0.2, 1, 1, 3)) for weight, _ in kinds]
        makers = [make for _, make in kinds]
        count = self._draw.randrange(5, COMMANDS_MAX)
        rows = [make() for make in self._draw.choices(makers, weights, k=count)]
        self.commands: Commands = stream_of(rows if self._extended else [row[:8] for row in rows])

    def _has(self, *capabilities: Capability) -> bool:
        return self._claimed.issuperset(capabilities)

    # -- rules ---------------------------------------------------------------------------------------------------

    def _instruments(self) -> tuple[Instrument, ...]:
        symbols = self._draw.choice((1, 2, 3)) if self._has(Capability.SYMBOLS) else 1
        return tuple(self._instrument() for _ in range(symbols))

    def _instrument(self) -> Instrument:
        draw, rules = self._draw, Instrument()
        if self._has(Capability.RULES) and draw.random() < 0.4:
            tick = draw.choice((1, 2, 5))
            low, high = draw.choice(((rules.price_min, rules.price_max), self._band()))
            off_tick, lot = draw.choice(tuple(TickRounding)), draw.choice((1, 1, 2))
            rules = Instrument(tick=tick, lot=lot, price_min=low, price_max=high, off_tick=off_tick)
        if self._has(Capability.PRO_RATA) and draw.random() < 0.4:
            sizes = {name: getattr(rules, name) for name in ("tick", "lot", "price_min", "price_max", "off_tick")}
            rules = Instrument(**sizes, algorithm=MatchAlgorithm.PRO_RATA)
        return rules

    def _band(self) -> tuple[int, int]:
        return self._middle - self._draw.randrange(_BOUNDED), self._middle + self._draw.randrange(_BOUNDED)

    # -- kinds of command ----------------------------------------------------------------------------------------

    def _kinds(self) -> Sequence[tuple[float, Callable[[], Row]]]:
        """What there may be, with how often."""
        possible: list[tuple[float, Callable[[], Row], tuple[Capability, ...], bool]] = [
            (10, self._limit, (), False),
            (2, self._cancel, (), False),
            (0.5, self._wrong, (), False),
            (1, self._market, (Capability.MARKET,), False),
            (1, lambda: self._limit(time_in_force=TimeInForce.IOC), (Capability.IOC,), False),
            (1, lambda: self._limit(time_in_force=TimeInForce.FOK), (Capability.FOK,), False),
            (1, self._reduce, (Capability.REDUCE,), False),
            (3, self._replace, (Capability.REPLACE,), False),
            (1, lambda: self._limit(flags=ExecInst.POST_ONLY), (Capability.POST_ONLY,), False),
            (0.5, self._slide, (Capability.POST_ONLY, Capability.PRICE_SLIDE), False),
            (1, lambda: self._limit(flags=ExecInst.ALL_OR_NONE), (Capability.ALL_OR_NONE,), False),
            (1, lambda: self._limit(time_in_force=TimeInForce.DAY), (Capability.EXPIRY,), False),
            (0.7, self._advance, (Capability.EXPIRY,), False),
            (0.5, self._phase, (Capability.PHASES,), False),
            (1, self._good_till_date, (Capability.EXPIRY,), True),
            (1.5, self._iceberg, (Capability.ICEBERGS,), True),
            (1, self._stop, (Capability.STOPS,), True),
            (1, self._trail, (Capability.TRAILING_STOPS,), True),
            (3, self._owned, (Capability.SELF_TRADE,), True),
        ]
        return [
            (often, make) for often, make, needs, wide in possible if self._has(*needs) and (self._extended or not wide)
        ]

    def _limit(self, time_in_force: TimeInForce = TimeInForce.GTC, flags: int = 0, **terms: int) -> Row:
        return self._order(CommandType.LIMIT, price=self._price(), time_in_force=time_in_force, flags=flags, **terms)

    def _order(self, kind: CommandType, **terms: int) -> Row:
        fields = {
            "side": self._draw.choice(tuple(Side)),
            "quantity": self._quantity(),
            "symbol": self._symbol(),
        } | terms
        return extended_command(kind, self._new_id(), **fields)  # type: ignore[arg-type]

    def _market(self) -> Row:
        return self._order(CommandType.MARKET)

    def _slide(self) -> Row:
        return self._limit(flags=ExecInst.POST_ONLY | ExecInst.PRICE_SLIDE)

    def _iceberg(self) -> Row:
        return self._limit(quantity=self._draw.randrange(2, 12), display_quantity=self._draw.randrange(1, 4))

    def _good_till_date(self) -> Row:
        return self._limit(TimeInForce.GTD, expiry=self._clock + self._draw.randrange(1, 6))

    def _owned(self) -> Row:
        policy = self._draw.choice(tuple(SelfTradePrevention))
        return self._limit(participant_id=self._draw.randrange(3), self_trade=policy)

    def _stop(self) -> Row:
        if self._draw.random() < 0.5:
            return self._order(CommandType.STOP, trigger=self._price())
        return self._order(CommandType.STOP_LIMIT, trigger=self._price(), price=self._price())

    def _trail(self) -> Row:
        if self._draw.random() < 0.7:
            return self._order(CommandType.TRAILING_STOP, trigger=self._draw.randrange(1, 2 * self._width))
        distance = self._draw.choice((1, 100, 5_000, 10_000))
        return self._order(CommandType.TRAILING_STOP, trigger=distance, flags=ExecInst.TRAIL_BASIS_POINTS)

    def _cancel(self) -> Row:
        return extended_command(CommandType.CANCEL, self._old_id(), symbol=self._symbol())

    def _reduce(self) -> Row:
        return extended_command(CommandType.REDUCE, self._old_id(), quantity=self._quantity(), symbol=self._symbol())

    def _replace(self) -> Row:
        return extended_command(
            CommandType.REPLACE,
            self._old_id(),
            price=self._price(),
            quantity=self._quantity(),
            symbol=self._symbol(),
            flags=ExecInst.POST_ONLY if self._has(Capability.POST_ONLY) and self._draw.random() < 0.2 else 0,
        )

    def _advance(self) -> Row:
        self._clock += self._draw.choice((0, 1, 1, 3))
        return extended_command(CommandType.ADVANCE_TIME, quantity=self._clock)

    def _phase(self) -> Row:
        phase = self._draw.choice((TradingPhase.CONTINUOUS, *TradingPhase))
        return extended_command(CommandType.PHASE, quantity=phase, symbol=self._symbol())

    def _wrong(self) -> Row:
        """A limit order with something that no engine can execute, or an id that lives."""
        wrong = self._draw.randrange(4)
        if wrong == 0:
            return self._limit(quantity=self._draw.choice(_WRONG_QUANTITIES))
        if wrong == 1:
            return self._limit(symbol=self._draw.choice((len(self.instruments), 2**32 - 1)))
        if wrong == 2:
            return extended_command(CommandType.CANCEL, self._draw.choice((0, 2**64 - 1)), symbol=self._symbol())
        row = self._limit()
        return (self._old_id(), *row[1:])

    # -- values --------------------------------------------------------------------------------------------------

    def _price(self) -> int:
        return self._middle + self._draw.randrange(-self._width, self._width + 1)

    def _quantity(self) -> int:
        return self._draw.choice((1, 2, 2, 3, 4, 5, 10))

    def _symbol(self) -> int:
        return self._draw.randrange(len(self.instruments))

    def _new_id(self) -> int:
        """Ascending with gaps, seldom far away, seldom one that was there before."""
        if self._draw.random() < 0.03:
            return self._old_id()
        chosen = self._draw.randrange(2**64) if self._draw.random() < 0.02 else self._next_id
        self._next_id += self._draw.choice((1, 1, 1, 7))
        self._recent = [*self._recent[-30:], chosen]
        return chosen

    def _old_id(self) -> int:
        return self._draw.choice(self._recent)
