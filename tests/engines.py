"""The engines that are held to `docs/matching.md`."""

from lowlat.engine.contract import MatchingEngine
from lowlat.engine.native_engine import Engine
from lowlat.engine.reference import ReferenceEngine

ENGINES: list[type[MatchingEngine]] = [Engine, ReferenceEngine]
