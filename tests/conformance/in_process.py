"""The adapter as an in-process candidate, with the same protocol lines. Starting a process for each of some thousand
traces would take longer than the traces.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tracebook.conformance import BookState, ConformanceConfig, EngineMetadata, Observation
from tracebook.events import MarketEvent

from lowlat.engine.matching.interface import MatchingEngine
from tests.conformance.adapter import PROTOCOL, Conversation


class InProcess:
    """An `EngineAdapter` of tracebook."""

    def __init__(self, make: Callable[..., MatchingEngine], config: ConformanceConfig) -> None:
        self._conversation = Conversation(make)
        self._last = 0
        ready = self._stated(type="hello", **PROTOCOL, config=config.to_dict())
        self.metadata = EngineMetadata.from_dict(ready["engine"])

    def apply(self, event: MarketEvent, index: int) -> Observation:
        self._last = index
        return Observation.from_dict(self._stated(type="event", index=index, event=event.to_dict()))

    def snapshot(self) -> BookState:
        return BookState.from_dict(self._stated(type="snapshot", index=self._last)["state"])

    def close(self) -> None:
        self._stated(type="finish", event_count=self._last)

    def _stated(self, **message: Any) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._conversation.answer(json.dumps(message)))
        return answer


def candidate(make: Callable[..., MatchingEngine]) -> Callable[[ConformanceConfig], InProcess]:
    """A factory that makes a fresh adapter for each trace."""
    return lambda config: InProcess(make, config)
