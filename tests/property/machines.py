"""State machines that build a book and repeat one operation on it, on two engines side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import SearchStrategy

from lowlat.engine.conformance.rows import Row, stream_of
from lowlat.engine.matching.commands import describe
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import ExecInst, TimeInForce
from lowlat.engine.reference.engine import ReferenceEngine
from tests.property.comparison import paste, state_difference
from tests.property.strategies import Domain, cancels, limits, markets, naming, reduces, replaces, wrong
from tests.property.worlds import ROOMY, kinds

SETTINGS = EngineConfig((Instrument(),), orders=40, trades=16)
DOMAIN = Domain.of(tick=1, lot=1, symbols=1)

ORDER_KINDS: dict[str, SearchStrategy[Row]] = {
    "limit": limits(DOMAIN, TimeInForce.GTC),
    "market": markets(DOMAIN),
    "immediate_or_cancel": limits(DOMAIN, TimeInForce.IOC),
    "fill_or_kill": limits(DOMAIN, TimeInForce.FOK),
    "post_only": limits(DOMAIN, TimeInForce.GTC, ExecInst.POST_ONLY),
    "cancel": cancels(DOMAIN),
    "reduce": reduces(DOMAIN),
    "replace": replaces(DOMAIN),
    "wrong": wrong(DOMAIN),
}


class Books(RuleBasedStateMachine):
    """The engine under test, the reference engine, and the commands sent to both."""

    tested: ClassVar[type[MatchingEngine]]
    sized: ClassVar[EngineConfig]

    def __init__(self) -> None:
        super().__init__()
        self.engine, self.oracle = self.tested.of(self.sized), ReferenceEngine.of(self.sized)
        self.told: list[Row] = []

    def tell(self, row: Row) -> None:
        self.told.append(naming(self.oracle, row))
        ours, theirs = (engine.process(stream_of(self.told[-1:])) for engine in (self.oracle, self.engine))
        said = [[describe(event) for event in events] for events in (ours, theirs)]
        assert ours.tolist() == theirs.tolist(), f"{said[0]}\nnot {said[1]}\n{paste(self.sized, self.told)}"

    @invariant()
    def books_are_equal(self) -> None:
        differing = state_difference(self.oracle, self.engine, range(len(self.sized.instruments)))
        assert differing is None, f"{differing}\n{paste(self.sized, self.told)}"
        if isinstance(self.engine, Engine):
            self.engine.check_invariants()


def machine(tested: type[MatchingEngine], *names: str) -> type[Books]:
    """A machine that builds a book and mixes in commands of these `ORDER_KINDS`, each with the given frequency."""
    return _machine(tested, SETTINGS, [("build", ORDER_KINDS["limit"]), *((name, ORDER_KINDS[name]) for name in names)])


def world_machine(tested: type[MatchingEngine]) -> type[Books]:
    """A machine with a rule for every operation on a small world."""
    return _machine(tested, ROOMY, kinds(tick=1, lot=1).items())


def _machine(
    tested: type[MatchingEngine], sized: EngineConfig, drawn: Iterable[tuple[str, SearchStrategy[Row]]]
) -> type[Books]:
    rules = {name: rule(row=rows)(lambda self, row: self.tell(row)) for name, rows in drawn}
    return type("Books", (Books,), {"tested": tested, "sized": sized, **rules})
