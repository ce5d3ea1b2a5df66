"""Which engines the tests hold to `docs/matching.md`."""

from engine.contract import MatchingEngine
from engine.native_engine import Engine
from engine.reference import ReferenceEngine

TESTED: type[MatchingEngine] = Engine
"""What the property tests compare with the reference engine."""

ENGINES: list[type[MatchingEngine]] = [*dict.fromkeys([TESTED, ReferenceEngine])]
"""What the worked examples are tried with."""
