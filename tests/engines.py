"""The engines that must follow `docs/matching.md`."""

from lowlat.engine.matching.interface import MatchingEngine
from lowlat.engine.matching.native import Engine
from lowlat.engine.reference.engine import ReferenceEngine

ENGINES: list[type[MatchingEngine]] = [Engine, ReferenceEngine]
