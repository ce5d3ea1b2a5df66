"""State machines that build a book and do one thing to it, again and again, on two engines side by side."""

from __future__ import annotations

from typing import ClassVar

from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import SearchStrategy

from engine.contract import MatchingEngine
from engine.instrument import Instrument
from engine.native_engine import Engine
from engine.records import Flag, TimeInForce, commands, describe
from engine.reference import ReferenceEngine
from engine.settings import Settings
from tests.property.comparison import Row, paste, state_difference
from tests.property.strategies import Domain, cancels, limits, markets, naming, reduces, replaces, wrong

SETTINGS = Settings((Instrument(),), orders=40, trades=16)
DOMAIN = Domain.of(SETTINGS)
RESTING = limits(DOMAIN, TimeInForce.GTC)

ORDER_KINDS: dict[str, SearchStrategy[Row]] = {
    "limit": RESTING,
    "market": markets(DOMAIN),
    "immediate_or_cancel": limits(DOMAIN, TimeInForce.IOC),
    "fill_or_kill": limits(DOMAIN, TimeInForce.FOK),
    "post_only": limits(DOMAIN, TimeInForce.GTC, Flag.POST_ONLY),
    "cancel": cancels(DOMAIN),
    "reduce": reduces(DOMAIN),
    "replace": replaces(DOMAIN),
    "wrong": wrong(DOMAIN),
}


class Books(RuleBasedStateMachine):
    """The engine under test, the oracle, and what both were told."""

    tested: ClassVar[type[MatchingEngine]] = Engine

    def __init__(self) -> None:
        super().__init__()
        self.engine, self.oracle = self.tested.of(SETTINGS), ReferenceEngine.of(SETTINGS)
        self.told: list[Row] = []

    @rule(row=RESTING)
    def build(self, row: Row) -> None:
        self.tell(row)

    def tell(self, row: Row) -> None:
        self.told.append(naming(self.oracle, row))
        ours, theirs = (engine.process(commands(self.told[-1])) for engine in (self.oracle, self.engine))
        said = [[describe(event) for event in events] for events in (ours, theirs)]
        assert ours.tolist() == theirs.tolist(), f"{said[0]}\nnot {said[1]}\n{paste(SETTINGS, self.told)}"

    @invariant()
    def books_are_equal(self) -> None:
        differing = state_difference(self.oracle, self.engine, [0])
        assert differing is None, f"{differing}\n{paste(SETTINGS, self.told)}"
        if isinstance(self.engine, Engine):
            self.engine.check_invariants()


def machine(tested: type[MatchingEngine], *kinds: str) -> type[Books]:
    """A machine that mixes commands of these kinds into the building of a book, each as often as a building one."""
    rules = {kind: rule(row=ORDER_KINDS[kind])(lambda self, row: self.tell(row)) for kind in kinds}
    return type("Books", (Books,), {"tested": tested, **rules})
