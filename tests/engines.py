"""Which engines the tests hold to `docs/matching.md`."""

from engine.contract import MatchingEngine
from engine.reference import ReferenceEngine

TESTED: type[MatchingEngine] = ReferenceEngine
"""What the property tests compare with the reference engine."""

ENGINES: list[type[MatchingEngine]] = [*dict.fromkeys([TESTED, ReferenceEngine])]
"""What the worked examples are tried with."""
