"""The engines that are held to `docs/matching.md`."""

from engine.contract import MatchingEngine
from engine.native_engine import Engine
from engine.reference import ReferenceEngine

ENGINES: list[type[MatchingEngine]] = [Engine, ReferenceEngine]
