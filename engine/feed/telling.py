"""What is done of a recording, and the share of it, told a few times a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic
from typing import Final, TypeAlias

from lowlat import units
from lowlat.engine.feed.records import OrderEvents
from lowlat.engine.feed.stream import OrderEventStream
from lowlat.inputs import share_read

Progress: TypeAlias = Callable[[str, float | None], None]
"""Takes what is being done, and the share that is done; None: nobody knows, as of a pipe."""

UPDATE_S: Final = 0.2
"""How often."""


class Telling:
    """Tells how far something is, unless it was told just before."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._begun = progress, monotonic()
        self._told = self._begun

    def tell(self, text: Callable[[float], str], share: Callable[[], float | None]) -> None:
        """`text` gets the seconds since the beginning."""
        now = monotonic()
        if now - self._told >= UPDATE_S:
            self._told = now
            self._progress(text(now - self._begun), share())


def tell_of_reading(stream: OrderEventStream, progress: Progress) -> None:
    """While the blocks of a stream are read, tell how many events were, how fast, and how much of the file."""
    stream.blocks = _told(stream, stream.blocks, Telling(progress))


def _told(stream: OrderEventStream, blocks: Iterator[OrderEvents], telling: Telling) -> Iterator[OrderEvents]:
    events = 0

    def text(seconds: float) -> str:
        return f"{stream.path.name}: {units.counted(events, 'event')} read, {units.rate(events / seconds)}"

    for block in blocks:
        events += len(block)
        telling.tell(text, lambda: share_read(stream.path))
        yield block
