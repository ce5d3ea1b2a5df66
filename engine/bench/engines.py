"""Every engine that can be measured. One more is a line in `_built_in`, or a package of its own with an entry point in
the group `lowlat.engines`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lowlat.registry import PlugInError, Registry

if TYPE_CHECKING:
    from lowlat.engine.matching.config import EngineConfig
    from lowlat.engine.matching.interface import MatchingEngine


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """An engine by name.

    `make` gives one sized by the settings, its books empty. `commands`: how many a run of `lowlat bench` measures
    unless told, so that it ends within seconds. `compiled`: whether `make` gives a `lowlat.engine.Engine`, around which
    the measured loops are compiled code. Any other engine is called from Python, and so runs in a closed loop only: not
    at planned times, not in a pipeline, without an interval log or a journal.
    """

    name: str
    sentence: str
    make: Callable[[EngineConfig], MatchingEngine]
    commands: int = 20_000
    compiled: bool = False

    def make_checked(self, settings: EngineConfig) -> MatchingEngine:
        """As `make`. Raises `PlugInError` for one that is said to be compiled, and is not."""
        from lowlat.engine.matching.native import Engine

        engine = self.make(settings)
        if self.compiled and not isinstance(engine, Engine):
            raise PlugInError(f"{type(engine).__name__}, which {self.name} makes, is no compiled engine")
        return engine


def _native(settings: EngineConfig) -> MatchingEngine:
    from lowlat.engine.matching.native import Engine

    return Engine.of(settings)


def _reference(settings: EngineConfig) -> MatchingEngine:
    from lowlat.engine.reference.engine import ReferenceEngine

    return ReferenceEngine.of(settings)


NATIVE: Final = EngineEntry("native", "the engine, in C++", _native, commands=2_000_000, compiled=True)
REFERENCE: Final = EngineEntry(
    "reference", "the same contract in plain Python, some hundred times slower, in a closed loop only", _reference
)


def _built_in() -> Sequence[EngineEntry]:
    return NATIVE, REFERENCE


ENGINES: Final = Registry("lowlat.engines", EngineEntry, _built_in)
